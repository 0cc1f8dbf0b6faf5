# SPDX-License-Identifier: Apache-2.0
"""Replicas as rows pass between the use cases and their store."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HeldReplica", "ImportRow", "LaneAges", "LaneRow", "NewReplica", "ReplicaRow"]


class NewReplica(NamedTuple):
    """One version to write; content is sealed under the record id. Instants in microseconds since 1970."""

    organization: str
    information: str
    addressee: int
    data_set: str
    record_key: str
    version: int
    parent_key: str
    shape: int
    record_id: str
    start_date: str
    end_date: str
    state: int
    delete_reason: str
    ward_code: str
    updated: int
    content: bytes


class HeldReplica(NamedTuple):
    """What the checks of a new version need of the current one."""

    version: int
    start_date: str
    end_date: str
    state: int
    record_id: str
    shape: int


class ReplicaRow(NamedTuple):
    """One version as read; `content` is packed (domain.content) and empty where it was not asked for."""

    addressee: int
    information: str
    data_set: str
    record_key: str
    parent_key: str
    edition: str
    item_codes: tuple[str, ...]
    record_id: str
    start_date: str
    end_date: str
    state: int
    version: int
    delete_reason: str
    ward_code: str
    updated: int
    content: bytes


class LaneRow(NamedTuple):
    """The lane of one information; instants in microseconds since 1970, 0 where there is none.

    held: since when it is held. stuck: since when nothing that came was taken, until a row is written again.
    """

    information: str
    state: int
    hold_reason: str
    replica_count: int
    last_success: int
    last_refusal: int
    refused_count: int
    held: int = 0
    stuck: int = 0


class LaneAges(NamedTuple):
    """The worst lane of one information over all organizations: instants as in LaneRow."""

    held: int
    stuck: int
    last_success: int


class ImportRow(NamedTuple):
    """The report of one batch; a failure is (row, reason, field, item code, rule), never a personal value."""

    batch_id: str
    information: str
    data_set: str
    edition: str
    body_digest: bytes
    state: int
    outcomes: Sequence[int]
    failures: Sequence[Sequence[int | str]]
    created: int
    change_seq: int = 0
    id: int = 0
