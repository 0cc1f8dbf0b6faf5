# SPDX-License-Identifier: Apache-2.0
"""Issues processing numbers (処理通番): one per acquisition, named by the middle server's token.

The network never learns the integrated address number; the middle server never learns the individual number.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from chukan.server.domain.acquisition import IssuedNumbers
from chukan.server.domain.exchange import milliseconds
from chukan.standard.numbers import rows_like_individual_numbers
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.network.core import Core
    from chukan.server.ports import Connection

__all__ = ["issue"]

_RANDOM_NUMBERS: Final = 10**12
_RANDOM_BYTES: Final = 16
"""Of each number: so many more than it has digits that no digit is likelier than another."""


def issue(core: Core, organization: str, tokens: Sequence[str]) -> IssuedNumbers:
    """Return a number per token: a token seen before gets its number again, an empty one when that is purged."""
    if not core.directory.is_connected(organization):
        raise ChukanError("ORGANIZATION_NOT_CONNECTED")  # nobody knows where to deliver the code
    if rows_like_individual_numbers(tokens):
        raise ChukanError("INDIVIDUAL_NUMBER_REFUSED", field="tokens")
    wanted = list(dict.fromkeys(tokens))
    halves = _halves(len(wanted))
    expire = milliseconds(core.environment.clock.now() + core.settings.processing_number_lifetime)

    def write(connection: Connection) -> IssuedNumbers:
        found = core.processing_numbers.by_tokens(connection, organization, wanted)
        fresh = [token for token in wanted if token not in found]
        if fresh:
            added = core.processing_numbers.add(connection, organization, fresh, halves[: len(fresh)], expire)
            found.update((acquisition.token, acquisition) for acquisition in added)
        return IssuedNumbers(
            [found[token].number for token in tokens],
            min(acquisition.expire for acquisition in found.values()),
        )

    return core.environment.database.write(organization, write)


def _halves(count: int) -> list[str]:
    """Return the random halves of so many numbers."""
    random = secrets.token_bytes(_RANDOM_BYTES * count)
    parts = [random[at : at + _RANDOM_BYTES] for at in range(0, len(random), _RANDOM_BYTES)]
    return [f"{int.from_bytes(part, 'big') % _RANDOM_NUMBERS:012d}" for part in parts]
