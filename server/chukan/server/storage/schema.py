# SPDX-License-Identifier: Apache-2.0
"""The metadata every table of the server is declared on, with the tables that come from `chukan.durable`."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

from chukan.durable.idempotency import idempotency_table
from chukan.durable.outbox import outbox_table
from chukan.durable.vault_keys import vault_key_table

__all__ = ["metadata", "outbox"]

metadata: Final = MetaData()

outbox: Final = outbox_table(metadata)
"""Work promised by middle servers and network core alike; its kinds are in `chukan.server.dispatch`."""

idempotency_table(metadata)
vault_key_table(metadata)
