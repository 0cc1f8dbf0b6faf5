# SPDX-License-Identifier: Apache-2.0
"""`chukan record`: exchange records (情報提供等記録), which inquirer, network and provider each keep."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from chukan.command.declare import command, group

if TYPE_CHECKING:
    from chukan.command.session import Session

__all__ = ["app"]

app = group("record", "Read and compare exchange records (情報提供等記録).")

Limit = Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)]
PageToken = Annotated[str, typer.Option(help="next_page_token of the page before.")]
Exchange = Annotated[str, typer.Argument(metavar="EXCHANGE", help="Id of the exchange, 64 hexadecimal characters.")]


class Side(StrEnum):
    """Which of the own records."""

    BOTH = "both"
    INQUIRER = "inquirer"
    PROVIDER = "provider"


@command(
    app,
    calls=True,
    name="list",
    example=[
        "chukan record list --organization 131041",
        "chukan record list --side provider --outcome REFUSED --json --organization 131041",
        "chukan record list --number 000000000000123 --organization 131041",
    ],
)
def list_(
    session: Session,
    *,
    side: Annotated[Side, typer.Option(help="As inquirer, as provider, or both.")] = Side.BOTH,
    number: Annotated[str, typer.Option(help="Only this addressee's (団体内統合宛名番号).")] = "",
    outcome: Annotated[
        list[str] | None, typer.Option(help="Only this outcome, e.g. REFUSED; may be given several times.")
    ] = None,
    limit: Limit = 100,
    page_token: PageToken = "",
) -> None:
    """List one's own records in order of writing, refusals included."""
    from chukan.command import record_view as view
    from chukan.v1 import exchange_record_service_pb2 as pb

    request = pb.ListExchangeRecordsRequest(
        side=view.side_named(side),
        integrated_address_number=number,
        outcomes=[view.outcome_named(each) for each in outcome or ()],
        page_size=limit,
        page_token=page_token,
    )
    with session.client() as client:
        response = client.exchange_records.ListExchangeRecords(request)
    if not session.json(response):
        view.show_list(session, response.records)
        view.more(session, response.next_page_token)


@command(app, calls=True, example=["chukan record show EXCHANGE --organization 131041"])
def show(
    session: Session,
    *,
    exchange: Exchange,
    side: Annotated[Side, typer.Option(help="Needed only where one was on both sides.")] = Side.BOTH,
    network: Annotated[bool, typer.Option("--network", help="Beside it, the network's record.")] = False,
) -> None:
    """Show one record, and with --network what the network holds about the same exchange."""
    from chukan.command import record_view as view
    from chukan.v1 import exchange_record_service_pb2 as pb

    with session.client() as client:
        request = pb.GetExchangeRecordRequest(exchange_id=exchange, side=view.side_named(side))
        records = [client.exchange_records.GetExchangeRecord(request).record]
        if network:
            records += view.network_records(client, [exchange])
    if not session.json({"records": view.plain_records(records)}):
        view.show_side_by_side(session, records)


@command(
    app,
    calls=True,
    example=[
        "chukan record reconcile --organization 131041",
        "chukan record reconcile EXCHANGE --json --organization 131041",
    ],
)
def reconcile(
    session: Session,
    *,
    exchanges: Annotated[
        list[str] | None, typer.Argument(metavar="[EXCHANGE]...", help="Only these; without any, all.")
    ] = None,
    resume_token: Annotated[
        str, typer.Option(metavar="TOKEN", help="Only what came or changed since the comparison that said this token.")
    ] = "",
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="How long to wait for the network's records.", min=0)
    ] = 10,
) -> int:
    """Compare one's own records with the network's (三者の記録の突合).

    Both ways: also what the network has and this side has not. Exit code 1 unless all that are finished agree and
    the network's list could be read. A side that can't be reached is UNKNOWN, never equal.
    """
    from chukan.command import record_comparison as view

    with session.client() as client:
        comparison = view.reconciled(client, exchanges or (), token=resume_token, wait=wait)
    if not session.json(view.reconciliation_document(comparison)):
        view.show_reconciliation(session, comparison)
    return 0 if view.all_known_agree(comparison) else 1


@command(
    app,
    calls=True,
    example=[
        "chukan record trace 000000000000123 --organization 131041",
        "chukan record trace 000000000000123 --information TM00000000000002 --json --organization 131041",
    ],
)
def trace(
    session: Session,
    *,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Integrated address number (団体内統合宛名番号).")],
    information: Annotated[str, typer.Option(metavar="TM...", help="Only this information.")] = "",
    limit: Limit = 100,
    page_token: PageToken = "",
) -> None:
    """Say who received a person's information from here: after a wrong link this is whom to tell."""
    from chukan.command import record_view as view
    from chukan.v1 import exchange_record_service_pb2 as pb

    request = pb.TraceProvisionRequest(
        integrated_address_number=number, information_code=information, page_size=limit, page_token=page_token
    )
    with session.client() as client:
        response = client.exchange_records.TraceProvision(request)
    if not session.json(response):
        view.show_list(session, response.records)
        view.more(session, response.next_page_token)
