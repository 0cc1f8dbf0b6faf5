# SPDX-License-Identifier: Apache-2.0
"""Steps 5 and 7: the three records of an exchange side by side, all exchanges compared, and what /metrics says."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.request import urlopen

from chukan.command import record_comparison, record_view
from chukan.v1 import common_pb2
from chukan.v1 import exchange_record_service_pb2 as pb

if TYPE_CHECKING:
    from chukan.client import Client
    from chukan.command.demo.body import Body
    from chukan.command.demo.verdict import Verdict
    from chukan.command.session import Session

__all__ = ["compare", "show_metrics"]

_STATE: Final = "RECONCILIATION_STATE_"
_AGREEING: Final = (
    "exchange_id",
    "inquirer_code",
    "provider_code",
    "affair_code",
    "procedure_code",
    "information_code",
    "outcome",
    "undisclosable",
    "permit_digest",
)
_SAMPLE: Final = re.compile(r"^(chukan_[a-z_]+|grpc_server_handled_total)(\{.*\})? ([0-9.e+]+)$", re.MULTILINE)
_SHOWN: Final = (
    "chukan_inquiries{",
    "chukan_replicas{",
    "chukan_replica_writes_total{",
    "chukan_oldest_unsent_seconds",
    "chukan_refusals_total",
)
_SECONDS: Final = 10.0
_RECONCILE_SECONDS: Final = 30.0


def compare(session: Session, verdict: Verdict, target: str, *, inquirer: Body, provider: Body, exchanges: int) -> None:
    """Show the three records of one exchange, then have both sides compare all of theirs with the network's."""
    from chukan.client import Client

    with Client(target, organization=inquirer.code) as asking, Client(target, organization=provider.code) as giving:
        _one(session, verdict, asking, giving)
        for client, body in ((asking, inquirer), (giving, provider)):
            found = record_comparison.reconciled(client, (), wait=_RECONCILE_SECONDS).found
            states = Counter(pb.ReconciliationState.Name(each.state) for each in found)
            verdict.equal(
                ", ".join(f"{count} {state.removeprefix(_STATE)}" for state, count in states.items()),
                f"{exchanges} AGREES",
                f"{body.name}: records compared with the network's",
                f"{body.name}: ネットワークの記録との突合",
            )


def _one(session: Session, verdict: Verdict, asking: Client, giving: Client) -> None:
    request = pb.ListExchangeRecordsRequest(
        side=pb.RECORD_SIDE_INQUIRER, outcomes=[common_pb2.EXCHANGE_OUTCOME_PROVIDED]
    )
    provided = asking.exchange_records.ListExchangeRecords(request).records
    if not verdict.check(bool(provided), "something was provided", "提供された記録があります"):
        return
    ours = provided[0]
    network = record_view.network_records(asking, [ours.exchange_id])
    theirs = giving.exchange_records.GetExchangeRecord(
        pb.GetExchangeRecordRequest(exchange_id=ours.exchange_id, side=pb.RECORD_SIDE_PROVIDER)
    ).record
    sides = [ours, *network, theirs]
    if not session.machine:
        record_view.show_side_by_side(session, sides)
    same = all(len({getattr(each, field) for each in sides}) == 1 for field in _AGREEING)
    verdict.check(len(sides) == 3 and same, "the three agree", "3者の記録は一致しています")  # noqa: PLR2004  # three
    verdict.check(
        not network[0].integrated_address_number and not network[0].item_codes,
        "the network's record names no person and no item",
        "ネットワークの記録には個人も項目もありません",
    )


def show_metrics(session: Session, verdict: Verdict, url: str, *, answered: int) -> None:
    """Show an excerpt of /metrics and check it against what was done."""
    with urlopen(url, timeout=_SECONDS) as response:  # noqa: S310  # our own child's address
        text = response.read().decode("utf-8")
    samples = {f"{match[1]}{match[2] or ''}": float(match[3]) for match in _SAMPLE.finditer(text)}
    for name, value in samples.items():
        if name.startswith(_SHOWN) and value:
            session.say(f"   {name} {value:,.0f}", f"   {name} {value:,.0f}")
    verdict.equal(
        int(samples.get('chukan_inquiries{state="answered"}', -1)), answered, "inquiries answered", "回答済みの照会"
    )
    failed = {name: value for name, value in samples.items() if 'grpc_code="Internal"' in name and value}
    verdict.check(not failed, "no call failed inside the server", "サーバー内部のエラーなし")
