# SPDX-License-Identifier: Apache-2.0
"""Generates the Python code of protos/ into protos/gen (or into the folder given).

`make generate` runs it; `make check-generated` runs it into a temporary folder
and compares. The tools are pinned in pyproject.toml (grpcio-tools, mypy-protobuf).
Files that come out as they are stay untouched, so a running test or server never
misses one.
"""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GENERATED = PROTOS / "gen"


def generate(out: Path) -> int:
    """Generate messages, services and type stubs into the empty folder `out`; return protoc's code."""
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))  # its plug-ins
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    services = [name for name in sources if name.endswith("_service.proto")]
    include = [f"-I{PROTOS}", f"-I{files('grpc_tools') / '_proto'}"]
    code = protoc.main(["protoc", *include, f"--python_out={out}", f"--mypy_out=quiet:{out}", *sources])
    if code == 0:
        code = protoc.main(["protoc", *include, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", *services])
    return int(code)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a folder by relative path, compiled Python left out."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def replace(folder: Path, wanted: dict[str, bytes]) -> None:
    """Make the folder hold exactly these files; what is equal stays as it is."""
    present = contents(folder)
    for name in present.keys() - wanted.keys():
        (folder / name).unlink()
    for name, content in wanted.items():
        if present.get(name) != content:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def main(out: Path) -> int:
    """Generate into `out`, replacing what differs."""
    with TemporaryDirectory() as temporary:
        made = Path(temporary)
        code = generate(made)
        if code == 0:
            replace(out, contents(made))
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else GENERATED))
