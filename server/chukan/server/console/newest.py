# SPDX-License-Identifier: Apache-2.0
"""The newest inquiries first, though the RPC lists from the oldest on.

The list is read to its end in pages that grow. Where its last page but one began is remembered, so that the next look
begins there: near the end it reads few rows. What it gives up: the first look of a long list takes long; after some
seconds it breaks off, and the next one goes on.
"""

from __future__ import annotations

import threading
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Final

from chukan.server.console.inquiries import PAGE, Page, inquiry_of, states_of
from chukan.standard.reasons import ChukanError
from chukan.v1 import inquiry_service_pb2 as pb

if TYPE_CHECKING:
    from chukan.client import Client

__all__ = ["Newest"]

_SECONDS: Final = 2.0
"""How long a look may read."""
_FIRST: Final = 100
_LARGEST: Final = 1_000
_LAST_TWO: Final = 2


class Newest:
    """Remembers per list, of an organization and a state, near which place it ended."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._begins: dict[tuple[str, str], str] = {}

    def look(self, client: Client, organization: str, *, state: str) -> Page:
        """List the newest, as inquiries_of has them; not complete: the end was not reached. Errors: those of it."""
        with self._lock:
            begin = self._begins.get((organization, state), "")
        try:
            page, begins = self._read(client, state, begin)
        except ChukanError as error:
            if not begin or error.code != "PAGE_TOKEN_INVALID":
                raise
            page, begins = self._read(client, state, "")
        if begin and page.complete and len(page.inquiries) < PAGE:  # another world, or they left the state
            page, begins = self._read(client, state, "")
        with self._lock:
            self._begins[organization, state] = begins
        return page

    def _read(self, client: Client, state: str, begin: str) -> tuple[Page, str]:
        """Read from a token on; return the newest, and where the next look begins."""
        states, until, size = states_of(state), monotonic() + self._seconds, _FIRST
        begins, rows = [begin], deque[pb.Inquiry](maxlen=PAGE)
        while True:
            request = pb.ListInquiriesRequest(states=states, page_size=size, page_token=begins[-1])
            answer = client.inquiries.ListInquiries(request)
            rows.extend(answer.inquiries)
            complete = not answer.next_page_token
            if complete or (len(begins) >= _LAST_TWO and monotonic() > until):
                break
            begins.append(answer.next_page_token)
            size = min(size * 2, _LARGEST)
        going_on = begins[-_LAST_TWO:][0] if complete else begins[-1]  # from a page that is full
        return Page([inquiry_of(each) for each in reversed(rows)], "", complete), going_on
