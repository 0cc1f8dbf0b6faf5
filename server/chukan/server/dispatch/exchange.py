# SPDX-License-Identifier: Apache-2.0
"""The middle server's dispatched steps of an exchange, and the timer that looks after what time ends.

Kinds and who owns their repair: request_permits (step 2; given up: the timer writes it anew),
forward_inquiries and commit_outcomes (the timer), return_answers and pull_network_records
(the outbox alone: parked rows stay until revived).
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final

from chukan.server.middle.exchange_records import PULL_NETWORK_RECORDS
from chukan.server.middle.inquiry_acceptance import REQUEST_PERMITS
from chukan.server.middle.inquiry_timers import COMMIT_OUTCOMES, FORWARD_INQUIRIES
from chukan.server.middle.manual_provisions import RETURN_ANSWERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chukan.server.middle.exchange_records import ExchangeRecordDesk
    from chukan.server.middle.inquiry_timers import InquiryTimers
    from chukan.server.middle.manual_provisions import ProvisionDesk
    from chukan.server.middle.permit_requests import PermitRequests
    from chukan.server.ports import Database, Outbox, OutboxItem

__all__ = ["ExchangeSteps", "Timer"]

_SECONDS: Final = 1.0
_log = logging.getLogger(__name__)


class ExchangeSteps:
    """The handlers of a middle server's exchange kinds."""

    def __init__(
        self,
        *,
        permits: PermitRequests,
        timers: InquiryTimers,
        provisions: ProvisionDesk,
        records: ExchangeRecordDesk,
        database: Database,
        outbox: Outbox,
    ) -> None:
        self._permits = permits
        self._timers = timers
        self._provisions = provisions
        self._records = records
        self._database = database
        self._outbox = outbox

    def handlers(self) -> Mapping[str, Callable[[Sequence[OutboxItem]], None]]:
        """Return kind → handler."""
        return {
            REQUEST_PERMITS: self._permits.handle,
            FORWARD_INQUIRIES: self._timers.forward,
            COMMIT_OUTCOMES: self._timers.commit_outcomes,
            RETURN_ANSWERS: self._provisions.return_answers,
            PULL_NETWORK_RECORDS: self._records.pull,
        }

    def gave_up(self) -> Mapping[str, Callable[[Sequence[OutboxItem]], None]]:
        """Return kind → what becomes of rows after their last attempt: the timer looks after these anew."""
        return {REQUEST_PERMITS: self._drop, FORWARD_INQUIRIES: self._drop, PULL_NETWORK_RECORDS: self._drop}

    def _drop(self, items: Sequence[OutboxItem]) -> None:
        ids = [item.id for item in items]
        self._database.write(items[0].organization, lambda connection: self._outbox.done(connection, ids))


class Timer:
    """Looks every second (real time) whether the injected clock has made something due."""

    def __init__(self, run_due: Callable[[], int], *, seconds: float = _SECONDS) -> None:
        self.run_due = run_due
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chukan-timer", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                self.run_due()
            except Exception as error:  # noqa: BLE001 the next look finds the same again
                _log.warning("timer: %s", type(error).__name__)
