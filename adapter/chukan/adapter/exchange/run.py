# SPDX-License-Identifier: Apache-2.0
"""`chukan adapter inquire`: an inquiry file in, a result file out, however often it is broken off.

Numbered procedure: 1 the files are taken (digests), the ledger opened by one run at a time; what it knows of another
server than this one is forgotten; 2 the watch begins before anything is sent, where the last run stood; 3 rows are
sent; 4 the run waits until all are finished, or the cut-off; 5 results, remainder and rejected rows are written; 6 what
is durable is acknowledged.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from math import ceil
from threading import Event
from typing import TYPE_CHECKING, Final

from chukan.adapter.exchange.conversion import Converter
from chukan.adapter.exchange.delivery import Delivery
from chukan.adapter.exchange.following import Follower
from chukan.adapter.exchange.intake import Intake, Source
from chukan.adapter.exchange.ledger import EntryState, Ledger
from chukan.adapter.exchange.ledger_folder import ledger_path
from chukan.adapter.exchange.lines import find_files, take_file
from chukan.adapter.exchange.options import DEFAULT_CUT_OFF, quiet
from chukan.adapter.exchange.report import Report, expiry_warning, not_sent_warning
from chukan.adapter.exchange.result_profile import result_profile
from chukan.adapter.exchange.reunion import ANOTHER_SERVER, is_another
from chukan.adapter.exchange.rows import Problem
from chukan.adapter.exchange.submission import Submission, milliseconds
from chukan.adapter.holding import hold_folder
from chukan.adapter.patience import LONGEST_WAIT, may_pass, patiently
from chukan.adapter.worlds import server_of
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError
from chukan.standard.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chukan.adapter.exchange.following import Learnt
    from chukan.adapter.exchange.lines import InputFile
    from chukan.adapter.exchange.options import InquireOptions, Progress
    from chukan.adapter.exchange.result_profile import ResultProfile
    from chukan.client import Client
    from chukan.standard.clock import Clock

__all__ = ["inquire"]

_TICK_SECONDS: Final = 0.2
_FIRST_LOOK_SECONDS: Final = 3.0
_LONGEST_LOOK_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 1.0


def inquire(options: InquireOptions, progress: Progress = quiet, *, clock: Clock | None = None) -> Report:
    """Answer inquiry files. What is wrong with a row is in the report; an error means that the run could not go on."""
    try:
        return _inquire(options, progress, clock or SystemClock())
    except (OSError, sqlite3.Error) as error:
        raise storage_error(error, place=str(options.state_folder)) from error


def _inquire(options: InquireOptions, progress: Progress, clock: Clock) -> Report:
    options.verify()
    began = clock.now()
    profile = result_profile(options.profile)
    files = [take_file(path) for path in find_files(options.inputs, profile.input.files)]
    with ExitStack() as held:
        held.enter_context(hold_folder(options.state_folder, "inquire.lock"))
        ledger = Ledger(ledger_path(options.state_folder, options.organization, options.world))
        held.callback(ledger.close)
        client = held.enter_context(options.connect())
        client.wait_until_reachable(options.connect_seconds)
        run = _Run(options, profile, ledger, client, clock, progress)
        report = run.carry_out(files)
    report.seconds, report.state_folder = (clock.now() - began).total_seconds(), options.state_folder
    return report


@dataclass(frozen=True, slots=True)
class _Run:
    options: InquireOptions
    profile: ResultProfile
    ledger: Ledger
    client: Client
    clock: Clock
    progress: Progress

    def carry_out(self, files: Sequence[InputFile]) -> Report:
        options, report = self.options, Report()
        world = patiently(partial(server_of, self.client)).world
        anew = patiently(partial(is_another, self.ledger, self.client, world))
        if anew:
            report.warnings.append(ANOTHER_SERVER)
        else:
            self._warn_of_expiry(report)
        sources = self._sources(files, world, anew=anew)
        intake = Intake(sources, self.profile.input, caller=options.organization)
        total = sum(file.rows for file in files)
        with Follower(self.client, self.ledger.token(self._watch_key())) as follower:
            report.sent = self._submit(intake, follower, total, report)
            self._wait(sources, follower)
        written = 0

        def note(rows: int) -> None:
            nonlocal written
            written += rows
            self.progress("write", written, total)

        empty = [Problem(file.name, 0, 0, "", "at least one row", "FILE_EMPTY") for file in files if not file.size]
        delivery = Delivery(
            self.client, self.ledger, self.profile, report=report, clock=self.clock, replace=options.replace
        )
        delivery.run(options.out, intake.chunks(), empty, note)
        return report

    def _sources(self, files: Sequence[InputFile], world: str, *, anew: bool) -> list[Source]:
        now = milliseconds(self.clock)
        sources = [Source(file, self.ledger.open_file(file.digest, file.name, now)) for file in files]
        self._claim_out(sources, world, anew=anew)
        if self.options.again:
            again = {
                source.file.digest: self.ledger.ask_again(source.known, self.options.reason.strip(), now)
                for source in sources
            }
            sources = [Source(source.file, again[source.file.digest]) for source in sources]
        return sources

    def _claim_out(self, sources: Sequence[Source], world: str, *, anew: bool) -> None:
        """Write over a result file with the results of the same inquiries only; claim the name before anything else."""
        out, place = self.options.out, str(self.options.out.resolve())
        same = not self.options.again and not anew and all(source.known.output == place for source in sources)
        if out.exists() and not same and not self.options.replace:
            raise ChukanError("OUTPUT_EXISTS", params={"file": str(out)})
        with self.ledger.step():
            if anew:
                self.ledger.forget_all()
            if world:
                self.ledger.note_world(world)
            self.ledger.note_output([source.known for source in sources], place)

    def _submit(self, intake: Intake, follower: Follower, total: int, report: Report) -> int:
        options, profile = self.options, self.profile.input
        submission = Submission(
            self.ledger,
            Converter(self.client, options.business_ids or profile.business_ids),
            profile=profile,
            messages=self.profile.messages,
            consent=profile.consent if options.consent is None else options.consent,
            resend=options.resend,
            clock=self.clock,
        )
        deadline = self._deadline()
        while True:
            read = 0

            def after_batch(rows: int) -> None:
                nonlocal read
                read += rows
                self.progress("send", read, total)
                while learnt := follower.next(0):
                    self._apply(learnt)

            try:
                submission.run(self.client, intake.chunks(), after_batch)
            except ChukanError as error:
                if not may_pass(error):
                    raise
                pause = max(_RETRY_SECONDS, error.retry_after or 0.0)
                if deadline is None:
                    pause = min(pause, LONGEST_WAIT)
                elif pause >= (deadline - self.clock.now()).total_seconds():
                    report.warnings.append(not_sent_warning(error))
                    break
                if pause > _RETRY_SECONDS:
                    self.progress("pause", 0, ceil(pause))
                Event().wait(pause)
            else:
                break
        return submission.sent

    def _wait(self, sources: Sequence[Source], follower: Follower) -> None:
        """Wait until nothing is open, or the cut-off; or, if nobody said how long, until all wait for a person."""
        files = list({source.known.id: source.known for source in sources}.values())
        deadline = self._deadline()
        total = open_rows = self.ledger.count(files, EntryState.SENT)
        pause, silent_since = _FIRST_LOOK_SECONDS, self.clock.now()
        while open_rows:
            learnt = follower.next(_TICK_SECONDS)
            now = self.clock.now()
            if learnt is not None:
                open_rows -= self._apply(learnt)
                if open_rows <= 0:  # rows of other runs were among them, or all are finished
                    open_rows = self.ledger.count(files, EntryState.SENT)
                self.progress("wait", total - open_rows, total)
                pause, silent_since = _FIRST_LOOK_SECONDS, now
            elif (now - silent_since).total_seconds() >= pause:
                waiting = self._look(follower, self.ledger.records(files, EntryState.SENT))
                open_rows = self.ledger.count(files, EntryState.SENT)
                if self._may_leave() and waiting >= open_rows:
                    break
                pause, silent_since = min(pause * 2, _LONGEST_LOOK_SECONDS), now
            if deadline is not None and now >= deadline:
                break

    def _look(self, follower: Follower, records: Sequence[str]) -> int:
        """Look at the list; return how many wait for a person."""
        try:
            standing = follower.look(records)
        except ChukanError as error:
            if not may_pass(error):
                raise
            return 0
        now, messages = milliseconds(self.clock), self.profile.messages
        unknown = "INQUIRY_UNKNOWN"
        with self.ledger.step():
            self.ledger.note_finished(standing.finished, now)
            self.ledger.note_not_taken([(each, messages.local(unknown), unknown) for each in standing.unknown], now)
        if standing.finished:  # and the watch was silent about them
            follower.start_anew()
        return len(standing.waiting)

    def _apply(self, learnt: Learnt) -> int:
        """Note what was learnt together with where the watch goes on; return how many were open here."""
        with self.ledger.step():
            changed = self.ledger.note_finished(learnt.finished, milliseconds(self.clock))
            self.ledger.note_token(self._watch_key(), learnt.token)
        return changed

    def _may_leave(self) -> bool:
        return not self.options.wait and self.options.cut_off is None

    def _deadline(self) -> datetime | None:
        if self.options.wait:
            return None
        return self.clock.now() + (DEFAULT_CUT_OFF if self.options.cut_off is None else self.options.cut_off)

    def _watch_key(self) -> str:
        return self.options.target

    def _warn_of_expiry(self, report: Report) -> None:
        count, earliest = self.ledger.expiring(milliseconds(self.clock) + _milliseconds(self.options))
        if count:
            report.warnings.append(expiry_warning(count, earliest))


def _milliseconds(options: InquireOptions) -> int:
    return int(options.warn_before.total_seconds() * 1000)
