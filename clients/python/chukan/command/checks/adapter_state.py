# SPDX-License-Identifier: Apache-2.0
"""The state folder of the adapter: for its owner only, readable, in use or not, and rows that were not taken."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from chukan.command.checks.finding import Finding, ok, problem, warning
from chukan.command.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["look_at_adapter_state"]

_OTHERS = 0o077
_HEADER_LINES = 1


def look_at_adapter_state(folder: Path) -> Iterator[Finding]:
    """Yield what is found about a folder given with --state."""
    if not folder.is_dir():
        yield problem(
            "adapter state",
            Text(f"{folder} is not a folder", f"{folder} はフォルダーではありません"),
            Text(
                "give the state folder of `chukan adapter load`",
                "chukan adapter load の状態フォルダーを指定してください",
            ),
        )
        return
    if sys.platform != "win32" and folder.stat().st_mode & _OTHERS:
        yield warning(
            "adapter state",
            Text(f"others on this machine can look into {folder}", f"{folder} を他のユーザーが参照できます"),
            Text(f"chmod 700 {folder}", f"chmod 700 {folder}"),
        )
    memories = sorted(path for path in folder.rglob("*") if path.suffix in {".db", ".sqlite", ".sqlite3"})
    for path in memories:
        yield _memory(path)
    if not memories:
        yield ok("adapter state", "nothing was sent from here yet", "まだ何も送信していません")
    for path in sorted(folder.rglob("*dead*letter*.csv")):
        yield _dead_letters(path)


def _memory(path: Path) -> Finding:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0)) as connection:
            sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except sqlite3.OperationalError:
        return ok("adapter state", f"{path.name} is in use by a run", f"{path.name} は実行中の処理が使用しています")
    except sqlite3.DatabaseError:
        sound = False
    if sound:
        return ok("adapter state", f"{path.name} can be read", f"{path.name} は読めます")
    return problem(
        "adapter state",
        Text(f"{path.name} is damaged", f"{path.name} が壊れています"),
        Text(
            "move the folder away and load again: the server recognises what it has",
            "フォルダーを退避して再度 load を実行してください(登録済みのものは重複しません)",
        ),
    )


def _dead_letters(path: Path) -> Finding:
    with path.open("rb") as file:
        rows = sum(1 for _ in file) - _HEADER_LINES
    if rows <= 0:
        return ok("dead letters", f"every row was taken: {path}", f"すべての行が登録されました: {path}")
    return warning(
        "dead letters",
        Text(f"{rows:,} rows were not taken", f"{rows:,}行が登録されていません"),
        Text(f"correct them and load again: {path}", f"修正して再度 load を実行してください: {path}"),
    )
