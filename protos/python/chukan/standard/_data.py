# SPDX-License-Identifier: Apache-2.0
"""Reads the data files shipped beside the code."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path
from typing import Any, Final

__all__ = ["file_names", "read_rows", "read_toml"]

_FOLDER: Final = Path(__file__).parent / "data"


def read_toml(*parts: str) -> dict[str, Any]:
    """Return a TOML file of the data folder as nested dictionaries."""
    return tomllib.loads(_FOLDER.joinpath(*parts).read_text(encoding="utf-8"))


def read_rows(*parts: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file of the data folder by column name; lines that begin with # are remarks."""
    with _FOLDER.joinpath(*parts).open(encoding="utf-8", newline="") as file:
        lines = csv.reader(line for line in file if not line.startswith("#"))
        names = next(lines)
        return [dict(zip(names, line, strict=True)) for line in lines]


def file_names(*parts: str) -> list[str]:
    """Return the sorted names of the files in a folder of the data folder."""
    return sorted(path.name for path in _FOLDER.joinpath(*parts).iterdir())
