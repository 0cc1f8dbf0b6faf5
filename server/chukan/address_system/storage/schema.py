# SPDX-License-Identifier: Apache-2.0
"""The metadata every table of the address system is declared on, its outbox and its kept answers."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

from chukan.durable.idempotency import idempotency_table
from chukan.durable.outbox import outbox_table
from chukan.durable.vault_keys import vault_key_table

__all__ = ["metadata", "outbox"]

metadata: Final = MetaData()
idempotency_table(metadata)
vault_key_table(metadata)

outbox: Final = outbox_table(metadata)
"""Calls to the resident network that were promised."""
