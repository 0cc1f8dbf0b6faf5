# SPDX-License-Identifier: Apache-2.0
"""Durable state: the database with its group-committing writer, change numbers, outbox, idempotency and the vault."""

from sqlalchemy import Connection

from chukan.durable.changes import Changes, next_change_seq
from chukan.durable.database import Database
from chukan.durable.dispatcher import Backoff, Dispatcher
from chukan.durable.idempotency import answered, forget, forget_old, idempotency_table, once
from chukan.durable.image import Image
from chukan.durable.instants import from_micros, to_micros
from chukan.durable.migrations import Schema
from chukan.durable.outbox import Backlog, Item, Outbox, outbox_table
from chukan.durable.statements import Statement, bulk_insert
from chukan.durable.vault import Vault
from chukan.durable.vault_keys import load_master_key, vault_key_table

__all__ = [
    "Backlog",
    "Backoff",
    "Changes",
    "Connection",
    "Database",
    "Dispatcher",
    "Image",
    "Item",
    "Outbox",
    "Schema",
    "Statement",
    "Vault",
    "answered",
    "bulk_insert",
    "forget",
    "forget_old",
    "from_micros",
    "idempotency_table",
    "load_master_key",
    "next_change_seq",
    "once",
    "outbox_table",
    "to_micros",
    "vault_key_table",
]
