# SPDX-License-Identifier: Apache-2.0
"""Who generates code from the protos in Java or Go needs no options of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROTOS = Path(__file__).resolve().parents[2] / "protos"
FILES = sorted(path.relative_to(PROTOS).as_posix() for path in (PROTOS / "chukan").rglob("*.proto"))


@pytest.mark.parametrize("name", FILES)
def test_every_file_says_its_java_and_go_packages(name: str) -> None:
    """Java: a class per message, in the proto's own package. Go: a path under a domain nobody can own."""
    text = (PROTOS / name).read_text(encoding="utf-8")
    (package,) = re.findall(r"^package (.+);$", text, re.MULTILINE)

    options = dict(re.findall(r"^option (\w+) = (.+);$", text, re.MULTILINE))

    assert options == {
        "go_package": f'"chukan.example/{package.replace(".", "/")};{package.replace(".", "")}"',
        "java_multiple_files": "true",
        "java_package": f'"{package}"',
    }
