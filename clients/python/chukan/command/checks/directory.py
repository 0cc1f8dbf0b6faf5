# SPDX-License-Identifier: Apache-2.0
"""The data directory: rights, room, whether a server holds it, and that keys are for their owner only."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from typing import TYPE_CHECKING, Final

from chukan.command.checks.finding import Finding, ok, problem, warning
from chukan.command.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["in_use", "look_at_directory", "loose_keys"]

_DATABASES: Final = ("middle.db", "address.db")
_MEGABYTE: Final = 1024 * 1024
_TOO_FEW: Final = 100 * _MEGABYTE
_FEW: Final = 2048 * _MEGABYTE
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_KEYS: Final = ("*.key", "*.token")


def look_at_directory(data: Path) -> Iterator[Finding]:
    """Yield what is found about the directory given with --data."""
    if not data.exists():
        yield _missing(data)
        return
    if not data.is_dir() or not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield problem(
            "data",
            Text(f"{data} can't be written to", f"{data} に書き込めません"),
            Text("give the directory to the user that runs the server", "サーバーの実行ユーザーに権限を与えてください"),
        )
        return
    yield _rights(data)
    yield _room(data)
    yield _use(data)
    yield from _keys(data)


def _missing(data: Path) -> Finding:
    parent = next((each for each in data.absolute().parents if each.exists()), None)
    if parent is not None and os.access(parent, os.W_OK | os.X_OK):
        return ok("data", f"{data} is not there yet; serve makes it", f"{data} はまだありません(serve が作成します)")
    return problem(
        "data",
        Text(f"{data} is not there and can't be made", f"{data} がなく、作成もできません"),
        Text("make it, or give another --data", "作成するか、別の --data を指定してください"),
    )


def _rights(data: Path) -> Finding:
    if sys.platform != "win32" and data.stat().st_mode & _OTHERS:
        return warning(
            "data",
            Text(f"others on this machine can look into {data}", f"{data} を他のユーザーが参照できます"),
            Text(f"chmod 700 {data}", f"chmod 700 {data}"),
        )
    return ok("data", f"{data} is for its owner only", f"{data} は所有者だけが参照できます")


def _room(data: Path) -> Finding:
    free = shutil.disk_usage(data).free
    text = f"{free // _MEGABYTE:,} MB"
    todo = Text("make room, or move the data directory", "空きを増やすか、データ用ディレクトリを移してください")
    if free < _TOO_FEW:
        return problem("disk", Text(f"only {text} are free", f"空きが {text} しかありません"), todo)
    if free < _FEW:
        return warning("disk", Text(f"{text} are free", f"空きは {text} です"), todo)
    return ok("disk", f"{text} are free", f"空きは {text} です")


def _use(data: Path) -> Finding:
    held = [name for name in _DATABASES if in_use(data / name)]
    if held:
        return ok("use", f"a server is running on it ({', '.join(held)})", f"サーバーが使用中です({', '.join(held)})")
    made = [name for name in _DATABASES if (data / name).exists()]
    if made:
        return ok("use", "no server is running on it", "使用中のサーバーはありません")
    return ok("use", "there are no databases yet", "データベースはまだありません")


def in_use(database: Path) -> bool:
    """Whether a process holds the lock beside a database; nothing is changed."""
    lock = database.with_name(database.name + ".lock")
    if sys.platform == "win32" or not lock.exists():
        return False
    import fcntl

    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _keys(data: Path) -> Iterator[Finding]:
    found = loose_keys(data)
    if found:
        names = ", ".join(str(path.relative_to(data)) for path in found[:5])
        yield problem(
            "keys",
            Text(f"others can read keys: {names}", f"他のユーザーが鍵を読めます: {names}"),
            Text(
                "chmod 600 these files, and replace the keys if they may have been read",
                "chmod 600 とし、必要なら鍵を交換してください",
            ),
        )
    elif any(data.rglob("*.key")):
        yield ok("keys", "keys are for their owner only", "鍵は所有者だけが読めます")


def loose_keys(folder: Path) -> list[Path]:
    """Return the key files that others than their owner may read."""
    if sys.platform == "win32":
        return []
    paths = [path for pattern in _KEYS for path in folder.rglob(pattern)]
    return sorted(path for path in paths if path.stat().st_mode & _OTHERS)
