# SPDX-License-Identifier: Apache-2.0
"""One run from beginning to end: is it a server that speaks the contract, then case after case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.conformance.calls import call, channels
from chukan.conformance.contract import find_method
from chukan.conformance.problem import NOT_REACHABLE, UNUSABLE, KitError
from chukan.conformance.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chukan.conformance.calls import Channels
    from chukan.conformance.catalogue import Entry
    from chukan.conformance.profile import Profile
    from chukan.conformance.results import Known, Result, Run

__all__ = ["check_target", "judge"]

_SECONDS = 10.0


def judge(
    run: Run,
    entries: Sequence[Entry],
    profile: Profile,
    *,
    name: str,
    known: Mapping[str, Known],
    tell: Callable[[Result], None],
) -> Run:
    """Run the cases and add their results to the run; a target that goes away in between is no verdict.

    name: digits no other run at this target had.
    """
    with channels(run.target, profile) as opened:
        check_target(opened, profile, run.target)
        runner = Runner(opened, profile, name, known)
        for entry in entries:
            result = runner.judge(entry)
            run.results.append(result)
            if any("got UNAVAILABLE" in fault for fault in result.faults):
                check_target(opened, profile, run.target)
            tell(result)
    return run


def check_target(opened: Channels, profile: Profile, target: str) -> None:
    """Refuse to judge what is no server of this contract, or one that does not know the profile's organizations."""
    method = find_method("GetMasterVersion", "chukan.v1.SecurityService")
    for role, code in profile.organizations.items():
        metadata = [("chukan-organization", code), ("chukan-mode", profile.mode)]
        answer = call(opened.of(role), method, [method.request()()], metadata=metadata, seconds=_SECONDS)
        if answer.status == "OK":
            continue
        reason = answer.error.get("reason", "")
        if answer.status in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
            raise KitError(
                f"{target} takes connections and answers {answer.status} {reason}".rstrip(),
                f"{target} は接続できますが {answer.status} {reason} を返します",
                code=NOT_REACHABLE,
            )
        if not reason or answer.status == "UNIMPLEMENTED":
            raise KitError(
                f"what answers at {target} does not speak the contract (SecurityService/GetMasterVersion: "
                f"{answer.status}): is it another service, or the control port?",
                f"{target} はこの契約のサーバーではありません({answer.status})。"
                "別のサービスか、制御用ポートではありませんか",
                code=UNUSABLE,
            )
        raise KitError(
            f"the target refuses the profile's {role} {code}: {answer.status} {reason}; "
            "is the profile another server's?",
            f"対象がプロファイルの {role} {code} を拒否します: {answer.status} {reason}。"
            "別のサーバーのプロファイルではありませんか",
            code=UNUSABLE,
        )
