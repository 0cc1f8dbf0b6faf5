# SPDX-License-Identifier: Apache-2.0
"""Following open inquiries until they are finished: a watch in commit order, and a look at the list when it is silent.

The watch goes on where the ledger says the last run stood, so what ended between two runs is learnt too; a first run
watches from now on, and sends nothing before the server has said from where. The list is the safety net: it finds what
a watch can't tell (sent by another ledger, a token too old, a server that was reset), and who waits for a person.
"""

from __future__ import annotations

import threading
from functools import partial
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from chukan.adapter.exchange.ledger import Finished
from chukan.adapter.exchange.messages import RowStatus
from chukan.adapter.patience import LONGEST_WAIT, STREAM_SECONDS, answer_of, may_pass, patiently
from chukan.standard.reasons import ChukanError
from chukan.v1.common_pb2 import (
    INQUIRY_STATE_ACCEPTED,
    INQUIRY_STATE_ANSWERED,
    INQUIRY_STATE_CANCELLED,
    INQUIRY_STATE_PERMITTED,
    INQUIRY_STATE_REFUSED,
    INQUIRY_STATE_TIMED_OUT,
    INQUIRY_STATE_WAITING_FOR_APPROVAL,
)
from chukan.v1.inquiry_service_pb2 import GetInquiryRequest, ListInquiriesRequest, WatchInquiriesRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chukan.client import Client
    from chukan.v1.inquiry_service_pb2 import Inquiry

__all__ = ["Follower", "Learnt", "Standing"]

_NOW: Final = ""
_AT_ONCE: Final = 32
_PAGE: Final = 1_000
_HELD_BATCHES: Final = 64
_OPEN: Final = (INQUIRY_STATE_ACCEPTED, INQUIRY_STATE_PERMITTED, INQUIRY_STATE_WAITING_FOR_APPROVAL)
_ENDED: Final = frozenset(
    {INQUIRY_STATE_ANSWERED, INQUIRY_STATE_REFUSED, INQUIRY_STATE_TIMED_OUT, INQUIRY_STATE_CANCELLED}
)
"""A state of a newer server is neither: it is an end if it says when it ended."""
_PAUSE_SECONDS: Final = 1.0
_BEGIN_SECONDS: Final = 5.0
_LEAVING_SECONDS: Final = 0.02
_LEAVING_TURNS: Final = 100


class Learnt(NamedTuple):
    """Finished inquiries, and where the watch goes on after them ("" if it was not the watch that told)."""

    finished: list[Finished]
    token: str


class Standing(NamedTuple):
    """What a look at the list showed: what is finished, unknown there, and waits for a person."""

    finished: list[Finished]
    unknown: list[str]
    waiting: set[str]


class Follower:
    """Watches in a thread of its own from the moment it is entered."""

    def __init__(self, client: Client, token: str) -> None:
        self._client = client
        self._token = token or _NOW
        self._begun = threading.Event()
        self._learnt: Queue[Learnt] = Queue(_HELD_BATCHES)
        self._ended = threading.Event()
        self._call: Any = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="inquiry-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if self._token == _NOW:
            self._begun.wait(_BEGIN_SECONDS)
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        with self._lock:
            if self._call is not None:
                self._call.cancel()
        for _ in range(_LEAVING_TURNS):  # a thread that does not end goes with the channel
            if not self._thread.is_alive():
                break
            self.next(_LEAVING_SECONDS)

    def next(self, seconds: float) -> Learnt | None:
        """Return what was learnt next, None if nothing was within the time."""
        try:
            return self._learnt.get(timeout=seconds) if seconds > 0 else self._learnt.get_nowait()
        except Empty:
            return None

    def start_anew(self) -> None:
        """Watch from now on: where the last run stood means nothing to this server, it seems."""
        with self._lock:
            self._token = _NOW
            if self._call is not None:
                self._call.cancel()

    def look(self, records: Sequence[str]) -> Standing:
        """Look where these inquiries stand, by the list of the open ones."""
        wanted, waiting, open_now = set(records), set(), set()
        token = ""
        while True:
            request = ListInquiriesRequest(states=_OPEN, page_size=_PAGE, page_token=token)
            page = patiently(partial(self._client.inquiries.ListInquiries, request))
            for each in page.inquiries:
                if each.spec.record_id in wanted:
                    open_now.add(each.spec.record_id)
                    if each.state == INQUIRY_STATE_WAITING_FOR_APPROVAL:
                        waiting.add(each.spec.record_id)
            token = page.next_page_token
            if not token:
                break
        finished, unknown = self._ask([record for record in records if record not in open_now])
        return Standing(finished, unknown, waiting)

    def _ask(self, records: Sequence[str]) -> tuple[list[Finished], list[str]]:
        finished: list[Finished] = []
        unknown: list[str] = []
        for start in range(0, len(records), _AT_ONCE):
            some = records[start : start + _AT_ONCE]
            asks = [
                partial(self._client.inquiries.GetInquiry.future, GetInquiryRequest(record_id=each)) for each in some
            ]
            calls: list[Any] = [ask() for ask in asks]
            for record, call, ask in zip(some, calls, asks, strict=True):
                try:
                    inquiry = answer_of(call, ask).inquiry
                except ChukanError as error:
                    if error.code != "INQUIRY_UNKNOWN":
                        raise
                    unknown.append(record)
                else:
                    finished += _finished([inquiry])
        return finished, unknown

    def _watch(self) -> None:
        while not self._ended.is_set():
            pause = _PAUSE_SECONDS
            try:
                self._follow()
            except ChukanError as error:
                if error.code in ("RESUME_TOKEN_EXPIRED", "RESUME_TOKEN_INVALID"):
                    self._token = _NOW
                elif not may_pass(error) and error.code != "CALL_CANCELLED":
                    return  # the looks at the list go on and tell what is wrong
                pause = min(max(pause, error.retry_after or 0.0), LONGEST_WAIT)
            self._ended.wait(pause)

    def _follow(self) -> None:
        request = WatchInquiriesRequest(
            resume_token=self._token, from_now=not self._token, finished_only=True, unacknowledged_only=True
        )
        with self._lock:
            if self._ended.is_set():
                return
            self._call = self._client.inquiries.WatchInquiries(request, timeout=STREAM_SECONDS)
        for answer in self._call:
            self._token = answer.resume_token
            self._begun.set()
            self._learnt.put(Learnt(_finished(answer.inquiries), answer.resume_token))
            if self._ended.is_set():
                return


def _finished(inquiries: Iterable[Inquiry]) -> list[Finished]:
    return [
        Finished(
            each.spec.record_id,
            each.receipt_number,
            RowStatus(
                each.status.row_status,
                each.status.row_message,
                each.status.information_status,
                each.status.information_message,
            ),
            each.reason,
            each.answer_kind,
            each.result_expire_time.ToMilliseconds() if each.HasField("result_expire_time") else 0,
        )
        for each in inquiries
        if each.state in _ENDED or (each.state not in _OPEN and each.HasField("finish_time"))
    ]
