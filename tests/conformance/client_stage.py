# SPDX-License-Identifier: Apache-2.0
"""Our adapter, or a broken client in its place, before the kit as examiner."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from chukan.conformance.examiner.catalogue import read_client_cases
from chukan.conformance.examiner.profile import TASKS, ClientProfile, Table, read_client_profile
from chukan.conformance.examiner.session import driver_of, examine
from chukan.conformance.results import Run, Verdict, read_known
from tests.conformance import polling_client, registering_client
from tests.conformance.broken_clients import CHANGED
from tests.conformance.polling_client import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.conformance.catalogue import Entry
    from chukan.conformance.results import Result
    from tests.conformance.breaker import BrokenClient

__all__ = [
    "KNOWN_OF_CLIENT",
    "broken_profile",
    "client_entries",
    "contented_with_nothing",
    "examined",
    "polling_profile",
    "registering_profile",
    "verdict_on_client",
]

KNOWN_OF_CLIENT = Path(__file__).parent / "known_failures_of_the_adapter.toml"
_POLLING = str(Path(polling_client.__file__).resolve())
_REGISTERING = str(Path(registering_client.__file__).resolve())
_PROGRAM = str(Path(__file__).with_name("broken_client.py").resolve())

_ONE_CALL = """
import sys
import grpc
with grpc.insecure_channel(sys.argv[1]) as channel:
    call = channel.unary_unary("/chukan.v1.OperationService/GetStatus")
    call(b"", metadata=[("chukan-organization", sys.argv[2])], timeout=5)
"""


@lru_cache
def client_entries() -> tuple[Entry, ...]:
    """Return the cases for clients."""
    return tuple(read_client_cases())


def examined(
    profile: ClientProfile,
    folder: Path,
    ids: Iterable[str] | None = None,
    *,
    jobs: int = 2,
    known: bool = False,
    listen: str = "127.0.0.1:0",
) -> Run:
    """Examine a client by these cases, or by all."""
    wanted = set(ids) if ids is not None else {entry.case.id for entry in client_entries()}
    entries = [entry for entry in client_entries() if entry.case.id in wanted]
    stand = read_known(KNOWN_OF_CLIENT, {each.case.id for each in client_entries()}, "2026-01-01") if known else {}
    stop = Event()
    return examine(
        Run(listen, profile.name, "2026-01-01 00:00:00 UTC", "0"),
        entries,
        profile,
        driver_of(profile, stop, wait=1, say=lambda *_: None),
        folder=folder,
        jobs=jobs,
        known=stand,
        tell=lambda _: None,
        stop=stop,
    )


def broken_profile(mutant: BrokenClient) -> ClientProfile:
    """Return our adapter's profile, or the polling client's, with the broken one in its place."""
    whole = polling_profile(mutant.ways) if mutant.client == "polling" else read_client_profile("adapter")
    begin = (sys.executable, _PROGRAM, mutant.name, "{output}/..")
    commands = {task: (*begin, *_arguments(words)) for task, words in whole.commands.items()}
    return replace(whole, name=mutant.name, commands=commands, limit=30.0)


def _arguments(words: Sequence[str]) -> Sequence[str]:
    """Return what comes behind the program."""
    return words[words.index("chukan.command") + 1 :] if "chukan.command" in words else words[2:]


def polling_profile(ways: str = "", mode: str = "test") -> ClientProfile:
    """Return the profile of the client that polls, or goes other ways."""
    own = ("--file", "{input}/inquiries", "--out", "{output}/results.csv", "--state", "{state}", "--ways", ways)
    where = ("--target", "{target}", "--organization", "{organization}")
    return ClientProfile(
        name="polling client",
        mode=mode,
        organization=read_client_profile("adapter").organization,
        limit=30.0,
        commands={"inquire": (sys.executable, _POLLING, *own, *where)},
        tables={"results": Table("{output}/results.csv", columns={name: name for name in HEADER})},
    )


def registering_profile(pause: float) -> ClientProfile:
    """Return the profile of the client that asks again and again how far codes are."""
    words = (sys.executable, _REGISTERING, "{input}/people/residents.csv", "{target}", "{organization}", str(pause))
    return ClientProfile(
        name="registering client",
        organization=read_client_profile("adapter").organization,
        limit=30.0,
        commands={"register": words},
    )


def verdict_on_client(mutant: BrokenClient, folder: Path, *, jobs: int = 2) -> tuple[str, dict[str, Result]]:
    """Return "killed", "SURVIVED" (a named case passed) or "VOID" (in a case nothing was broken, or it was not run)."""
    found = examined(broken_profile(mutant), folder, mutant.kills, jobs=jobs).results
    results = {each.entry.case.id: each for each in found}
    changed = [(folder / case.replace("/", "-") / CHANGED).exists() for case in mutant.kills]
    if set(results) != set(mutant.kills) or not all(changed):
        return "VOID", results
    if any(each.verdict is Verdict.SKIPPED or _broke_down(each, folder) for each in found):
        return "VOID", results
    return ("killed" if all(each.verdict is Verdict.FAILED for each in found) else "SURVIVED"), results


def contented_with_nothing(folder: Path, ids: Iterable[str] | None = None, *, jobs: int = 3) -> list[str]:
    """Return the cases that a client passes which asks for the status of the server and does nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "client.py").write_text(_ONE_CALL, "utf-8")
    words = (sys.executable, str(folder / "client.py"), "{target}", "{organization}")
    profile = replace(read_client_profile("adapter"), commands=dict.fromkeys(TASKS, words))
    run = examined(profile, folder / "work", ids, jobs=jobs)
    return [each.entry.case.id for each in run.results if each.verdict is Verdict.PASSED]


def _broke_down(result: Result, folder: Path) -> bool:
    """Whether the client was killed for its time, or ended by a fault of its own or of the mutant's."""
    logs = (folder / result.entry.case.id.replace("/", "-")).glob("*.log")
    return any("still running" in fault for fault in result.faults) or any(
        "Traceback" in log.read_text("utf-8", "replace") for log in logs
    )
