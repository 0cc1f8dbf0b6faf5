# SPDX-License-Identifier: Apache-2.0
"""Generates the Python code of protos/ into protos/gen (or into the folder given).

`make generate` runs it; `make check-generated` runs it into a temporary folder
and compares. The tools are pinned in pyproject.toml (grpcio-tools, mypy-protobuf).
"""

from __future__ import annotations

import shutil
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"


def generate(out: Path) -> int:
    """Generate messages, services and type stubs into `out`, emptied first; return protoc's code."""
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    services = [name for name in sources if name.endswith("_service.proto")]
    include = [f"-I{PROTOS}", f"-I{files('grpc_tools') / '_proto'}"]
    code = protoc.main(["protoc", *include, f"--python_out={out}", f"--mypy_out=quiet:{out}", *sources])
    if code == 0:
        code = protoc.main(["protoc", *include, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", *services])
    return int(code)


if __name__ == "__main__":
    sys.exit(generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PROTOS / "gen"))
