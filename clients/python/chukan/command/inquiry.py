# SPDX-License-Identifier: Apache-2.0
"""`chukan inquiry`: ask another organization (情報照会), see where it stands, read the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from chukan.command.declare import command, group

if TYPE_CHECKING:
    from chukan.command.session import Session
    from chukan.v1.inquiry_service_pb2 import InquirySpec

__all__ = ["app"]

app = group("inquiry", "Ask another organization about a person (情報照会) and read the answer.")

_AFFAIR = "JM01000000121000"
_PROCEDURE = "JT01010000000214"
_INFORMATION = "TM00000000000002"

Receipt = Annotated[str, typer.Argument(metavar="RECEIPT", help="Receipt number (受付番号) or record id.")]
AffairCode = Annotated[str, typer.Option("--affair", metavar="JM...", help="Affair (事務コード).")]
ProcedureCode = Annotated[str, typer.Option("--procedure", metavar="JT...", help="Procedure (事務手続コード).")]
InformationCode = Annotated[str, typer.Option("--information", metavar="TM...", help="Information (特定個人情報名).")]
Provider = Annotated[
    str,
    typer.Option("--provider", metavar="CODE", help="Whom to ask: 16 digits, or a municipality's 5 or 6 digits."),
]


@command(
    app,
    calls=True,
    example=[
        "chukan inquiry create 000000000000123 --provider 131041 --organization 131121",
        (
            "chukan inquiry create 000000000000123 --provider 131041 --from 20260401 --to 20270331 --wait 30 "
            "--organization 13112"
        ),
    ],
)
def create(
    session: Session,
    *,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Integrated address number (団体内統合宛名番号).")],
    provider: Provider,
    affair: AffairCode = _AFFAIR,
    procedure: ProcedureCode = _PROCEDURE,
    information: InformationCode = _INFORMATION,
    start: Annotated[str, typer.Option("--from", metavar="YYYYMMDD", help="First day asked for.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="YYYYMMDD", help="Last day asked for.")] = "",
    record_id: Annotated[
        str,
        typer.Option(help="Record id (レコード識別番号); the same id again is the same inquiry. Default: a new one."),
    ] = "",
    consent: Annotated[bool, typer.Option("--consent", help="The person's consent is there.")] = False,
    wait: Annotated[float, typer.Option(metavar="SECONDS", help="Wait for the answer and show it.", min=0)] = 0,
) -> int:
    """Ask about one person (即時照会). Exit code 1 if it is refused.

    Without further options: this fiscal year's local tax (地方税関係情報), for a benefit.
    """
    from chukan.command.session import checked_date
    from chukan.standard.clock import SystemClock
    from chukan.standard.ids import SystemIds
    from chukan.standard.organizations import resolve_provider
    from chukan.v1 import inquiry_service_pb2 as pb

    spec = pb.InquirySpec(
        record_id=record_id or SystemIds(SystemClock()).next("inquiry"),
        integrated_address_number=number,
        nondisclosure_code="1",
        affair_code=affair,
        procedure_code=procedure,
        provider_code=resolve_provider(provider).code,
        information_code=information,
        condition_kind="0",
        year_kind="0",
        consent=consent,
    )
    spec.period.start_date = checked_date(start, "--from")
    spec.period.end_date = checked_date(end, "--to")
    return _create(session, spec, wait)


def _create(session: Session, spec: InquirySpec, wait: float) -> int:
    from chukan.command import inquiry_view as view
    from chukan.v1 import inquiry_service_pb2 as pb

    with session.client() as client:
        inquiry = client.inquiries.CreateInquiry(pb.CreateInquiryRequest(inquiry=spec)).inquiry
        if wait and inquiry.state not in view.FINISHED:
            inquiry = view.wait_until_finished(client, inquiry, wait)
        results = view.read_results(client, [inquiry.receipt_number]) if view.has_result(inquiry) else None
    view.show_inquiry(session, inquiry, results)
    return view.refused(inquiry)


@command(app, calls=True, example=["chukan inquiry show 20261124000000000001 --organization 131121"])
def show(session: Session, receipt: Receipt) -> None:
    """Show where an inquiry stands, without content."""
    from chukan.command import inquiry_view as view

    with session.client() as client:
        inquiry = view.find(client, receipt)
    view.show_inquiry(session, inquiry)


@command(
    app,
    calls=True,
    name="list",
    example=[
        "chukan inquiry list --organization 131121",
        "chukan inquiry list --state REFUSED --limit 20 --json --organization 131121",
    ],
)
def list_(
    session: Session,
    *,
    state: Annotated[
        list[str] | None, typer.Option(help="Only this state, e.g. REFUSED; may be given several times.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 100,
    page_token: Annotated[str, typer.Option(help="next_page_token of the page before.")] = "",
) -> None:
    """List inquiries in order of receipt, oldest first."""
    from chukan.command import inquiry_view as view
    from chukan.v1 import inquiry_service_pb2 as pb

    request = pb.ListInquiriesRequest(
        states=[view.state_named(each) for each in state or ()], page_size=limit, page_token=page_token
    )
    with session.client() as client:
        response = client.inquiries.ListInquiries(request)
    if session.json(response):
        return
    view.show_list(session, response.inquiries)
    if response.next_page_token:
        session.remark(
            f"more: --page-token {response.next_page_token}", f"続きあり: --page-token {response.next_page_token}"
        )


@command(
    app,
    calls=True,
    example=[
        "chukan inquiry watch --organization 131121",
        "chukan inquiry watch --from-now --finished --json --organization 131121",
    ],
)
def watch(
    session: Session,
    *,
    from_now: Annotated[bool, typer.Option("--from-now", help="Only what changes from now on.")] = False,
    finished: Annotated[bool, typer.Option("--finished", help="Only finished ones.")] = False,
    token: Annotated[str, typer.Option(help="Go on after this resume_token.")] = "",
) -> None:
    """Show inquiries as they change, until Ctrl-C. With --json: one document per line and batch."""
    from chukan.command import inquiry_view as view
    from chukan.v1 import inquiry_service_pb2 as pb

    request = pb.WatchInquiriesRequest(resume_token=token, from_now=from_now, finished_only=finished)
    with session.client() as client:
        for batch in client.inquiries.WatchInquiries(request):
            if not session.json(batch):
                view.show_changes(session, batch.inquiries)


@command(
    app,
    calls=True,
    example=[
        "chukan inquiry results 20261124000000000001 --organization 131121",
        "chukan inquiry results A B --acknowledge --json --organization 131121",
    ],
)
def results(
    session: Session,
    *,
    receipts: Annotated[list[str], typer.Argument(metavar="RECEIPT...", help="Receipt numbers or record ids.")],
    acknowledge: Annotated[
        bool, typer.Option("--acknowledge", help="Say that they were taken over; they may then be erased.")
    ] = False,
) -> int:
    """Read the content of answers (audited). A value of zero, nil with a reason and no replica are three things.

    Exit code 1 if one of them can't be had.
    """
    from chukan.command import inquiry_view as view
    from chukan.v1 import inquiry_service_pb2 as pb

    with session.client() as client:
        receipts = [view.receipt_number(client, each) for each in receipts]
        response = view.read_results(client, receipts)
        if acknowledge:
            client.inquiries.AcknowledgeResults(pb.AcknowledgeResultsRequest(receipt_numbers=receipts))
    if not session.json(response):
        view.show_results(session, response)
    return 1 if response.unavailable else 0


@command(app, calls=True, example=["chukan inquiry cancel 20261124000000000001 --organization 131121"])
def cancel(session: Session, receipt: Receipt) -> None:
    """Cancel an inquiry that has not been answered."""
    from chukan.command import inquiry_view as view
    from chukan.v1 import inquiry_service_pb2 as pb

    with session.client() as client:
        inquiry = client.inquiries.CancelInquiry(
            pb.CancelInquiryRequest(receipt_number=view.receipt_number(client, receipt))
        ).inquiry
    view.show_inquiry(session, inquiry)


@command(
    app,
    calls=True,
    example=[
        "chukan inquiry check --provider 131041 --organization 131121",
        "chukan inquiry check --provider 131041 --procedure JT01010000000001 --lang both --organization 131121",
        "chukan inquiry check --provider 131041 --on 20240501 --organization 131121",
    ],
)
def check(
    session: Session,
    *,
    provider: Provider,
    affair: AffairCode = _AFFAIR,
    procedure: ProcedureCode = _PROCEDURE,
    information: InformationCode = _INFORMATION,
    on: Annotated[str, typer.Option(metavar="YYYYMMDD", help="The day the list is read for; default today.")] = "",
) -> int:
    """Say whether an inquiry would be permitted, by which row of the list and which law; nothing is recorded.

    Exit code 1 if it would be refused, with the rule that fails.
    """
    from chukan.command import inquiry_view as view
    from chukan.command.session import checked_date
    from chukan.standard.organizations import resolve_provider
    from chukan.v1 import inquiry_service_pb2 as pb

    request = pb.CheckPermissionRequest(
        affair_code=affair,
        procedure_code=procedure,
        provider_code=resolve_provider(provider).code,
        information_code=information,
        date=checked_date(on, "--on"),
    )
    with session.client() as client:
        response = client.inquiries.CheckPermission(request)
    view.show_permission(session, request, response)
    return 0 if response.permitted else 1
