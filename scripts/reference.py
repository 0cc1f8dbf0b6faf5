# SPDX-License-Identifier: Apache-2.0
"""Generates docs/reference from code, data and protos (or into the folder given).

`make generate` runs it; `make check-generated` compares. A page is never edited: change what it is made from.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generate import replace
from reference_command import command_line, configuration
from reference_contract import rpcs
from reference_data import layouts, organizations, permission_list, reasons, rules
from reference_digest import digest_page
from reference_files import inquiry_files
from reference_mappings import mappings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT: Final = Path(__file__).resolve().parent.parent
REFERENCE: Final = ROOT / "docs" / "reference"

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "command_line.md": command_line,
    "configuration.md": configuration,
    "inquiry_files.md": inquiry_files,
    "layouts.md": layouts,
    "mappings.md": mappings,
    "organizations.md": organizations,
    "permission_list.md": permission_list,
    "reasons.md": reasons,
    "replica_digest.md": digest_page,
    "rpcs.md": rpcs,
    "rules.md": rules,
}


def pages() -> dict[str, bytes]:
    """Return every page's bytes by file name."""
    return {name: make().encode() for name, make in PAGES.items()}


if __name__ == "__main__":
    replace(Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE, pages())
