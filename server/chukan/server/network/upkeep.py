# SPDX-License-Identifier: Apache-2.0
"""What the network may not keep: processing numbers nobody used, permits that ran out. Records stay.

A number stays one more lifetime after it expired, so that a late submission is told so and the middle server hears of
it; a permit stays a day, so that a clock that is off finds it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from chukan.server.domain.exchange import NETWORK, milliseconds

if TYPE_CHECKING:
    from chukan.server.network.core import Core
    from chukan.server.ports import Connection

__all__ = ["run_upkeep"]

_MOST: Final = 1_000
_PERMIT_GRACE: Final = timedelta(days=1)


def run_upkeep(core: Core) -> int:
    """Drop what has run out, in short writes; return how many rows were touched."""
    now = core.environment.clock.now()
    numbers_before = milliseconds(now - core.settings.processing_number_lifetime)
    permits_before = milliseconds(now - _PERMIT_GRACE)

    def write(connection: Connection) -> int:
        rows = core.processing_numbers.expired(connection, before=numbers_before, most=_MOST)
        if rows:
            core.processing_numbers.forget(connection, rows)
        return len(rows) + core.exchanges.drop_permits(connection, before=permits_before, most=_MOST)

    touched = 0
    while dropped := core.environment.database.write(NETWORK, write):
        touched += dropped
    return touched
