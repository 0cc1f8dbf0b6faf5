# SPDX-License-Identifier: Apache-2.0
"""Prepares deliveries to providers: permits grouped by the request they answer, signed anew under one root.

A permit's bytes never change; the statement over a group may be signed again, so an answer that was lost can be asked
for again (Forward) with the very same permit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import Delivery, Outcome
from chukan.server.network.linkage_codes import pack_rows, unpack_rows
from chukan.server.network.permits import REQUEST_DIGEST_SIZE, add_delivery, open_permits, sign_permits
from chukan.server.network.records import TIMED_OUT_REASON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.network.core import Core
    from chukan.server.ports import Connection

__all__ = ["PreparedDelivery", "end_expired", "forward", "prepare", "split"]


class PreparedDelivery(NamedTuple):
    """What to deliver for one outbox item; no delivery if nothing is open any more."""

    delivery: Delivery | None
    expired: list[int]
    """Rows whose permits have run out."""


_ENDED: Final = (Outcome.CANCELLED, Outcome.TIMED_OUT)


def prepare(core: Core, payload: bytes) -> PreparedDelivery:
    """Return the delivery of one outbox item: its permits that are still open, signed."""
    request_digest, rows = payload[:REQUEST_DIGEST_SIZE], unpack_rows(payload[REQUEST_DIGEST_SIZE:])
    now_ms = core.now_ms
    with core.environment.database.read() as connection:
        exchanges = [each for each in core.exchanges.by_ids(connection, rows) if each.outcome not in _ENDED]
        due = [each for each in exchanges if each.expire_time > now_ms]
        leaves = open_permits(core, connection, due)
    expired = [each.id for each in exchanges if each.expire_time <= now_ms and each.is_open]
    ready = [each for each in due if each.id in leaves]
    if not ready:
        return PreparedDelivery(None, expired)
    inquirer = ready[0].inquirer
    permits = tuple([leaves[each.id] for each in ready])
    statement = sign_permits(core, permits, inquirer=inquirer, request_digest=request_digest)
    return PreparedDelivery(Delivery(statement, permits, core.directory.keys_of(inquirer)), expired)


def split(payload: bytes) -> list[bytes]:
    """Return an outbox item's payload in two halves; none if it holds one permit only."""
    request_digest, rows = payload[:REQUEST_DIGEST_SIZE], unpack_rows(payload[REQUEST_DIGEST_SIZE:])
    middle = len(rows) // 2
    return [request_digest + pack_rows(part) for part in (rows[:middle], rows[middle:])] if middle else []


def end_expired(core: Core, connection: Connection, rows: Sequence[int]) -> None:
    """Record inside a write that no answer came in time."""
    core.exchanges.end(connection, [(row, int(Outcome.TIMED_OUT), TIMED_OUT_REASON) for row in rows])


def forward(core: Core, caller: str, exchange_digests: Sequence[bytes]) -> int:
    """Deliver open permits of the caller again, or go on; return how many. What was answered comes back as it was."""

    def write(connection: Connection) -> int:
        known = core.exchanges.by_digests(connection, list(dict.fromkeys(exchange_digests)))
        wanted = [each for each in known.values() if each.inquirer == caller and each.permit_digest]
        open_ones = [each for each in wanted if each.expire_time > core.now_ms and each.outcome not in _ENDED]
        digests = core.exchanges.request_digests(connection, {each.request for each in open_ones})
        groups: dict[tuple[int, str], list[int]] = {}
        for each in open_ones:
            groups.setdefault((each.request, each.provider), []).append(each.id)
        for (request, provider), rows in groups.items():
            add_delivery(core, connection, provider, digests[request] + pack_rows(sorted(rows)))
        return len(open_ones)

    return core.environment.database.write(caller, write)
