# SPDX-License-Identifier: Apache-2.0
"""Replicas (副本) as values: batches by columns, states of replicas, imports and lanes. Rules: `replica_checks`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.server.domain.content import Column

__all__ = ["ImportState", "LaneState", "Operation", "ReplicaBatch", "ReplicaState"]


class Operation(IntEnum):
    """What a row does; numbers as in the contract."""

    REGISTER = 1
    DELETE = 2


class ReplicaState(IntEnum):
    """State of a replica; numbers as stored and as in the contract."""

    ACTIVE = 1
    DELETED = 2


class ImportState(IntEnum):
    """State of a batch; numbers as stored and as in the contract."""

    COMPLETED = 1
    COMPLETED_WITH_FAILURES = 2
    REFUSED = 3


class LaneState(IntEnum):
    """State of a lane; numbers as stored and as in the contract."""

    OPEN = 1
    HELD = 2


@dataclass(frozen=True, slots=True)
class ReplicaBatch:
    """A batch of one information, data set and edition, by columns; an empty column stands for its default."""

    batch_id: str
    information_code: str
    data_set: str
    edition: str
    record_ids: Sequence[str]
    numbers: Sequence[str]
    record_keys: Sequence[str]
    parent_keys: Sequence[str]
    start_dates: Sequence[str]
    end_dates: Sequence[str]
    operations: Sequence[int]
    delete_reasons: Sequence[str]
    ward_codes: Sequence[str]
    columns: Sequence[Column]
    send_id: str = ""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(self.record_ids)

    @property
    def deleted_rows(self) -> list[int]:
        """The rows that delete; what else they hold is not looked at."""
        return [row for row, operation in enumerate(self.operations) if operation == Operation.DELETE]

    def deletes(self, row: int) -> bool:
        """Whether a row deletes."""
        return bool(self.operations) and self.operations[row] == Operation.DELETE
