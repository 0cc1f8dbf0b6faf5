# SPDX-License-Identifier: Apache-2.0
"""An examination of a client: case after case at one address, or several at once, each at an address of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Final

from chukan.conformance.examiner.driving import ByCommand, ByPerson, check_commands
from chukan.conformance.examiner.examination import Examiner
from chukan.conformance.examiner.server import ScriptedServer
from chukan.conformance.problem import NOT_REACHABLE, KitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from chukan.conformance.catalogue import Entry
    from chukan.conformance.examiner.driving import Driver
    from chukan.conformance.examiner.profile import ClientProfile
    from chukan.conformance.results import Known, Result, Run

__all__ = ["driver_of", "examine"]

_ANY_PORT: Final = ":0"


def driver_of(profile: ClientProfile, stop: Event, *, wait: float, say: Callable[[str, str], None]) -> Driver:
    """Return what drives the client: its commands, or where it has none a person. Errors: KitError."""
    if not profile.commands:
        return ByPerson(wait, say)
    check_commands(profile)
    return ByCommand(profile, stop)


def examine(
    run: Run,
    entries: Sequence[Entry],
    profile: ClientProfile,
    driver: Driver,
    *,
    folder: Path,
    jobs: int,
    known: Mapping[str, Known],
    tell: Callable[[Result], None],
    stop: Event,
) -> Run:
    """Judge the client by the cases and add the results to the run. run.target: where the kit listens.

    With any port (:0) each case has one of its own and `jobs` of them go on at once, if commands drive the client.
    """
    examiner = Examiner(profile, driver, known)
    apart = run.target.endswith(_ANY_PORT) and isinstance(driver, ByCommand)

    def judged(entry: Entry) -> Result:
        with closing(ScriptedServer(run.target)) as server:
            return examiner.judge(entry, server, folder)

    try:
        if apart:
            with ThreadPoolExecutor(jobs) as pool:
                for result in _in_order(pool, judged, entries, stop):
                    _note(run, result, tell)
        else:
            with closing(ScriptedServer(run.target)) as server:
                run.target = server.target
                for entry in entries:
                    _note(run, examiner.judge(entry, server, folder), tell)
    except BaseException:
        stop.set()
        raise
    if run.judged and not any(result.trace for result in run.results):
        raise KitError(
            "the client never called: does it get the address where the kit listens (the target)?",
            "クライアントから一度も呼出しがありません。試験側の待受けアドレス(接続先)が渡っていますか",
            code=NOT_REACHABLE,
        )
    return run


def _in_order(
    pool: ThreadPoolExecutor, judged: Callable[[Entry], Result], entries: Sequence[Entry], stop: Event
) -> Iterator[Result]:
    """Yield results in the order of the cases; what fails ends the others."""
    futures = [pool.submit(judged, entry) for entry in entries]
    try:
        for future in futures:
            yield future.result()
    except BaseException:
        stop.set()
        for future in futures:
            future.cancel()
        raise


def _note(run: Run, result: Result, tell: Callable[[Result], None]) -> None:
    run.results.append(result)
    tell(result)
