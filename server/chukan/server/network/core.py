# SPDX-License-Identifier: Apache-2.0
"""What every use case of the network core is handed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from chukan.server.domain.exchange import milliseconds

if TYPE_CHECKING:
    from chukan.server.network.masters import Directory
    from chukan.server.ports import Environment, Outbox
    from chukan.server.ports.exchange import Codec, ExchangeKeys
    from chukan.server.ports.network import Exchanges, LinkageCodes, ProcessingNumbers, Residents

__all__ = ["Core", "NetworkSettings"]


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Terms of the network [own] (docs/divergences "Processing numbers", "The exchange")."""

    processing_number_lifetime: timedelta = timedelta(days=7)
    """How long a processing number waits for its individual number."""
    permit_lifetime: timedelta = timedelta(days=31)
    """How long a permit counts at most; an inquiry that gives up earlier ends it earlier."""
    statement_lifetime: timedelta = timedelta(days=31)
    """How long a signed statement about permits counts; its permits say for themselves when they end."""


@dataclass(frozen=True, slots=True)
class Core:
    """The network core's environment, tables, keys and terms."""

    environment: Environment
    outbox: Outbox
    codec: Codec
    keys: ExchangeKeys
    processing_numbers: ProcessingNumbers
    residents: Residents
    linkage_codes: LinkageCodes
    exchanges: Exchanges
    directory: Directory
    settings: NetworkSettings = NetworkSettings()

    @property
    def now_ms(self) -> int:
        """The present instant, in milliseconds as statements carry it."""
        return milliseconds(self.environment.clock.now())
