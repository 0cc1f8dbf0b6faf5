# SPDX-License-Identifier: Apache-2.0
"""`chukan address`: find people, convert numbers, decide mismatches (統合宛名システム)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from chukan.command.declare import command, group

if TYPE_CHECKING:
    from chukan.command.session import Session

__all__ = ["app"]

app = group("address", "Find people, convert their numbers, decide mismatches (統合宛名システム).")

Limit = Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)]
PageToken = Annotated[str, typer.Option(help="next_page_token of the page before.")]


class Decision(StrEnum):
    """What a person decides about a held registration."""

    LINK = "link"
    NEW_PERSON = "new-person"
    DISMISS = "dismiss"


@command(
    app,
    calls=True,
    example=[
        "chukan address find --name 山田太郎 --birth-date 19800101 --organization 131041",
        "chukan address find --name 山田 --residential-address 東京都新宿区 --partial --organization 131041",
    ],
)
def find(
    session: Session,
    *,
    name: Annotated[str, typer.Option(help="Name; with --partial any part of it.")] = "",
    birth_date: Annotated[str, typer.Option(metavar="YYYYMMDD", help="Birth date, unknown parts 00.")] = "",
    sex: Annotated[str, typer.Option(help="1 male, 2 female.")] = "",
    residential_address: Annotated[
        str, typer.Option(help="Residential address (住所); with --partial its beginning.")
    ] = "",
    partial: Annotated[bool, typer.Option("--partial", help="Search for parts.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=100)] = 20,
    page_token: PageToken = "",
) -> None:
    """Find candidates by 基本4情報, at least two of them; a person decides who it is. Audited."""
    from chukan.address.v1 import address_service_pb2 as pb
    from chukan.command import address_view as view
    from chukan.command.session import checked_date

    request = pb.FindPeopleRequest(
        name=name,
        birth_date=checked_date(birth_date, "--birth-date", partial=True),
        sex=sex,
        residential_address=residential_address,
        partial=partial,
        page_size=limit,
        page_token=page_token,
    )
    with session.client() as client:
        response = client.address.FindPeople(request)
    if not session.json(response):
        view.show_people(session, response.people)
        _more(session, response.next_page_token)


@command(app, calls=True, example=["chukan address show 000000000000123 --organization 131041"])
def show(
    session: Session,
    *,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Integrated address number (団体内統合宛名番号).")],
    individual_number: Annotated[
        bool, typer.Option("--individual-number", help="Show the individual number too (audited).")
    ] = False,
) -> None:
    """Show one person."""
    from chukan.address.v1 import address_service_pb2 as pb
    from chukan.command import address_view as view

    request = pb.GetPersonRequest(integrated_address_number=number, show_individual_number=individual_number)
    with session.client() as client:
        response = client.address.GetPerson(request)
    if not session.json(response):
        view.show_person(session, response.person)


@command(
    app,
    calls=True,
    example=[
        "chukan address convert 01::000000000000042 --organization 131041",
        "chukan address convert 02:010:000000000000042 01::000000000000043 --json --organization 131041",
        "chukan address convert --back 000000000000123 --organization 131041",
    ],
)
def convert(
    session: Session,
    *,
    numbers: Annotated[
        list[str],
        typer.Argument(
            metavar="NUMBER...",
            help="SYSTEM:BUSINESS:NUMBER (番号体系:業務ID:宛名番号), business id empty for the register; "
            "with --back integrated address numbers.",
        ),
    ],
    back: Annotated[bool, typer.Option("--back", help="From integrated address numbers to local ones.")] = False,
) -> int:
    """Convert local address numbers (宛名番号) to integrated ones, or back. Exit code 1 if one doesn't convert."""
    from chukan.address.v1 import address_service_pb2 as pb
    from chukan.command import address_view as view

    request = (
        pb.ConvertNumbersRequest(integrated_address_numbers=numbers)
        if back
        else pb.ConvertNumbersRequest(local_numbers=[view.local_number(each) for each in numbers])
    )
    with session.client() as client:
        response = client.address.ConvertNumbers(request)
    if not session.json(response):
        view.show_conversions(session, numbers, response.conversions)
    return 1 if any(each.reason for each in response.conversions) else 0


@command(app, calls=True, example=["chukan address unnumbered --organization 131041"])
def unnumbered(
    session: Session,
    *,
    look_up: Annotated[
        bool, typer.Option("--look-up", help="Ask the simulated 住基ネット about the first 100 of them.")
    ] = False,
    limit: Limit = 100,
    page_token: PageToken = "",
) -> None:
    """List people without an individual number (個人番号), and have them looked up.

    What a look-up finds is proposed under `mismatches`, never linked unseen.
    """
    from chukan.address.v1 import address_service_pb2 as pb
    from chukan.command import address_view as view

    with session.client() as client:
        accepted = client.address.LookUpUnnumbered(pb.LookUpUnnumberedRequest()).accepted_count if look_up else 0
        response = client.address.ListUnnumbered(pb.ListUnnumberedRequest(page_size=limit, page_token=page_token))
    if session.json(response):
        return
    view.show_people(session, response.people)
    if look_up:
        session.say(
            f"{accepted} look-ups accepted; see `chukan address mismatches`",
            f"{accepted}件の照会を受け付けました。結果は chukan address mismatches で確認してください。",
        )
    _more(session, response.next_page_token)


@command(
    app,
    calls=True,
    example=[
        "chukan address mismatches --organization 131041",
        "chukan address mismatches --all --organization 131041",
    ],
)
def mismatches(
    session: Session,
    *,
    resolved: Annotated[bool, typer.Option("--all", help="Resolved ones too.")] = False,
    limit: Limit = 100,
    page_token: PageToken = "",
) -> None:
    """List registrations held for a person to decide (不一致), oldest first."""
    from chukan.address.v1 import address_service_pb2 as pb
    from chukan.command import address_view as view

    request = pb.ListMismatchesRequest(include_resolved=resolved, page_size=limit, page_token=page_token)
    with session.client() as client:
        response = client.address.ListMismatches(request)
    if session.json(response):
        return
    view.show_mismatches(session, response.mismatches)
    _more(session, response.next_page_token)


@command(
    app,
    calls=True,
    example=[
        "chukan address resolve MISMATCH --decision link --number 000000000000123 --organization 131041",
        "chukan address resolve MISMATCH --decision new-person --organization 131041",
    ],
)
def resolve(
    session: Session,
    *,
    mismatch: Annotated[str, typer.Argument(metavar="MISMATCH", help="Id of the mismatch.")],
    decision: Annotated[Decision, typer.Option(help="link: it is the candidate; new-person: number it; dismiss.")],
    number: Annotated[str, typer.Option(help="The candidate's integrated address number, with link.")] = "",
) -> None:
    """Decide about a held registration; a machine never does."""
    from chukan.address.v1 import address_service_pb2 as pb
    from chukan.command import address_view as view

    if (decision is Decision.LINK) != bool(number):
        message = "--number is for --decision link, and needed there"
        raise typer.BadParameter(message)
    request = pb.ResolveMismatchRequest(
        mismatch_id=mismatch,
        decision=pb.MismatchDecision.Value(f"MISMATCH_DECISION_{decision.name}"),
        integrated_address_number=number,
    )
    with session.client() as client:
        response = client.address.ResolveMismatch(request)
    if session.json(response):
        return
    if response.HasField("person"):
        view.show_person(session, response.person)
    session.say(f"resolved: {decision.value}", f"解決しました: {decision.value}")


def _more(session: Session, token: str) -> None:
    if token:
        session.remark(f"more: --page-token {token}", f"続きあり: --page-token {token}")
