# SPDX-License-Identifier: Apache-2.0
"""The middle server's dispatched steps of an exchange.

Kinds and who owns their repair: request_permits (step 2; given up: the timer writes it anew),
forward_inquiries and commit_outcomes (the timer), return_answers and pull_network_records
(the outbox alone: parked rows stay until revived).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.server.middle.inquiry_acceptance import REQUEST_PERMITS
from chukan.server.middle.inquiry_timers import COMMIT_OUTCOMES, FORWARD_INQUIRIES
from chukan.server.middle.manual_provisions import RETURN_ANSWERS
from chukan.server.middle.record_comparison import PULL_NETWORK_RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chukan.server.middle.inquiry_timers import InquiryTimers
    from chukan.server.middle.manual_provisions import ProvisionDesk
    from chukan.server.middle.permit_requests import PermitRequests
    from chukan.server.middle.record_comparison import RecordComparison
    from chukan.server.ports import Database, Outbox, OutboxItem

__all__ = ["ExchangeSteps"]


class ExchangeSteps:
    """The handlers of a middle server's exchange kinds."""

    def __init__(
        self,
        *,
        permits: PermitRequests,
        timers: InquiryTimers,
        provisions: ProvisionDesk,
        comparison: RecordComparison,
        database: Database,
        outbox: Outbox,
    ) -> None:
        self._permits = permits
        self._timers = timers
        self._provisions = provisions
        self._comparison = comparison
        self._database = database
        self._outbox = outbox

    def handlers(self) -> Mapping[str, Callable[[Sequence[OutboxItem]], None]]:
        """Return kind → handler."""
        return {
            REQUEST_PERMITS: self._permits.handle,
            FORWARD_INQUIRIES: self._timers.forward,
            COMMIT_OUTCOMES: self._timers.commit_outcomes,
            RETURN_ANSWERS: self._provisions.return_answers,
            PULL_NETWORK_RECORDS: self._comparison.pull,
        }

    def gave_up(self) -> Mapping[str, Callable[[Sequence[OutboxItem]], None]]:
        """Return kind → what becomes of rows after their last attempt: the timer looks after these anew."""
        return {REQUEST_PERMITS: self._drop, FORWARD_INQUIRIES: self._drop, PULL_NETWORK_RECORDS: self._drop}

    def _drop(self, items: Sequence[OutboxItem]) -> None:
        ids = [item.id for item in items]
        self._database.write(items[0].organization, lambda connection: self._outbox.done(connection, ids))
