# SPDX-License-Identifier: Apache-2.0
"""Whose the files are: dummy people come with a manifest that says so; of real extracts nothing is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from chukan.adapter.sync.report import Remark
from chukan.standard.organizations import by_municipality
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

    from chukan.adapter.sync.options import LoadOptions

__all__ = ["foreign_files"]

_MANIFEST: Final = "manifest.json"


def foreign_files(options: LoadOptions) -> list[Remark]:
    """Return a remark per folder whose manifest names another municipality than the organization that loads."""
    given = [*options.people, *([] if options.extracts is None else [options.extracts])]
    folders = dict.fromkeys(
        folder for path in given for folder in ((path, path.parent) if path.is_dir() else (path.parent,))
    )
    return [remark for folder in folders if (remark := _remark(folder / _MANIFEST, options.organization)) is not None]


def _remark(manifest: Path, organization: str) -> Remark | None:
    try:
        municipality = json.loads(manifest.read_text("utf-8"))["municipality"]
        owner = by_municipality(str(municipality))
    except (OSError, ValueError, KeyError, TypeError, ChukanError):
        return None
    if owner.code == organization:
        return None
    return Remark(
        f"the files are of {owner.code} {owner.name}, taken for those of {organization} (says {manifest})",
        f"ファイルは {owner.code} {owner.name} のものですが、{organization} のものとして扱います（{manifest}）。",
    )
