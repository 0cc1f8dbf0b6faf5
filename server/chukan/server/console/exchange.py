# SPDX-License-Identifier: Apache-2.0
"""One exchange with its three records (情報提供等記録), read from each side and compared field by field.

The reconciliation of the middle server (`chukan record reconcile`) also checks what each side signed; it has the
network asked, which is a piece of work, so this page only reads.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.network.v1 import network_service_pb2 as network_pb
from chukan.server.console.language import Text
from chukan.server.console.problem import Problem, problem_of, problem_of_reason
from chukan.server.console.words import (
    OUTCOMES,
    information_name,
    instant,
    instant_text,
    organization_name,
    short_id,
    short_number,
)
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import exchange_record_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chukan.server.console.callers import Callers

__all__ = ["SIDES", "Exchange", "Line", "Side", "exchange_of"]

SIDES: Final = {
    pb.RECORD_SIDE_INQUIRER: Text("inquirer", "情報照会者"),
    pb.RECORD_SIDE_NETWORK: Text("network", "ネットワーク"),
    pb.RECORD_SIDE_PROVIDER: Text("provider", "情報提供者"),
}
_Record = pb.ExchangeRecord
_ANSWERED: Final = frozenset({common_pb2.EXCHANGE_OUTCOME_PROVIDED, common_pb2.EXCHANGE_OUTCOME_NO_REPLICA})
_TWO: Final = 2
_NOT_HERE: Final = Text("not served by this server", "このサーバーにありません")
_NONE: Final = Text("no record", "記録なし")


class Side(NamedTuple):
    """What one side has written, or why it isn't known. absent: it answered that it has none."""

    text: Text
    who: str
    record: pb.ExchangeRecord | None
    problem: Problem | None = None
    note: Text | None = None
    committed: bool = False
    """At the network: whether it holds the provider's signed answer, so that the provider must have a record."""

    @property
    def absent(self) -> bool:
        """Whether the side said that it has no record."""
        return self.record is None and self.problem is None and self.note is _NONE


class Line(NamedTuple):
    """One field on every side. shared: all sides hold it; compared: two at least are there and must agree on it.

    differs: those that have a record do not.
    """

    label: Text
    values: Sequence[Text]
    compared: bool
    differs: bool
    shared: bool


class Exchange(NamedTuple):
    """The sides and the lines; verdict: a key of the pages' texts."""

    exchange_id: str
    sides: Sequence[Side]
    lines: Sequence[Line]
    verdict: str

    @property
    def compared(self) -> bool:
        """Whether there was more than one record to compare."""
        return sum(side.record is not None for side in self.sides) >= _TWO

    @property
    def final(self) -> bool:
        """Whether a further look would find the same: every record has its outcome, and no side failed for now."""
        records = [side.record for side in self.sides if side.record is not None]
        return not any(each.outcome == common_pb2.EXCHANGE_OUTCOME_PENDING for each in records) and not any(
            side.problem is not None and side.problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR for side in self.sides
        )

    @property
    def differing(self) -> list[Line]:
        """The lines in which the sides differ."""
        return [line for line in self.lines if line.differs]


def _same(text: str) -> Text:
    return Text(text, text)


def _organization(code: str) -> Text:
    return _same(f"{organization_name(code)} {code}" if code else "")


_COMPARED: Final[tuple[tuple[Text, str, Callable[[_Record], Text]], ...]] = (
    (Text("inquirer", "情報照会者"), "inquirer_code", lambda each: _organization(each.inquirer_code)),
    (Text("provider", "情報提供者"), "provider_code", lambda each: _organization(each.provider_code)),
    (Text("affair", "事務"), "affair_code", lambda each: _same(each.affair_code)),
    (Text("procedure", "事務手続"), "procedure_code", lambda each: _same(each.procedure_code)),
    (Text("information", "特定個人情報名"), "information_code", lambda each: _information(each.information_code)),
    (Text("asked (JST)", "照会日時"), "inquiry_time", lambda each: _time(each, "inquiry_time")),
    (Text("provided (JST)", "提供日時"), "provision_time", lambda each: _time(each, "provision_time")),
    (Text("outcome", "結果"), "outcome", lambda each: OUTCOMES.get(each.outcome, _same("?"))),
    (Text("permit", "提供許可証"), "permit_digest", lambda each: _same(short_id(each.permit_digest))),
)
"""The fields all sides hold and must agree on, as the middle server's reconciliation has them."""
_MARK: Final = (Text("nondisclosure", "不開示"), "undisclosable")
_OWN: Final[tuple[tuple[Text, Callable[[_Record], Text]], ...]] = (
    (Text("reason", "理由"), lambda each: _reason(each.reason)),
    (Text("legal basis", "根拠"), lambda each: _basis(each.legal_basis)),
    (Text("row of the permission list", "許可リストの行"), lambda each: _same(each.permission_row_id)),
    (
        Text("whom it concerns (own number)", "対象者(自団体の番号)"),
        lambda each: _same(short_number(each.integrated_address_number)),
    ),
    (Text("items provided", "提供項目数"), lambda each: _same(str(len(each.item_codes) or ""))),
    (Text("receipt number", "受付番号"), lambda each: _same(each.receipt_number)),
)


