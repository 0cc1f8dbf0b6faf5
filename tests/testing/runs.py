# SPDX-License-Identifier: Apache-2.0
"""Runs pytest as somebody else does: in another process and folder, without our conftest, the plugin found."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def entry_points(folder: Path) -> Path:
    """Write what an installation of pyproject.toml registers, for environments installed before it said so."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    registered = project["entry-points"]["pytest11"]
    metadata = folder / "chukan_registered-0.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: chukan-registered\nVersion: 0\n", "utf-8")
    lines = [f"{name} = {place}" for name, place in registered.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]), "utf-8")
    return folder


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder and return what it printed; its own temporary files are in `base`, not in `tmp`."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CHUKAN_", "PYTEST_", "COLUMNS"))
    }
    environment |= {
        "PYTHONPATH": str(entry_points(folder / "registered")),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(temporary),
        "COLUMNS": "120",
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={folder / 'base'}", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )


def left_behind(folder: Path) -> list[str]:
    """Return what runs in a folder left in the directory for temporary files."""
    return sorted(str(path.relative_to(folder)) for path in (folder / "tmp").rglob("*"))
