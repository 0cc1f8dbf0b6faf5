# SPDX-License-Identifier: Apache-2.0
"""The READMEs' examples run as they are written, and both READMEs show the same ones."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass

from chukan.v1 import common_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
ENGLISH, JAPANESE = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.ja.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LISTENS = "127.0.0.1:50051"


def _blocks(text: str, language: str) -> list[str]:
    return [block for kind, block in BLOCK.findall(text) if kind == language]


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CHUKAN_")}


def _chukan(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chukan.command", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=_clean(), timeout=100, check=False)


@dataclass(frozen=True, slots=True)
class Served:
    """A server on the demo's data, as the README starts one."""

    listen: str

    def run(self, program: str) -> str:
        """Run a Python example and return what it prints."""
        assert LISTENS in program
        command = [sys.executable, "-c", program.replace(LISTENS, self.listen)]
        run = subprocess.run(command, capture_output=True, text=True, env=_clean(), timeout=60, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("readme")
    demo = _chukan("demo", "--people", "200", "--keep", str(folder / "demo"))
    assert demo.returncode == 0, demo.stdout + demo.stderr
    ready = folder / "ready.json"
    options = ["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
    command = [sys.executable, "-m", "chukan.command", "serve", "--data", str(folder / "demo" / "data"), *options]
    with subprocess.Popen([*command, "--ready-file", str(ready)], env=_clean()) as server:
        try:
            listen = _eventually(lambda: json.loads(ready.read_text("utf-8"))["listen"] if ready.exists() else "")
            yield Served(listen)
        finally:
            server.send_signal(signal.SIGTERM)
    assert server.returncode == 0


def _eventually(read: Callable[[], Any], *, seconds: float = 30.0) -> Any:
    until = time.monotonic() + seconds
    while not (found := read()):
        assert time.monotonic() < until, f"got {found!r} for {seconds} s"
        time.sleep(0.05)
    return found


def _curl(line: str, listen: str) -> Any:
    """Do what a grpcurl line says: the method by its name, the request as JSON, the headers given."""
    words = shlex.split(line)
    assert words[:2] == ["grpcurl", "-plaintext"]
    options = dict(zip(words[2:-2:2], words[3:-2:2], strict=True))
    target, method = words[-2:]
    assert target == LISTENS
    described = Default().FindMethodByName(method.replace("/", "."))
    request = json_format.Parse(options["-d"], GetMessageClass(described.input_type)())
    key, _, value = options["-H"].partition(": ")
    with grpc.insecure_channel(listen) as channel:
        call = channel.unary_unary(
            f"/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(described.output_type).FromString,
        )
        return call(request, metadata=((key, value),), timeout=10)


def test_the_inquiry_by_hand_is_accepted_and_found_by_grpcurl_with_its_answer(served: Served) -> None:
    (example,) = _blocks(ENGLISH, "python")
    (curl,) = [line for block in _blocks(ENGLISH, "sh") for line in block.splitlines() if line.startswith("grpcurl")]

    printed = served.run(example)

    assert "INQUIRY_STATE_ACCEPTED" in printed
    state = _eventually(lambda: _curl(curl, served.listen).inquiry.state == common_pb2.INQUIRY_STATE_ANSWERED)
    assert state
    found = _curl(curl, served.listen).inquiry
    assert (found.spec.record_id, found.status.row_status) == ("by-hand-1", "09")

    shown = _chukan("inquiry", "results", found.receipt_number, "--organization", "131121", "--target", served.listen)
    assert shown.returncode == 0, shown.stderr


def test_the_example_has_five_statements() -> None:
    (example,) = _blocks(ENGLISH, "python")

    assert len(ast.parse(example).body) == 5
    assert all(len(line) <= 120 for line in example.splitlines())


@pytest.mark.parametrize("language", ["python", "sh", "mermaid"])
def test_both_readmes_show_the_same_examples(language: str) -> None:
    assert _blocks(ENGLISH, language) == _blocks(JAPANESE, language)


def test_both_readmes_have_the_same_sections_and_links() -> None:
    english, japanese = (
        [len(head) for head in re.findall(r"^(#+) ", text, re.MULTILINE)] for text in (ENGLISH, JAPANESE)
    )
    links = [set(re.findall(r"\]\(([^)]+)\)", text)) - {"README.md", "README.ja.md"} for text in (ENGLISH, JAPANESE)]

    assert english == japanese
    assert links[0] == links[1]


def test_limitations_stand_before_the_installation() -> None:
    assert ENGLISH.index("## Limitations") < ENGLISH.index("## Install")
    assert JAPANESE.index("## 制限事項") < JAPANESE.index("## 導入")


def test_every_command_of_the_pages_exists() -> None:
    from chukan.command.root import GROUPS  # noqa: PLC0415  # reads every group

    pages = [ENGLISH, JAPANESE, *(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md"))]
    named = {name for page in pages for name in re.findall(r"(?:`|^|/)chukan ([a-z]+)", page, re.MULTILINE)}
    targets = {name for page in pages for name in re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", page, re.MULTILINE)}
    makefile = (ROOT / "Makefile").read_text("utf-8")

    assert named <= set(GROUPS)
    assert all(re.search(rf"^{a or b}:", makefile, re.MULTILINE) for a, b in targets)
