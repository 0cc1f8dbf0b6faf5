# SPDX-License-Identifier: Apache-2.0
"""Scripts, styles and the icon, held in memory: they are given however busy the makers of pages are."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["static_file"]

_KINDS: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
_FILES: Final = {
    each.name: (each.read_bytes(), _KINDS[each.suffix])
    for each in (Path(__file__).parent / "static").iterdir()
    if each.suffix in _KINDS
}


async def static_file(request: Request) -> Response:
    """Answer with a file. Errors: HTTPException where there is none."""
    found = _FILES.get(request.path_params["name"])
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(found[0], media_type=found[1])
