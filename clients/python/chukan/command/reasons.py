# SPDX-License-Identifier: Apache-2.0
"""`chukan reasons`: every error reason, in both languages, with what to do."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chukan.command.declare import command
from chukan.command.language import Text
from chukan.standard.reasons import Reason, all_reasons

if TYPE_CHECKING:
    from chukan.command.session import Session

__all__ = ["app"]

app = typer.Typer()


@command(
    app,
    example=["chukan reasons", "chukan reasons CODE_NOT_ACQUIRED --lang both", "chukan reasons --group permission"],
    name="reasons",
)
def show_reasons(
    session: Session,
    code: Annotated[str, typer.Argument(help="A reason code (or its beginning); without it all are listed.")] = "",
    group: Annotated[str, typer.Option(help="Only this group, e.g. permission.")] = "",
) -> int | None:
    """Explain a reason code (理由コード), or list them all."""
    found = [
        each for each in all_reasons() if each.code.startswith(code.upper()) and (not group or each.group == group)
    ]
    if not found:
        return _none(session, code, group)
    exact = [each for each in found if each.code == code.upper()]
    if session.json({"reasons": [_document(each) for each in exact or found]}):
        return None
    if len(exact or found) == 1:
        _explain(session, (exact or found)[0])
        return None
    session.table(
        [Text("code", "コード"), Text("status", "gRPC状態"), Text("what it says", "内容")],
        ((each.code, each.status, Text(each.english, each.japanese).word(session.language)) for each in found),
    )
    return None


def _none(session: Session, code: str, group: str) -> int:
    near = get_close_matches(code.upper(), [each.code for each in all_reasons()], n=3)
    groups = sorted({each.group for each in all_reasons()})
    if not session.json({"reasons": [], "near": near, "groups": groups}):
        asked = code or group
        hint = ", ".join(near or groups)
        session.remark(f"there is no reason {asked}; near: {hint}", f"理由 {asked} はありません。近いもの: {hint}")
    return 1


def _explain(session: Session, reason: Reason) -> None:
    session.fields(
        [
            (Text("reason", "理由コード"), reason.code),
            (Text("group", "分類"), reason.group),
            (Text("status", "gRPC状態"), reason.status),
        ]
    )
    session.say(f"  {reason.english}", f"  {reason.japanese}")
    session.say(f"  To do: {reason.action_english}", f"  対処: {reason.action_japanese}")


def _document(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "group": reason.group,
        "status": reason.status,
        "message": reason.english,
        "message_ja": reason.japanese,
        "action": reason.action_english,
        "action_ja": reason.action_japanese,
    }
