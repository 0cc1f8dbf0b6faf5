# SPDX-License-Identifier: Apache-2.0
"""Comparing exchange records with the network's: asked for until it is known, and shown to people."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chukan.command.language import Text
from chukan.command.messages import spoken, state
from chukan.command.record_view import SIDES
from chukan.command.session import plain
from chukan.v1 import exchange_record_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.timestamp_pb2 import Timestamp

    from chukan.client import Client
    from chukan.command.session import Session

__all__ = [
    "Comparison",
    "all_known_agree",
    "disagreeing",
    "reconciled",
    "reconciliation_document",
    "show_reconciliation",
]

_RECONCILIATION: Final = "RECONCILIATION_STATE_"
_AGREED: Final = frozenset({pb.RECONCILIATION_STATE_AGREES, pb.RECONCILIATION_STATE_PENDING})
_PAGE: Final = 1000
_POLL_SECONDS: Final = 0.2


class Comparison(NamedTuple):
    """What was found, the token to go on from, and when the network's list was last read to its end."""

    found: list[pb.Reconciliation]
    resume_token: str = ""
    listed: Timestamp | None = None


def reconciled(client: Client, exchanges: Sequence[str], *, token: str = "", wait: float = 0) -> Comparison:
    """Compare the named exchanges, or all that came or changed since a token.

    The network's records are fetched behind the scenes: what is UNKNOWN, and its list, are asked for again for `wait`
    seconds.
    """
    until = time.monotonic() + wait
    comparison = first = _reconciled(client, exchanges, token)
    while _unknown(comparison, first, named=bool(exchanges)) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        comparison = _reconciled(client, exchanges, token)
    return comparison


def _unknown(comparison: Comparison, first: Comparison, *, named: bool) -> bool:
    """Whether something is not known yet: a state, or, without names, a list read since the first asking."""
    if any(each.state == pb.RECONCILIATION_STATE_UNKNOWN for each in comparison.found):
        return True
    return not named and comparison.listed == first.listed


def _reconciled(client: Client, exchanges: Sequence[str], token: str) -> Comparison:
    found: list[pb.Reconciliation] = []
    call = client.exchange_records.ReconcileExchangeRecords
    for first in range(0, len(exchanges), _PAGE):
        found += call(pb.ReconcileExchangeRecordsRequest(exchange_ids=exchanges[first : first + _PAGE])).reconciliations
    if exchanges:
        return Comparison(found)
    while True:
        response = call(pb.ReconcileExchangeRecordsRequest(resume_token=token))
        found += response.reconciliations
        token = response.resume_token
        if not response.more:
            return Comparison(
                found, token, response.network_list_time if response.HasField("network_list_time") else None
            )


def disagreeing(found: Iterable[pb.Reconciliation]) -> list[pb.Reconciliation]:
    """Return those that are neither equal nor unfinished."""
    return [each for each in found if each.state not in _AGREED]


def all_known_agree(comparison: Comparison) -> bool:
    """Whether nothing disagrees and the network's list was read: else nobody knows what is missing here."""
    read = comparison.listed is not None or not comparison.resume_token
    return read and not disagreeing(comparison.found)


def reconciliation_document(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison for machines."""
    found = comparison.found
    document: dict[str, Any] = {"counts": _counts(found), "disagreeing": [plain(each) for each in disagreeing(found)]}
    if comparison.resume_token:
        document["resume_token"] = comparison.resume_token
        document["network_list_time"] = comparison.listed.ToJsonString() if comparison.listed else None
    return document


def show_reconciliation(session: Session, comparison: Comparison) -> None:
    """Show how many agree, and each that doesn't."""
    found = comparison.found
    session.table(
        [Text("state", "状態"), Text("exchanges", "件数")],
        ((spoken(name, session.language), count) for name, count in _counts(found).items()),
    )
    wrong = disagreeing(found)
    if wrong:
        session.table(
            [Text("exchange", "交換ID"), Text("side", "区分"), Text("state", "状態"), Text("differs in", "相違項目")],
            (
                (
                    each.exchange_id,
                    _side_word(session, each),
                    spoken(_name(each), session.language),
                    " ".join(each.differing_fields),
                )
                for each in wrong
            ),
        )
    if comparison.resume_token:
        session.remark(
            f"what comes later: --resume-token {comparison.resume_token}",
            f"以後の分: --resume-token {comparison.resume_token}",
        )
        if comparison.listed is None:
            session.remark(
                "the network's list was not read: what is missing here is not known",
                "ネットワークの一覧を取得できていないため、当方に欠けている記録は不明です。",
            )


def _side_word(session: Session, each: pb.Reconciliation) -> str:
    return SIDES[each.side].word(session.language) if each.side in SIDES else ""


def _counts(found: Iterable[pb.Reconciliation]) -> dict[str, int]:
    return dict(Counter(_name(each) for each in found).most_common())


def _name(each: pb.Reconciliation) -> str:
    return state(pb.ReconciliationState, each.state, _RECONCILIATION)
