# SPDX-License-Identifier: Apache-2.0
"""Code acquisition (符号取得) on the address side: what the address system's people do between the two servers.

As processing numbers (処理通番) are issued, they are passed to the address system, which submits them with the
individual numbers; then it is waited until every acquisition is linked or failed, or nothing has moved for too long.
Numbers that ran out meanwhile are asked for again, once in a run. The position in the watch is kept in a file, so that
a broken run is taken up where it was.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from chukan.adapter.patience import STREAM_SECONDS, Pauses
from chukan.adapter.sync.options import ProgressEvent
from chukan.adapter.sync.report import FAILED
from chukan.adapter.sync.streams import BatchStream, retried
from chukan.address.v1 import address_service_pb2 as address
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2 as common
from chukan.v1 import linkage_code_service_pb2 as linkage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from chukan.adapter.sync.options import Progress
    from chukan.adapter.sync.report import CodeReport
    from chukan.adapter.sync.streams import Waiting
    from chukan.adapter.worlds import Server
    from chukan.client import Client
    from chukan.standard.ids import Ids

__all__ = ["Acquisition"]

_MOST: Final = 1_000
_GLANCE: Final = 0.05
_QUIET: Final = 0.5
_FIRST_PAUSE: Final = 0.2
_ATTEMPTS: Final = 25
_CATCH_UP: Final = 5.0
"""Seconds without a change after which the watch is not waited for any longer: it may be late on a busy machine."""
_OPEN: Final = (linkage.LINKAGE_STATE_REQUESTED, linkage.LINKAGE_STATE_PROCESSING_NUMBER_ISSUED)
_WATCHED: Final = (
    linkage.LINKAGE_STATE_PROCESSING_NUMBER_ISSUED,
    linkage.LINKAGE_STATE_LINKED,
    linkage.LINKAGE_STATE_FAILED,
)
_RAN_OUT: Final = frozenset({"PROCESSING_NUMBER_EXPIRED", "PROCESSING_NUMBER_UNKNOWN", "CODE_ANSWER_TIMED_OUT"})
"""Failures that asking again mends."""
_OVER: Final = "DEADLINE_EXCEEDED"
_TOKEN_ENDED: Final = frozenset({"RESUME_TOKEN_EXPIRED", "RESUME_TOKEN_INVALID"})


class Acquisition:
    """Follows the codes of one organization while other lanes work, in a thread of its own."""

    def __init__(
        self,
        client: Client,
        report: CodeReport,
        waiting: Waiting,
        *,
        token_file: Path,
        server: Server,
        ids: Ids,
        progress: Progress | None,
    ) -> None:
        self._client = client
        self._report = report
        self._waiting = waiting
        self._token_file = token_file
        self._world = server.world
        self._ids = ids
        self._progress = progress
        self._moved = time.monotonic()
        self._call: Any = None
        self._ended = threading.Event()
        self._error: ChukanError | None = None
        self._not_submittable: set[str] = set()
        self._linked_before = self._last_link = server.now  # what was linked before is not this load's work
        self._failed = 0
        self._thread = threading.Thread(target=self._watch, daemon=True, name="chukan-codes")
        self.open_numbers: list[str] = []
        """Whose codes were awaited still when it ended."""

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def finish(self) -> None:
        """Wait until all is linked or failed, or nothing has moved for too long; then end the watch."""
        try:
            self._wait()
            if self._ask_again():
                self._wait()
            self._catch_up()
        except ChukanError as error:
            self._report.state, self._report.problem = FAILED, error.code
        finally:
            self.stop()
        self._summarise()

    def stop(self) -> None:
        """End the watch."""
        self._ended.set()
        for _ in range(_ATTEMPTS):
            if not self._thread.is_alive():
                return
            if self._call is not None:
                self._call.cancel()
            self._thread.join(_FIRST_PAUSE)

    def _wait(self) -> None:
        self._moved = time.monotonic()
        polled = 0.0
        while True:
            if self._may_be_over(polled):
                if self._is_over():
                    return
                polled = time.monotonic()
            self._check()
            self._waiting.stop.wait(_GLANCE)

    def _may_be_over(self, polled: float) -> bool:
        """Whether to ask the server what is open: the watch told of all codes, or of nothing for a while.

        Asking makes it go through everybody it knows, so it is not done as long as the watch tells of changes.
        """
        now, told = time.monotonic(), self._report.linked + self._failed
        if told >= self._report.asked:
            return now - polled >= _FIRST_PAUSE
        return now - max(polled, self._moved) >= _QUIET

    def _ask_again(self) -> bool:
        """Ask again for the codes whose processing numbers ran out; return whether there were any."""
        failed = self._all((linkage.LINKAGE_STATE_FAILED,))
        numbers = [row.integrated_address_number for row in failed if row.failure_reason in _RAN_OUT]
        stream: BatchStream[None] = BatchStream(
            self._client.linkage_codes.BatchRequestCodes, depth=1, waiting=self._waiting
        )
        answers = []
        for start in range(0, len(numbers), _MOST):
            request = linkage.BatchRequestCodesRequest(
                batch_id=self._ids.next("batch"), integrated_address_numbers=numbers[start : start + _MOST]
            )
            answers += stream.send(None, request)
        answers += stream.drain()
        stream.close()
        asked = sum(list(answer.outcomes).count(common.ROW_OUTCOME_COMMITTED) for _, answer in answers)
        self._report.asked += asked
        return bool(asked)

    def _check(self) -> None:
        self._waiting.check()
        if self._error is not None:
            raise self._error
        if time.monotonic() - self._moved > self._waiting.stall:
            raise ChukanError("CODE_ANSWER_TIMED_OUT")

    def _is_over(self) -> bool:
        """Whether nothing is open but what can't be submitted."""
        most = min(_MOST, len(self._not_submittable) + 1)
        rows = self._list(_OPEN, most=most)
        return all(row.integrated_address_number in self._not_submittable for row in rows)

    def _catch_up(self) -> None:
        """Let the watch tell of the last links: it follows the states that are asked for here by a moment."""
        report = self._report
        while report.linked + self._failed < report.submitted and time.monotonic() - self._moved < _CATCH_UP:
            self._waiting.stop.wait(_GLANCE)

    def _summarise(self) -> None:
        report = self._report
        try:
            self.open_numbers = [row.integrated_address_number for row in self._all(_OPEN)]
            report.failed = Counter(row.failure_reason for row in self._all((linkage.LINKAGE_STATE_FAILED,)))
        except ChukanError as error:
            report.state, report.problem = FAILED, report.problem or error.code
        report.open = len(self.open_numbers)

    def _all(self, states: Sequence[int]) -> list[linkage.LinkageStatus]:
        rows: list[linkage.LinkageStatus] = []
        token = ""
        while True:
            request = linkage.ListLinkageStatesRequest(states=states, page_size=_MOST, page_token=token)  # type: ignore[arg-type]
            answer = retried(partial(self._client.linkage_codes.ListLinkageStates, request), self._waiting)
            rows += answer.linkage_statuses
            token = answer.next_page_token
            if not token:
                return rows

    def _list(self, states: Sequence[int], *, most: int) -> Sequence[linkage.LinkageStatus]:
        request = linkage.ListLinkageStatesRequest(states=states, page_size=most)  # type: ignore[arg-type]
        answer = retried(partial(self._client.linkage_codes.ListLinkageStates, request), self._waiting)
        return answer.linkage_statuses

    def _watch(self) -> None:
        token = self._read_token()
        pauses: Pauses | None = None  # since the server was lost
        while not self._ended.is_set() and not self._waiting.stop.is_set():
            begun, pause = time.monotonic(), _FIRST_PAUSE
            try:
                for reached in self._watched(token):
                    token, pauses = reached, None
            except ChukanError as error:
                if self._ended.is_set() or self._waiting.stop.is_set():
                    return
                if error.code in _TOKEN_ENDED and token:
                    token = ""
                elif error.code == _OVER and time.monotonic() - begun >= STREAM_SECONDS:
                    pauses = None  # it ran its time and goes on where it was; that nothing moves is found out elsewhere
                else:
                    pauses = pauses or Pauses(self._waiting.patience)
                    try:
                        pause = pauses.after(_lost(error))
                    except ChukanError as given_up:
                        self._error = given_up
                        return
            except Exception:
                self._error = ChukanError("INTERNAL_ERROR")
                raise
            self._ended.wait(pause)

    def _watched(self, token: str) -> Iterator[str]:
        """Yield the position after each batch of changes that was dealt with."""
        request = linkage.WatchLinkageStatesRequest(resume_token=token, states=_WATCHED)
        self._call = self._client.linkage_codes.WatchLinkageStates(request, timeout=STREAM_SECONDS)
        for answer in self._call:
            self._take(answer.linkage_statuses)
            self._keep_token(answer.resume_token)
            yield answer.resume_token

    def _take(self, statuses: Sequence[linkage.LinkageStatus]) -> None:
        report = self._report
        issued = [row for row in statuses if row.state == linkage.LINKAGE_STATE_PROCESSING_NUMBER_ISSUED]
        for start in range(0, len(issued), _MOST):
            self._submit(issued[start : start + _MOST])
        links = [row.link_time.ToMicroseconds() for row in statuses if row.state == linkage.LINKAGE_STATE_LINKED]
        report.linked += sum(link > self._linked_before for link in links)  # a changed flag tells of an old link again
        self._last_link = max(self._last_link, *links, 0)
        self._failed += sum(row.state == linkage.LINKAGE_STATE_FAILED for row in statuses)
        if statuses:
            self._moved = time.monotonic()
        if self._progress is not None:
            total = max(report.asked, report.linked)
            self._progress(ProgressEvent("linkage codes", report.linked, total, 0, report.submitted))

    def _submit(self, rows: Sequence[linkage.LinkageStatus]) -> None:
        said = "\x1f".join((self._world, *(row.processing_number for row in rows)))
        request = address.SubmitProcessingNumbersRequest(
            batch_id=f"submit-{blake2b(said.encode(), digest_size=16).hexdigest()}",
            integrated_address_numbers=[row.integrated_address_number for row in rows],
            processing_numbers=[row.processing_number for row in rows],
        )
        submit = partial(self._client.address.SubmitProcessingNumbers, request, metadata=self._client.new_request())
        answer = retried(submit, self._waiting)
        self._report.submitted += len(rows) - len(answer.failures)
        self._not_submittable.update(rows[failure.row].integrated_address_number for failure in answer.failures)

    def _read_token(self) -> str:
        """Return the position an earlier run had reached in this world, and take over when its last link was made."""
        try:
            token, link, world = self._token_file.read_text("utf-8").split("\n")
            last_link = int(link)
        except (OSError, ValueError):
            return ""
        if world != self._world:
            return ""
        self._linked_before = self._last_link = last_link
        return token

    def _keep_token(self, token: str) -> None:
        partial_file = self._token_file.with_suffix(".partial")
        with partial_file.open("w", encoding="utf-8") as file:
            file.write(f"{token}\n{self._last_link}\n{self._world}")
            file.flush()
            os.fsync(file.fileno())
        partial_file.replace(self._token_file)


def _lost(error: ChukanError) -> ChukanError:
    """Return what a watch ended with; one that was cut off before its time is a lost server."""
    if error.code != _OVER:
        return error
    return ChukanError("PEER_UNREACHABLE", params={"status": error.code}, retry_after=error.retry_after)
