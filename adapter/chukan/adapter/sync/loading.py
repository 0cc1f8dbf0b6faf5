# SPDX-License-Identifier: Apache-2.0
"""One load from beginning to end: people first, then a thread for each information, codes followed meanwhile."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
import traceback
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

from chukan.adapter.holding import hold_folder
from chukan.adapter.sources import DelimitedFile
from chukan.adapter.sync.acquisition import Acquisition
from chukan.adapter.sync.closings import Closings
from chukan.adapter.sync.dead_letters import DeadLetters
from chukan.adapter.sync.lane import Desk
from chukan.adapter.sync.merges import follow_merges
from chukan.adapter.sync.numbers import Numbers
from chukan.adapter.sync.people_lane import PeopleLane
from chukan.adapter.sync.planning import plan
from chukan.adapter.sync.provenance import foreign_files
from chukan.adapter.sync.replica_lane import ReplicaLane
from chukan.adapter.sync.report import FAILED, HELD, LaneReport, Remark, Report
from chukan.adapter.sync.state import State
from chukan.adapter.sync.streams import Waiting, retried
from chukan.adapter.worlds import Server, server_of
from chukan.client import Client
from chukan.standard.clock import SystemClock
from chukan.standard.ids import SystemIds
from chukan.standard.reasons import ChukanError
from chukan.standard.storage import storage_error
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import replica_service_pb2 as replica

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from chukan.adapter.mapping import ExtractMapping, PeopleMapping
    from chukan.adapter.sync.memory import Memory
    from chukan.adapter.sync.options import LoadOptions, Progress
    from chukan.standard.clock import Clock
    from chukan.standard.ids import Ids

__all__ = ["load"]

_GLANCE: Final = 0.2
_LAST_WAIT: Final = 5.0
_TIMEOUT: Final = 60.0
_LOG: Final = logging.getLogger("chukan.adapter")
_OTHER_SERVER: Final = Remark(
    "the server has nothing of what was sent before: everything is sent again",
    "接続先には以前の登録がありません。全件を改めて送りました。",
)


def load(
    options: LoadOptions,
    progress: Progress | None = None,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    stop: threading.Event | None = None,
) -> Report:
    """Load extracts; return what was done. Rows that are not taken never end a load, lanes end by themselves.

    stop ends the load from another thread; what was acknowledged stays remembered. Errors, before anything is sent:
    MAPPING_INVALID, MAPPING_MISSING, FILE_NOT_FOUND, RUN_IN_PROGRESS, CHECKPOINT_UNREADABLE, PEER_UNREACHABLE; while
    it is sent: STORAGE_FULL, FILE_UNUSABLE.
    """
    clock = clock or SystemClock()
    ids = ids or SystemIds(clock)
    todo = plan(options, clock.today())
    state = State(options, ids)
    waiting = Waiting(options.stall_timeout, options.patience, stop or threading.Event())
    started = time.monotonic()
    report = Report(options.target, options.organization, options.dry_run, started=f"{clock.now():%Y-%m-%dT%H:%M:%SZ}")
    report.dead_letter_file, report.state_folder = str(state.dead_letter_file), str(state.folder)
    report.notes += [
        Remark(f"no mapping reads {name}", f"{name} を読むマッピングがありません。") for name in todo.unused
    ]
    report.notes += foreign_files(options)
    with ExitStack() as stack:
        stack.enter_context(hold_folder(state.folder, "load.lock"))
        dead_letters = stack.enter_context(DeadLetters(state.dead_letter_file))
        client = None if options.dry_run else stack.enter_context(_client(options, ids))
        run = _Run(options, state, report, dead_letters, waiting, progress, client, ids)
        try:
            run.merges()
            run.people(todo.people)
            run.replicas(todo.replicas)
            run.codes()
        except (OSError, sqlite3.Error) as error:
            waiting.stop.set()
            raise storage_error(error, place=str(state.folder)) from error
        except BaseException:
            waiting.stop.set()
            raise
        finally:
            run.close()
    report.dead_letters = dead_letters.count
    report.seconds = round(time.monotonic() - started, 3)
    if not options.dry_run:
        state.keep_report(report)
    return report


def _client(options: LoadOptions, ids: Ids) -> Client:
    client = Client(
        options.target,
        organization=options.organization,
        tls=options.tls,
        network=options.network,
        address=options.address,
        system=options.system,
        terminal=options.terminal,
        department=options.department,
        user=options.user,
        mode=options.mode,
        world=options.world,
        timeout=_TIMEOUT,
        retries=False,
        ids=ids,
    )
    try:
        client.wait_until_reachable(options.patience)
    except BaseException:
        client.close()
        raise
    return client


class _Run:
    """A load under way. client is None in a dry run."""

    def __init__(  # noqa: PLR0917 - everything lanes share
        self,
        options: LoadOptions,
        state: State,
        report: Report,
        dead_letters: DeadLetters,
        waiting: Waiting,
        progress: Progress | None,
        client: Client | None,
        ids: Ids,
    ) -> None:
        self._options = options
        self._ids = ids
        self._state = state
        self._report = report
        self._dead_letters = dead_letters
        self._waiting = waiting
        self._progress = progress
        self._client = client
        self._numbers = None if client is None else Numbers(client, waiting)
        self._server = Server() if client is None else retried(partial(server_of, client), waiting)
        self._is_another = False
        self._closings: list[tuple[Memory, Closings]] = []
        self._acquisition: Acquisition | None = None

    def close(self) -> None:
        """End what is still open."""
        if self._is_another:
            self._report.notes.append(_OTHER_SERVER)
        if self._acquisition is not None:
            self._acquisition.stop()
        for memory, _ in self._closings:
            memory.close()

    def merges(self) -> None:
        """Let the middle server follow merges of people, before anything is sent under the numbers that stay."""
        if self._client is not None:
            follow_merges(self._client, self._waiting, self._report.codes)

    def people(self, lanes: Sequence[tuple[PeopleMapping, tuple[Path, ...]]]) -> None:
        """Go through the extracts of people, one after another: who is a resident is registered first."""
        if self._client is not None:
            self._acquisition = Acquisition(
                self._client,
                self._report.codes,
                self._waiting,
                token_file=self._state.token_file,
                server=self._server,
                ids=self._ids,
                progress=self._progress,
            )
        known = self._client is None or bool(self._addressees())
        if not known:
            self._state.token_file.unlink(missing_ok=True)
        if self._acquisition is not None and lanes:
            self._acquisition.start()
        for mapping, paths in lanes:
            name = mapping.name.removesuffix(".toml")
            memory = self._state.memory(name)
            closings = Closings(memory)
            self._closings.append((memory, closings))
            report = self._lane(LaneReport(mapping.title, "people", mapping.title_english))
            if self._forgets(memory, known=known):
                closings.forget_all()
            desk = self._desk(report)
            lane = PeopleLane(mapping, memory, desk, client=self._client, closings=closings)
            self._guarded(desk, partial(self._run_lane, lane.run, paths, mapping.columns, desk))
            self._report.codes.asked += lane.asked

    def replicas(self, lanes: Sequence[tuple[ExtractMapping, tuple[Path, ...]]]) -> None:
        """Go through the business extracts, each information in a thread of its own."""
        counts = self._replica_counts() if self._client is not None and lanes else {}
        threads = []
        for mapping, paths in lanes:
            code = mapping.layout.information_code
            report = self._lane(
                LaneReport(mapping.title, "replicas", mapping.title_english, code, mapping.layout.edition)
            )
            desk = self._desk(report)
            work = partial(
                self._replica_lane, mapping, paths, desk, known=self._client is None or bool(counts.get(code))
            )
            thread = threading.Thread(target=self._guarded, args=(desk, work), name=f"chukan-{code}", daemon=True)
            threads.append(thread)
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(_GLANCE)
        except BaseException:  # Ctrl-C: lanes end at their next wait, then files are closed
            self._waiting.stop.set()
            for thread in threads:
                thread.join(_LAST_WAIT)
            raise

    def codes(self) -> None:
        """Wait for the codes asked for; then close the addressees who are to be closed."""
        acquisition, client = self._acquisition, self._client
        if acquisition is None or client is None or not self._closings:
            return
        acquisition.finish()
        for _, closings in self._closings:
            try:
                closed = closings.send(client, self._waiting, but=acquisition.open_numbers)
            except (ChukanError, OSError, sqlite3.Error) as error:
                told = error if isinstance(error, ChukanError) else storage_error(error)
                self._report.codes.state, self._report.codes.problem = FAILED, told.code
            else:
                self._report.codes.closed_addressees += closed

    def _replica_lane(self, mapping: ExtractMapping, paths: Sequence[Path], desk: Desk, *, known: bool) -> None:
        memory = self._state.memory(mapping.layout.information_code)
        try:
            self._forgets(memory, known=known)
            lane = ReplicaLane(mapping, memory, desk, client=self._client, numbers=self._numbers)
            self._run_lane(lane.run, paths, mapping.columns, desk)
        finally:
            memory.close()

    def _run_lane(
        self, run: Callable[[Sequence[DelimitedFile]], None], paths: Sequence[Path], needed: Sequence[str], desk: Desk
    ) -> None:
        """Open the files and run; a file that can't be read is a problem of the lane, the others go on."""
        files: list[DelimitedFile] = []
        for path in paths:
            try:
                files.append(DelimitedFile(path, encoding=self._options.encoding, needed=needed))
            except ChukanError as error:
                desk.report.state, desk.report.problem = FAILED, error.code
                desk.report.notes.append(Remark.of(error))
                desk.unreadable += 1
        desk.total = sum(file.size for file in files)
        run(files)

    def _guarded(self, desk: Desk, work: Callable[[], None]) -> None:
        """Run a lane; what ends it becomes its state."""
        report, started = desk.report, time.monotonic()
        try:
            work()
        except ChukanError as error:
            report.state = HELD if error.code == "LANE_HELD" else FAILED
            report.problem = error.code
            report.notes.append(Remark.of(error))
        except (OSError, sqlite3.Error) as error:
            told = storage_error(error, place=str(self._state.folder))
            report.state, report.problem = FAILED, told.code
            report.notes.append(Remark.of(told))
        except Exception as error:  # noqa: BLE001 - one lane's defect must not end the others
            report.state, report.problem = FAILED, "INTERNAL_ERROR"
            name = type(error).__name__
            report.notes.append(Remark(f"internal error: {name}", f"内部エラー: {name}"))
            where = "".join(traceback.format_tb(error.__traceback__))  # without the message: it may bear a value
            _LOG.error("lane %s ended by %s\n%s", report.name, name, where)
        finally:
            report.seconds = round(time.monotonic() - started, 3)
            self._dead_letters.flush()

    def _lane(self, report: LaneReport) -> LaneReport:
        report.started = self._report.started
        self._report.lanes.append(report)
        return report

    def _desk(self, report: LaneReport) -> Desk:
        return Desk(self._options, report, self._dead_letters, self._waiting, self._progress)

    def _forgets(self, memory: Memory, *, known: bool) -> bool:
        """Forget what was sent to another server: one of another world, or one that has nothing of it (known False)."""
        world = self._server.world
        another = not known or (world != "" and memory.get("world", world) != world)
        if another and memory.begin():
            memory.forget_all()
            self._is_another = True
        if world:
            memory.put("world", world)
        return another

    def _addressees(self) -> Sequence[linkage.LinkageStatus]:
        assert self._client is not None  # noqa: S101 - narrows the type
        request = linkage.ListLinkageStatesRequest(page_size=1)
        return retried(partial(self._client.linkage_codes.ListLinkageStates, request), self._waiting).linkage_statuses

    def _replica_counts(self) -> dict[str, int]:
        assert self._client is not None  # noqa: S101 - narrows the type
        answer = retried(partial(self._client.replicas.ListLanes, replica.ListLanesRequest()), self._waiting)
        return {lane.information_code: lane.replica_count for lane in answer.lanes}
