# SPDX-License-Identifier: Apache-2.0
"""What the operating system or SQLite refuses, as a reason: no room, or a file or folder that can't be used."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    import sqlite3

__all__ = ["storage_error"]

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BUSY: Final = frozenset({5, 6})
_DAMAGED: Final = frozenset({11, 26})
_NO_ROOM: Final = frozenset({13, 778, 4874})
"""SQLITE_FULL; SQLITE_IOERR_WRITE and _SHMSIZE: what a quota or the largest size of a file comes out as."""
_PRIMARY: Final = 0xFF


def storage_error(error: OSError | sqlite3.Error, *, place: str = "") -> ChukanError:
    """Return the refusal an error stands for. place: which file, where the error does not say.

    STORAGE_FULL, RUN_IN_PROGRESS (somebody else holds the database), CHECKPOINT_UNREADABLE (it is none), FILE_UNUSABLE.
    """
    if isinstance(error, OSError):
        cause = errno.errorcode.get(error.errno or 0, "") or str(error)
        params = {"file": os.fsdecode(error.filename or place), "cause": cause}
        code = "STORAGE_FULL" if error.errno in _FULL else "FILE_UNUSABLE"
        return ChukanError(code, params={name: text for name, text in params.items() if text})
    number = getattr(error, "sqlite_errorcode", 0)
    params = {"file": place} if place else {}
    if number in _NO_ROOM or number & _PRIMARY in _NO_ROOM:
        return ChukanError("STORAGE_FULL", params=params)
    if number & _PRIMARY in _BUSY:
        return ChukanError("RUN_IN_PROGRESS", params=params)
    if number & _PRIMARY in _DAMAGED:
        return ChukanError("CHECKPOINT_UNREADABLE", params=params)
    return ChukanError("FILE_UNUSABLE", params=params)
