# SPDX-License-Identifier: Apache-2.0
"""Exchange records, shown to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from chukan.command.language import Text
from chukan.command.messages import named, spoken, state, when
from chukan.command.session import plain
from chukan.network.v1 import network_service_pb2 as network_pb
from chukan.v1 import common_pb2
from chukan.v1 import exchange_record_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from chukan.client import Client
    from chukan.command.session import Session

__all__ = [
    "SIDES",
    "more",
    "network_records",
    "outcome_named",
    "outcome_of",
    "plain_records",
    "show_list",
    "show_side_by_side",
    "side_named",
]

_OUTCOME: Final = "EXCHANGE_OUTCOME_"
_SIDE: Final = "RECORD_SIDE_"
_PAGE: Final = 1000
SIDES: Final = {
    pb.RECORD_SIDE_INQUIRER: Text("inquirer", "情報照会者"),
    pb.RECORD_SIDE_NETWORK: Text("network", "ネットワーク"),
    pb.RECORD_SIDE_PROVIDER: Text("provider", "情報提供者"),
}


def side_named(text: str) -> pb.RecordSide.ValueType:
    """Return the side; both is unspecified."""
    return pb.RECORD_SIDE_UNSPECIFIED if text == "both" else pb.RecordSide.Value(_SIDE + text.upper())


def outcome_named(text: str) -> common_pb2.ExchangeOutcome.ValueType:
    """Return the outcome with this name, prefix or not."""
    names = common_pb2.ExchangeOutcome.keys()[1:]
    name = _OUTCOME + text.upper().removeprefix(_OUTCOME)
    if name not in names:
        message = f"got {text}, expected one of {', '.join(each.removeprefix(_OUTCOME) for each in names)}"
        raise typer.BadParameter(message, param_hint="--outcome")
    return common_pb2.ExchangeOutcome.Value(name)


def outcome_of(record: pb.ExchangeRecord) -> str:
    """Return a record's outcome in a word."""
    return state(common_pb2.ExchangeOutcome, record.outcome, _OUTCOME)


def more(session: Session, token: str) -> None:
    """Say how to go on."""
    if token:
        session.remark(f"more: --page-token {token}", f"続きあり: --page-token {token}")


def network_records(client: Client, exchanges: Sequence[str]) -> list[pb.ExchangeRecord]:
    """Read the network's records of exchanges the caller took part in."""
    request = network_pb.ListNetworkRecordsRequest(exchange_ids=exchanges, page_size=_PAGE)
    return [each.record for each in client.network.ListNetworkRecords(request).records]


def plain_records(records: Iterable[pb.ExchangeRecord]) -> list[dict[str, Any]]:
    """Return records as JSON has them."""
    return [plain(each) for each in records]


def show_list(session: Session, records: Iterable[pb.ExchangeRecord]) -> None:
    """Show records, a row each."""
    session.table(
        [
            Text("exchange", "交換ID"),
            Text("side", "区分"),
            Text("inquirer", "照会者"),
            Text("provider", "提供者"),
            Text("information", "特定個人情報名"),
            Text("outcome", "結果"),
            Text("reason", "理由"),
            Text("asked", "照会日時"),
            Text("undisclosable", "不開示"),
        ],
        (
            (
                each.exchange_id,
                SIDES[each.side].word(session.language),
                named(each.inquirer_code),
                named(each.provider_code),
                each.information_code,
                spoken(outcome_of(each), session.language),
                each.reason,
                when(each.inquiry_time),
                "*" if each.undisclosable else "",
            )
            for each in records
        ),
    )


_LINES: Final[tuple[tuple[Text, Callable[[pb.ExchangeRecord], str]], ...]] = (
    (Text("exchange", "交換ID"), lambda each: each.exchange_id[:16] + "…"),
    (Text("inquirer", "情報照会者"), lambda each: named(each.inquirer_code)),
    (Text("provider", "情報提供者"), lambda each: named(each.provider_code)),
    (Text("affair", "事務"), lambda each: each.affair_code),
    (Text("procedure", "事務手続"), lambda each: each.procedure_code),
    (Text("information", "特定個人情報名"), lambda each: each.information_code),
    (Text("addressee", "団体内統合宛名番号"), lambda each: each.integrated_address_number or "—"),
    (Text("asked", "照会日時"), lambda each: when(each.inquiry_time)),
    (Text("provided", "提供日時"), lambda each: when(each.provision_time)),
    (Text("outcome", "結果"), outcome_of),
    (Text("reason", "理由"), lambda each: each.reason),
    (Text("items", "項目数"), lambda each: str(len(each.item_codes)) if each.item_codes else "—"),
    (Text("undisclosable", "不開示"), lambda each: "*" if each.undisclosable else ""),
    (Text("legal basis", "根拠"), lambda each: each.legal_basis),
    (Text("permit", "提供許可証"), lambda each: each.permit_digest[:16]),
)


def show_side_by_side(session: Session, records: Sequence[pb.ExchangeRecord]) -> None:
    """Show what each side wrote about one exchange."""
    session.table(
        [Text("", ""), *(SIDES[each.side] for each in records)],
        (
            (label.word(session.language), *(spoken(read(each), session.language) for each in records))
            for label, read in _LINES
        ),
    )
