# SPDX-License-Identifier: Apache-2.0
"""How a failure is told: what happened, where, what to do, the reason's code; and which exit code follows.

Exit codes: 0 done, 1 refused or failed, 2 the command was not understood, 3 the server can't be reached, 130 Ctrl-C.
"""

from __future__ import annotations

import errno
import json
import sys
from typing import TYPE_CHECKING, Any, Final

from chukan.command.language import Language, Text

if TYPE_CHECKING:
    from chukan.standard.reasons import ChukanError

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
_NO_SUCH_METHOD: Final = "UNIMPLEMENTED"
"""The bare status: what answers is no server of ours."""
_START: Final = Text(
    "start a server (`chukan serve --data DIR`), or give its --target; one that speaks TLS wants --tls; "
    "`chukan doctor` looks further",
    "サーバーを起動する(chukan serve --data DIR)か、--target を指定してください。TLS のサーバーには --tls が必要です。"
    "chukan doctor で原因を調べられます。",
)
_OTHER_PORT: Final = Text(
    "what answers there has no such service: it may be a control port (the services are at serve's --listen, 50051), "
    "or network and middle servers run apart: the network is then named by --network-target",
    "接続先にこのサービスがありません。制御用ポートではありませんか(サービスのポートは serve の --listen、既定 50051)。"
    "ネットワークを別に動かしている場合は --network-target で指定してください。",
)

_CAUSES: Final = {
    errno.EACCES: Text("no right to", "権限がありません"),
    errno.EPERM: Text("no right to", "権限がありません"),
    errno.EROFS: Text("it can only be read", "読取り専用です"),
    errno.ENOSPC: Text("no room left", "空き容量がありません"),
    errno.ENOENT: Text("no such file or folder", "ファイルまたはフォルダーがありません"),
    errno.EEXIST: Text("a file stands where a folder is needed", "フォルダーではなくファイルがあります"),
    errno.ENOTDIR: Text("a file stands where a folder is needed", "フォルダーではなくファイルがあります"),
    errno.EISDIR: Text("a folder stands where a file is needed", "ファイルではなくフォルダーがあります"),
    errno.EADDRINUSE: Text("something listens there already", "既に使用されています"),
    errno.EADDRNOTAVAIL: Text("this machine has no such address", "この端末のアドレスではありません"),
}
"""What the system's commonest refusals mean."""


def exit_code(error: ChukanError) -> int:
    """Return the process's exit code for a refusal."""
    return UNREACHABLE if error.reason.status in _AWAY else FAILED


def sentences(error: ChukanError, language: Language) -> list[str]:
    """Return the failure as lines: what happened, where, what to do, the reason's code."""
    reason = error.reason
    happened = Text(reason.english, reason.japanese)
    todo = _todo(error)
    lines = [f"{_HAPPENED.word(language)}: {line}" for line in happened.lines(language)]
    lines += [f"  {_WHERE.word(language)}: {place}" for place in _places(error, language)]
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


def _todo(error: ChukanError) -> Text:
    reason = error.reason
    if error.code == _NOBODY_THERE and "target" in error.params:
        return _START
    if error.code == "FEATURE_NOT_AVAILABLE" and (
        error.params.get("status") == _NO_SUCH_METHOD or error.feature.startswith("/")
    ):
        return _OTHER_PORT
    return Text(reason.action_english, reason.action_japanese)


def _places(error: ChukanError, language: Language) -> list[str]:
    places = [error.field] if error.field else []
    places += [f"{path}: {rule}" for path, rule in error.violations]
    places += [f"{name} = {_value(name, value, language)}" for name, value in error.params.items()]
    return places + ([error.feature] if error.feature else [])


def _value(name: str, value: str, language: Language) -> str:
    """Return a parameter's value; a cause of the operating system in words."""
    known = _CAUSES.get(getattr(errno, value, 0)) if name == "cause" and value.isupper() else None
    return f"{known.word(language)} ({value})" if known else value
