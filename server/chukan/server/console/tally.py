# SPDX-License-Identifier: Apache-2.0
"""Inquiries of one organization by state, counted by following its changes while somebody looks.

There is no RPC that counts. A list says where the commit order stands; if that is where the last count ended, nothing
changed. Else the changes since then are read by a short watch. What it gives up: a receipt number is remembered for
each inquiry, so that above `MOST` nothing is counted any more, and the page says so.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chukan.standard.reasons import ChukanError
from chukan.v1 import inquiry_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chukan.client import Client

__all__ = ["MOST", "Counts", "Tally"]

MOST: Final = 200_000
_FULL: Final = 1_000
"""Rows of a full batch of a watch."""
_QUIET_SECONDS: Final = (0.05, 0.5)
"""How long a watch may say nothing at first; each time it said nothing twice as long, up to the second."""
_COUNTING_SECONDS: Final = 2.0
"""How long the first counts of a look may take."""
_ENDS: Final = frozenset({"DEADLINE_EXCEEDED", "CALL_CANCELLED"})


class Counts(NamedTuple):
    """Inquiries by state (InquiryState); complete: everything there is was counted. overflow: too many to count."""

    states: Mapping[int, int]
    complete: bool = True
    overflow: bool = False


class Tally:
    """Counts of one organization, carried on from look to look."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._states: dict[str, int] = {}
        self._token = ""
        self._stood = ""
        self._patience = _QUIET_SECONDS[0]
        self._complete = False

    def look(self, client: Client) -> Counts:
        """Read what changed since the last look. Errors: those of the RPCs; the next look begins where this ended."""
        with self._lock:
            if len(self._states) > self._most:
                return Counts({}, complete=False, overflow=True)
            listed = client.inquiries.ListInquiries(pb.ListInquiriesRequest(page_size=1))
            if not listed.inquiries:
                self._begin()
                return Counts({})
            stands = listed.resume_token
            if stands != self._stood or not self._complete:
                token = self._token
                try:
                    self._complete = self._read(client)
                except ChukanError as error:
                    if error.code not in {"RESUME_TOKEN_EXPIRED", "RESUME_TOKEN_INVALID"}:
                        raise
                    self._begin()  # another world: everything is counted anew
                    self._complete = self._read(client)
                self._settle(token, stands)
            return Counts(Counter(self._states.values()), complete=self._complete)

    def _settle(self, token: str, stands: str) -> None:
        """Believe that nothing is left to read where something came, or nothing came for long."""
        if self._token != token or self._patience >= _QUIET_SECONDS[1]:
            self._stood, self._patience = stands, _QUIET_SECONDS[0]
        else:
            self._patience *= 2

    def _read(self, client: Client) -> bool:
        """Follow the changes until there are no more or time is over; whether the end was seen."""
        request = pb.WatchInquiriesRequest(resume_token=self._token)
        caught_up = True
        seconds = self._patience if self._complete else _COUNTING_SECONDS
        watch: Any = client.inquiries.WatchInquiries(request, timeout=seconds)
        try:
            for batch in watch:
                self._states.update((each.receipt_number, each.state) for each in batch.inquiries)
                self._token = batch.resume_token
                caught_up = len(batch.inquiries) < _FULL
                if caught_up or len(self._states) > self._most:
                    return caught_up
        except ChukanError as error:
            if error.code not in _ENDS:
                raise
        finally:
            watch.cancel()
        return caught_up
