# SPDX-License-Identifier: Apache-2.0
"""Where buf is: on the PATH or, pinned, from tools/package.json through npm."""

from __future__ import annotations

import shutil
import subprocess
from typing import Final

from generate import ROOT

__all__ = ["find_buf"]

_TOOLS: Final = ROOT / "tools"
_INSTALLED: Final = _TOOLS / "node_modules" / ".bin" / "buf"


def find_buf() -> tuple[str | None, str]:
    """Return the path of buf, or why there is none."""
    found = shutil.which("buf")
    if found:
        return found, ""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return None, "neither buf nor node with npm is installed"
    if not _INSTALLED.exists():
        install = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        run = subprocess.run(install, cwd=_TOOLS, capture_output=True, text=True, check=False)
        if run.returncode:
            return None, "npm could not install tools/package.json"
    return str(_INSTALLED), ""
