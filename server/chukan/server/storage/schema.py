# SPDX-License-Identifier: Apache-2.0
"""The metadata every table of the server is declared on, and the one outbox of its database."""

from __future__ import annotations

from typing import Final

from sqlalchemy import MetaData

from chukan.durable.outbox import outbox_table

__all__ = ["metadata", "outbox"]

metadata: Final = MetaData()

outbox: Final = outbox_table(metadata)
"""Work promised by middle servers and network core alike; its kinds are in `chukan.server.dispatch`."""
