# SPDX-License-Identifier: Apache-2.0
"""How a failure is told: what happened, where, what to do, the reason's code; and which exit code follows.

Exit codes: 0 done, 1 refused or failed, 2 the command was not understood, 3 the server can't be reached, 130 Ctrl-C.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from chukan.command.language import Language, Text

if TYPE_CHECKING:
    from chukan.standard.reasons import ChukanError, Reason

__all__ = ["FAILED", "INTERRUPTED", "UNREACHABLE", "USAGE", "as_json", "exit_code", "sentences", "tell"]

FAILED: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
INTERRUPTED: Final = 130
_AWAY: Final = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})

_HAPPENED: Final = Text("error", "エラー")
_WHERE: Final = Text("where", "箇所")
_TODO: Final = Text("to do", "対処")
_REASON: Final = Text("reason", "理由コード")

_NOBODY_THERE: Final = "PEER_UNREACHABLE"
_START: Final = Text(
    "start a server (`chukan serve --data DIR`), or give its --target; `chukan doctor` looks further",
    "サーバーを起動する(chukan serve --data DIR)か、--target を指定してください。chukan doctor で原因を調べられます。",
)


def exit_code(error: ChukanError) -> int:
    """Return the process's exit code for a refusal."""
    return UNREACHABLE if error.reason.status in _AWAY else FAILED


def sentences(error: ChukanError, language: Language) -> list[str]:
    """Return the failure as lines: what happened, where, what to do, the reason's code."""
    reason = error.reason
    happened = Text(reason.english, reason.japanese)
    todo = _START if error.code == _NOBODY_THERE and "target" in error.params else _todo(reason)
    lines = [f"{_HAPPENED.word(language)}: {line}" for line in happened.lines(language)]
    lines += [f"  {_WHERE.word(language)}: {place}" for place in _places(error)]
    lines += [f"  {_TODO.word(language)}: {line}" for line in todo.lines(language)]
    return [*lines, f"  {_REASON.word(language)}: {error.code}"]


def as_json(error: ChukanError) -> dict[str, Any]:
    """Return the failure for machines."""
    reason = error.reason
    return {
        "error": {
            "reason": error.code,
            "status": reason.call_status,
            "message": reason.english,
            "message_ja": reason.japanese,
            "action": reason.action_english,
            "action_ja": reason.action_japanese,
            "field": error.field,
            "violations": [{"field": path, "rule": rule} for path, rule in error.violations],
            "params": error.params,
            "feature": error.feature,
            "retry_after": error.retry_after,
        }
    }


def tell(error: ChukanError, *, language: Language, machine: bool = False) -> int:
    """Print the failure (for machines on stdout, for people on stderr) and return the exit code."""
    if machine:
        print(json.dumps(as_json(error), ensure_ascii=False))
    else:
        print("\n".join(sentences(error, language)), file=sys.stderr)
    return exit_code(error)


def _todo(reason: Reason) -> Text:
    return Text(reason.action_english, reason.action_japanese)


def _places(error: ChukanError) -> list[str]:
    places = [error.field] if error.field else []
    places += [f"{path}: {rule}" for path, rule in error.violations]
    places += [f"{name} = {value}" for name, value in error.params.items()]
    return places + ([error.feature] if error.feature else [])
