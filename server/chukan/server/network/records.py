# SPDX-License-Identifier: Apache-2.0
"""The network's copy of the exchange records (情報提供等記録): read by either side, completed by what members tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.exchange import NetworkRecord, Outcome
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.exchange import OutcomeCommitment
    from chukan.server.domain.network_exchange import NetworkExchange
    from chukan.server.network.core import Core
    from chukan.server.ports import Connection

__all__ = ["TIMED_OUT_REASON", "RecordPage", "commit_outcomes", "list_records"]

TIMED_OUT_REASON: Final = "ANSWER_TIMED_OUT"
_PAGE: Final = 100
_ENDS: Final = (Outcome.TIMED_OUT, Outcome.CANCELLED)


class RecordPage(NamedTuple):
    """A page of records and the token of the next; empty = last."""

    records: list[NetworkRecord]
    next_token: str


def commit_outcomes(core: Core, caller: str, commitments: Sequence[OutcomeCommitment]) -> int:
    """Note that the inquirer gave exchanges up; only its own, still open ones change. Returns how many did."""
    told = {each.exchange_digest: each for each in commitments if each.outcome in _ENDS}

    def write(connection: Connection) -> int:
        known = core.exchanges.by_digests(connection, list(told))
        mine = [each for each in known.values() if each.inquirer == caller and each.is_open]
        core.exchanges.end(
            connection, [(each.id, int(told[each.digest].outcome), told[each.digest].reason) for each in mine]
        )
        return len(mine)

    return core.environment.database.write(caller, write) if told else 0


def list_records(
    core: Core, caller: str, *, exchange_ids: Sequence[str] = (), page_size: int = 0, page_token: str = ""
) -> RecordPage:
    """Return the caller's exchanges, those named or a page of all; another's are absent."""
    if exchange_ids:
        digests = [_digest(each) for each in dict.fromkeys(exchange_ids)]
        with core.environment.database.read() as connection:
            known = core.exchanges.by_digests(connection, digests)
        found = [known[digest] for digest in digests if digest in known]
        return RecordPage([each.record() for each in found if _takes_part(caller, each)], "")
    most = page_size or _PAGE
    after = _after(page_token)
    with core.environment.database.read() as connection:
        page = core.exchanges.page(connection, caller, after=after, most=most + 1)
    token = str(page[most - 1].id) if len(page) > most else ""
    return RecordPage([each.record() for each in page[:most]], token)


def _takes_part(caller: str, exchange: NetworkExchange) -> bool:
    return caller in (exchange.inquirer, exchange.provider)


def _digest(exchange_id: str) -> bytes:
    try:
        return bytes.fromhex(exchange_id)
    except ValueError:
        raise ChukanError("INVALID_FIELD", field="exchange_ids") from None


def _after(token: str) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 19):  # noqa: PLR2004 digits of 63 bits
        raise ChukanError("PAGE_TOKEN_INVALID", field="page_token")
    return int(token)
