# SPDX-License-Identifier: Apache-2.0
"""`chukan adapter`: load what business systems write, ask by inquiry files, see what is open."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path  # Typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from chukan.command.declare import command, group

if TYPE_CHECKING:
    from chukan.adapter.sources import Encoding
    from chukan.command.session import Session

__all__ = ["app"]

app = group("adapter", "Load extracts, ask by inquiry files, see what is open (連携アダプター).")

_SENT = "Where is remembered what was sent; private."
LoadState = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help=_SENT, show_default="chukan-state in the people's folder, or beside the extracts"),
]
InquireState = Annotated[
    Path | None, typer.Option(metavar="DIR", help=_SENT, show_default="chukan-state beside the result file")
]


@command(
    app,
    calls=True,
    example=[
        "chukan adapter load --people a/residents.csv --extracts a/extracts --organization 131041",
        "chukan adapter load --people a --extracts a/extracts --dry-run --organization 131041",
    ],
)
def load(
    session: Session,
    *,
    people: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Resident or non-resident extract, or a folder of them; several times."),
    ] = None,
    extracts: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of business extracts.")] = None,
    state: LoadState = None,
    mappings: Annotated[Path | None, typer.Option(metavar="DIR", help="Own mappings in TOML; they go first.")] = None,
    encoding: Annotated[str, typer.Option(help="auto, utf-8 or cp932.")] = "auto",
    edition: Annotated[str, typer.Option(help="Edition of the layouts; default the one in force today.")] = "",
    batch: Annotated[int, typer.Option(help="Rows per message.", min=1, max=10_000)] = 1000,
    send_cap: Annotated[int, typer.Option(help="Rows of one information per send.", min=1)] = 200_000,
    delete_reason: Annotated[
        str, typer.Option(help="Delete the replicas of records that vanished, for this reason.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, check and compare; send nothing.")] = False,
) -> int:
    """Load extracts: people are numbered, their linkage codes (符号) acquired, replicas (副本) registered.

    Only what changed since the last load is sent; a load that was broken off goes on where it was. Rows that are not
    taken stand in the dead-letter file with row, column and reason. Exit code 1 unless everything was gone through and
    something of every kind of extract was taken.
    """
    from chukan.adapter.sync import LoadOptions
    from chukan.adapter.sync import load as run
    from chukan.command.adapter_view import load_progress, show_load

    if not people and extracts is None:
        raise typer.BadParameter("nothing to load: give --people, --extracts or both", param_hint="--people")
    place = session.called
    options = LoadOptions(
        target=place.target,
        organization=place.organization_code,
        people=tuple(people or ()),
        extracts=extracts,
        state=state,
        mappings=mappings,
        dry_run=dry_run,
        encoding=_encoding(encoding),
        batch=batch,
        edition=edition,
        delete_reason=delete_reason,
        send_cap=send_cap,
        network=place.network_target,
        tls=place.client_tls(),
        mode=place.mode,
        world=place.world,
    )
    with load_progress(session) as progress:
        report = run(options, progress)
    show_load(session, report)
    return 0 if report.succeeded else 1


def _encoding(text: str) -> Encoding:
    if text not in {"auto", "utf-8", "cp932"}:
        message = f"got {text}, expected auto, utf-8 or cp932"
        raise typer.BadParameter(message, param_hint="--encoding")
    return text  # type: ignore[return-value]  # one of its three


@command(
    app,
    calls=True,
    example=[
        "chukan adapter inquire --file a/inquiries --out result.csv --target 127.0.0.1:50051 --organization 131121",
        ("chukan adapter inquire --file in.DAT --out result.csv --cut-off 600 --profile 2023 --organization 131121"),
        "chukan adapter inquire --file in.DAT --out result.csv --again --reason 照会誤り --organization 131121",
    ],
)
def inquire(
    session: Session,
    *,
    file: Annotated[
        list[Path], typer.Option(metavar="IN", help="Inquiry file (DAT) or a folder of them; several times.")
    ],
    out: Annotated[Path, typer.Option(metavar="OUT", help="Result file; what else is written stands beside it.")],
    profile: Annotated[str, typer.Option(metavar="P", help="Result layout: 2024, 2023, or a TOML file.")] = "2024",
    state: InquireState = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until all are finished, however long.")] = False,
    cut_off: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="Stop waiting then; what is open goes to the remainder file."),
    ] = None,
    resend: Annotated[
        bool, typer.Option("--resend", help="Send what is not delivered again, under the same record ids.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Ask anew under new record ids; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why it is asked again; it is kept.")] = "",
    consent: Annotated[
        bool | None, typer.Option("--consent/--no-consent", help="Whether the people's consent is there.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a result file that is there.")] = False,
) -> int:
    """Send the inquiries of a file (一括照会), wait for the answers, write the result file.

    Answers may come in waves: run it again with the same file, and only what is open is waited for. Exit code 1 if
    something is wrong with the input or still open; refused rows are answers.
    """
    from chukan.adapter.exchange import InquireOptions
    from chukan.adapter.exchange import inquire as run
    from chukan.command.adapter_view import inquire_progress, show_inquire

    place = session.called
    options = InquireOptions(
        inputs=tuple(file),
        out=out,
        target=place.target,
        organization=place.organization_code,
        profile=profile,
        state=state,
        wait=wait,
        cut_off=None if cut_off is None else timedelta(seconds=cut_off),
        resend=resend,
        again=again,
        reason=reason,
        consent=consent,
        replace=replace,
        mode=place.mode,
        world=place.world,
        tls=place.client_tls(),
    )
    with inquire_progress(session) as progress:
        report = run(options, progress)
    show_inquire(session, report)
    return 0 if report.is_complete else 1


@command(app, example=["chukan adapter status --state a/state", "chukan adapter status --state a/chukan-state --json"])
def status(
    session: Session,
    *,
    state: Annotated[
        Path, typer.Option(metavar="DIR", help="State folder of `adapter load` or `adapter inquire`.", exists=True)
    ],
) -> None:
    """Show the last loads, and which inquiries are open, wait to be written or are about to expire; asks no server."""
    from chukan.adapter.exchange import inquiry_status
    from chukan.command.adapter_state import last_loads, ledgers
    from chukan.command.adapter_view import show_status

    show_status(
        session,
        loads=last_loads(state),
        ledgers=[(code, inquiry_status(path.parent, code)) for path, code in ledgers(state)],
    )
