# SPDX-License-Identifier: Apache-2.0
"""`chukan conformance`: judges a server, or a client, by the contract, and prepares our emulator for it."""

from __future__ import annotations

from pathlib import Path  # Typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from chukan.command.conformance_view import conclude, guarded, kit_version, now, prompt, run_name, tell
from chukan.command.declare import command, group

if TYPE_CHECKING:
    from chukan.command.session import Session

__all__ = ["app"]

app = group("conformance", "Judge whether a server or a client conforms to the contract (適合性試験).")

Only = Annotated[
    list[str] | None, typer.Option(metavar="ID", help="Only these: a case, a clause, or a pattern such as 'DBM-*'.")
]
Level = Annotated[list[str] | None, typer.Option(metavar="LEVEL", help="Only MUST, SHOULD or INFERRED.")]
Service = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this service's.")]
KnownFailures = Annotated[
    Path | None, typer.Option("--known", metavar="FILE", help="Known failures: they still run, a pass is an error.")
]
Report = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write report.html, results.json, junit.xml, results.csv there.")
]
Cases = Annotated[Path | None, typer.Option(metavar="DIR", help="Other cases than the kit's own.")]
Target = Annotated[str, typer.Option("--target", envvar="CHUKAN_TARGET", metavar="ADDR", help="host:port, no http://.")]


@command(
    app,
    example=[
        "chukan conformance server --target 127.0.0.1:50051 --profile profile.toml --report report",
        "chukan conformance server --target 127.0.0.1:50051 --profile profile.toml --only FGU-1 --level MUST",
    ],
)
def server(
    session: Session,
    *,
    target: Target = "127.0.0.1:50051",
    profile: Annotated[Path, typer.Option(metavar="FILE", help="What the target has been prepared with.")],
    only: Only = None,
    level: Level = None,
    service: Service = None,
    known: KnownFailures = None,
    report: Report = None,
    cases: Cases = None,
) -> int:
    """Run the cases against any server that speaks the contract.

    It leaves its traces there: inquiries, replicas, exchange records. Give it an emulator that is thrown away (chukan
    serve --data :memory:), or set read_only = true in the profile.

    対象に照会、副本、記録等が残ります。使い捨てのエミュレーター(chukan serve --data :memory:)を使うか、プロファイルで
    read_only = true としてください。

    Exit code 0: all as demanded; 1: not; 2: profile, cases or known failures are unusable; 3: nobody answers.
    """
    from chukan.conformance.catalogue import read_cases, select
    from chukan.conformance.profile import read_profile
    from chukan.conformance.reports import write_reports
    from chukan.conformance.results import Run, read_known
    from chukan.conformance.session import judge

    def run() -> int:
        chosen_profile = read_profile(profile)
        everything = read_cases(cases)
        entries = select(everything, only=only or (), levels=level or (), services=service or ())
        began = now()
        stand = read_known(known, {entry.case.id for entry in everything}, began[:10]) if known else {}
        found = Run(target, chosen_profile.name, began, kit_version())
        judge(found, entries, chosen_profile, name=run_name(), known=stand, tell=lambda result: tell(session, result))
        if report is not None:
            write_reports(found, report)
        conclude(session, found, report)
        return found.exit_code

    return guarded(session, run)


@command(
    app,
    example=["chukan conformance prepare --target 127.0.0.1:50051 --out profile.toml"],
)
def prepare(
    session: Session,
    *,
    target: Target = "127.0.0.1:50051",
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the profile is written.")],
    profile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Organizations to use; by default the emulator's.")
    ] = None,
    people: Annotated[
        int, typer.Option(help="How many people to link at both organizations; 0: as the cases need.", min=0, max=1000)
    ] = 0,
) -> int:
    """Prepare an emulator with dummy people, through its public RPCs, and write the profile a run needs.

    The people stay there. 準備した人は対象に残ります。

    A real server is prepared by its owner; the profile is then written by hand (docs/spec).
    """
    from importlib.resources import as_file, files

    from chukan.conformance.calls import channels
    from chukan.conformance.catalogue import people_needed, read_cases
    from chukan.conformance.preparation import prepare as link
    from chukan.conformance.preparation import profile_text
    from chukan.conformance.profile import read_profile
    from chukan.conformance.session import check_target

    def run() -> int:
        with as_file(files("chukan.conformance").joinpath("emulator.toml")) as own:
            base = read_profile(profile or own)
        with channels(target, base) as opened:
            check_target(opened, base, target)
            count = people or people_needed(read_cases())
            prepared = link(opened, base, people=count, run=run_name())
        out.write_text(profile_text(prepared), "utf-8")
        if not session.json({"profile": str(out), "people": count}):
            session.say(f"{count} people prepared; profile: {out}", f"{count}人を準備しました。プロファイル: {out}")
        return 0

    return guarded(session, run)


@command(
    app,
    example=[
        "chukan conformance client --profile adapter --report report",
        "chukan conformance client --profile client.toml --only CLR-1 --level MUST",
        "chukan conformance client --listen 127.0.0.1:50099 --profile by-hand.toml --wait 300",
    ],
)
def client(
    session: Session,
    *,
    listen: Annotated[
        str, typer.Option(metavar="ADDR", help="Where the kit is called; port 0: one of its own for every case.")
    ] = "127.0.0.1:0",
    profile: Annotated[
        str, typer.Option(metavar="FILE", help="How the client is driven; `adapter` is Chukan's own adapter.")
    ],
    only: Only = None,
    level: Level = None,
    service: Service = None,
    known: KnownFailures = None,
    report: Report = None,
    cases: Cases = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", help="Without commands: how long a task's calls are waited for.", min=1)
    ] = 120,
    jobs: Annotated[int, typer.Option(help="Cases at once, where each has its own port.", min=1, max=32)] = 2,
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep each case's files and the commands' output there.")
    ] = None,
) -> int:
    """Examine a client: the kit is the middle server, answers by the cases' scripts and judges the calls it gets.

    The profile has a command per task; without commands you are told what to make the client do (docs/spec). Plaintext
    only. Exit code 0: all as demanded; 1: not; 2: profile, cases, commands or address are unusable; 3: no call came;
    130, 143, 129: ended by Ctrl-C, SIGTERM or SIGHUP, and with it the commands.
    """
    from functools import partial
    from tempfile import TemporaryDirectory
    from threading import Event

    from chukan.conformance.catalogue import select
    from chukan.conformance.examiner.catalogue import read_client_cases
    from chukan.conformance.examiner.profile import read_client_profile
    from chukan.conformance.examiner.session import driver_of, examine
    from chukan.conformance.reports import write_reports
    from chukan.conformance.results import Run, read_known

    def run() -> int:
        chosen_profile, stop = read_client_profile(profile), Event()
        everything = read_client_cases(cases)
        entries = select(everything, only=only or (), levels=level or (), services=service or ())
        began = now()
        stand = read_known(known, {entry.case.id for entry in everything}, began[:10]) if known else {}
        driver = driver_of(chosen_profile, stop, wait=wait, say=partial(prompt, session))
        found = Run(listen, chosen_profile.name, began, kit_version(), side="client")
        with TemporaryDirectory(prefix="chukan-client-") as made:
            examine(
                found,
                entries,
                chosen_profile,
                driver,
                folder=(work or Path(made)).resolve(),
                jobs=jobs,
                known=stand,
                tell=lambda result: tell(session, result),
                stop=stop,
            )
        if report is not None:
            write_reports(found, report)
        conclude(session, found, report)
        return found.exit_code

    return guarded(session, run)
