# SPDX-License-Identifier: Apache-2.0
"""What the use cases need of the world, as small Protocols written from the caller's side, a module per area."""

from __future__ import annotations

from chukan.server.ports.environment import (
    Changes,
    Connection,
    Database,
    Environment,
    Master,
    Outbox,
    OutboxItem,
    Vault,
)

__all__ = ["Changes", "Connection", "Database", "Environment", "Master", "Outbox", "OutboxItem", "Vault"]