def _information(code: str) -> Text:
    name = information_name(code)
    return Text(f"{name.en} {code}", f"{name.ja} {code}") if name.en != code else name


def _basis(text: str) -> Text:
    return Text("unverified", "未確認") if text == "unverified" else _same(text)


def _reason(code: str) -> Text:
    if not code:
        return _same("")
    says = problem_of_reason(code).says
    return Text(f"{says.en} ({code})", f"{says.ja}({code})")


def _time(record: _Record, field: str) -> Text:
    return _same(instant_text(instant(getattr(record, field))))


def exchange_of(callers: Callers, organization: str, exchange_id: str) -> Exchange:
    """Read what each side wrote. Errors: those of GetExchangeRecord in the organization's own name."""
    client = callers.of(organization)
    request = pb.GetExchangeRecordRequest(exchange_id=exchange_id)
    own = client.exchange_records.GetExchangeRecord(request).record
    sides = [
        _member(callers, own, pb.RECORD_SIDE_INQUIRER, own.inquirer_code),
        _network(callers, organization, own.exchange_id),
        _member(callers, own, pb.RECORD_SIDE_PROVIDER, own.provider_code),
    ]
    lines = _lines([side.record for side in sides])
    return Exchange(own.exchange_id, sides, lines, _verdict(sides, lines))


def _member(callers: Callers, own: _Record, side: pb.RecordSide.ValueType, code: str) -> Side:
    text, who = SIDES[side], organization_name(code)
    if own.side == side:
        return Side(text, who, own)
    if code not in callers.organizations:
        return Side(text, who, None, note=_NOT_HERE)
    request = pb.GetExchangeRecordRequest(exchange_id=own.exchange_id, side=side)
    try:
        return Side(text, who, callers.of(code).exchange_records.GetExchangeRecord(request).record)
    except ChukanError as error:
        if error.code == "RECORD_UNKNOWN":
            return Side(text, who, None, note=_NONE)
        return Side(text, who, None, problem_of(error))


def _network(callers: Callers, organization: str, exchange_id: str) -> Side:
    text = SIDES[pb.RECORD_SIDE_NETWORK]
    request = network_pb.ListNetworkRecordsRequest(exchange_ids=[exchange_id])
    try:
        found = callers.of(organization).network.ListNetworkRecords(request).records
    except ChukanError as error:
        return Side(text, "", None, problem_of(error))
    if not found:
        return Side(text, "", None, note=_NONE)
    return Side(text, "", found[0].record, committed=found[0].provider_committed)


def _lines(records: Sequence[_Record | None]) -> list[Line]:
    held = [each for each in records if each is not None]

    def line(
        label: Text, show: Callable[[_Record], Text], key: Callable[[_Record], object] | None, *, shared: bool = True
    ) -> Line:
        values = [show(each) if each is not None else Text("", "") for each in records]
        if key is None or len(held) < _TWO:  # one record agrees with nobody
            return Line(label, values, compared=False, differs=False, shared=shared)
        differs = len({repr(key(each)) for each in held}) > 1
        return Line(label, values, compared=True, differs=differs, shared=shared)

    lines = [
        line(label, show, lambda each, field=field: getattr(each, field))  # type: ignore[misc]
        for label, field, show in _COMPARED
    ]
    answered = all(each.outcome in _ANSWERED for each in held)
    mark = Text("yes", "該当"), Text("no", "非該当")
    lines.append(
        line(
            _MARK[0],
            lambda each: mark[0] if each.undisclosable else mark[1],
            (lambda each: each.undisclosable) if answered else None,
        )
    )
    return lines + [line(label, show, None, shared=False) for label, show in _OWN]


def _verdict(sides: Sequence[Side], lines: Sequence[Line]) -> str:
    held = [side.record for side in sides if side.record is not None]
    pending = any(each.outcome == common_pb2.EXCHANGE_OUTCOME_PENDING for each in held)
    # 1. What differs is said whoever else could not be read.
    if any(line.differs for line in lines):
        return "records_pending" if pending else "records_differ"
    # 2. All three are there.
    if len(held) == len(sides):
        return "records_equal_so_far" if pending else "records_equal"
    # 3. Nothing is said about a record that could not be read.
    if any(not side.absent for side in sides if side.record is None):
        return "records_unknown"
    # 4. A record that must be there is not.
    if _missing(sides, held):
        return "records_missing"
    # 5. Not every side was reached, yet or at all.
    if pending:
        return "records_incomplete"
    return "records_ended_early" if len(held) > 1 else "records_single"


def _missing(sides: Sequence[Side], held: Sequence[_Record]) -> bool:
    """Whether a side without a record must have one: all of an answer, the network of a permit, the provider of its."""
    inquirer, network, provider = sides
    answered = any(each.outcome in _ANSWERED for each in held)
    permitted = any(each.permit_digest for each in held)
    return answered or inquirer.absent or (permitted and network.absent) or (network.committed and provider.absent)
