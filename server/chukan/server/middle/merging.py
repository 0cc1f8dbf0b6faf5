# SPDX-License-Identifier: Apache-2.0
"""統合: what becomes of replicas, flags and a running acquisition when two numbers turn out to be one person's.

In one durable step with the merge itself:
1 two different codes are two people's: refused;
2 replicas that one person can't have twice stop the merge and are named by information and data set: same record key
  under both numbers, or a record a day where the layout allows one only; a person decides which one is right;
3 every other replica moves to the survivor with its versions; a deleted one whose key the survivor has stays history;
4 the survivor is protected as either was: flags are joined, never lost;
5 a code moves to the survivor; a processing number is for one acquisition of one number (番号法21条の2), so it is
  purged and the survivor asks for one of its own.
That records move and history stays is the lesson of 総点検 2023; the rest is [own] (docs/divergences "Linkage codes").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.linkage import LinkageState, LinkageUpdate
from chukan.server.domain.replica import ReplicaState
from chukan.standard.layouts import information_codes, layout
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chukan.server.domain.linkage import AddresseeRow
    from chukan.server.domain.replica_rows import ReplicaRow
    from chukan.server.ports import Connection
    from chukan.server.ports.linkage import ReplicaMover

__all__ = ["CodesBefore", "acquires_anew", "flags_of", "joined_flags", "move_replicas"]

_PAGE: Final = 1_000
_RUNNING: Final = (LinkageState.REQUESTED, LinkageState.PROCESSING_NUMBER_ISSUED)


class CodesBefore(NamedTuple):
    """The codes of both numbers as read before the write: digests, empty for none, and the seal for the survivor.

    A code may come or go until the write, which therefore asks whether they still hold before it believes them.
    """

    gone: bytes
    stays: bytes
    sealed: bytes

    @property
    def known(self) -> list[bytes]:
        """The digests of the codes there are."""
        return [digest for digest in (self.gone, self.stays) if digest]

    def hold(self, gone: AddresseeRow, stays: AddresseeRow, holders: Mapping[bytes, int]) -> bool:
        """Whether both numbers have the codes they had; holders: who has the known ones now."""
        return all(
            holders.get(digest) == row.id if digest else row.linkage_state is not LinkageState.LINKED
            for digest, row in ((self.gone, gone), (self.stays, stays))
        )

    def taken(self, stays: AddresseeRow, now: int) -> LinkageUpdate:
        """Return the survivor's linkage once it has the merged number's code."""
        return LinkageUpdate(stays.id, int(LinkageState.LINKED), code_digest=self.gone, code=self.sealed, linked=now)


def flags_of(row: AddresseeRow) -> tuple[bool, bool, str]:
    """Return the protective flags as they are stored."""
    return row.nondisclosure, row.self_information_disabled, " ".join(sorted(row.auto_response_disabled))


def joined_flags(gone: AddresseeRow, stays: AddresseeRow) -> tuple[bool, bool, str]:
    """Return the protection of both."""
    codes = gone.auto_response_disabled | stays.auto_response_disabled
    return (
        gone.nondisclosure or stays.nondisclosure,
        gone.self_information_disabled or stays.self_information_disabled,
        " ".join(sorted(codes)),
    )


def acquires_anew(gone: AddresseeRow) -> bool:
    """Whether an acquisition of the merged number runs, which ends with it."""
    return gone.linkage_state in _RUNNING


def move_replicas(
    connection: Connection, organization: str, replicas: ReplicaMover, *, source: int, target: int
) -> None:
    """Move all replicas that may move. Errors: REPLICAS_COLLIDE."""
    gone = _all(connection, organization, replicas, source)
    if not gone:
        return
    held = _all(connection, organization, replicas, target)
    colliding = sorted({f"{row.information}/{row.data_set}" for row in gone if _collides(row, held)})
    if colliding:
        raise ChukanError("REPLICAS_COLLIDE", params={"replicas": " ".join(colliding)})
    taken = {_key(row) for row in held}
    for row in gone:
        if _key(row) not in taken:
            replicas.move(connection, organization, _key(row), source, target)


def _all(connection: Connection, organization: str, replicas: ReplicaMover, addressee: int) -> list[ReplicaRow]:
    rows: list[ReplicaRow] = []
    after = ("", "", "")
    while True:
        page = replicas.page(
            connection,
            organization,
            addressee,
            informations=list(information_codes()),
            deleted=True,
            after=after,
            most=_PAGE,
        )
        rows += page
        if len(page) < _PAGE:
            return rows
        after = _key(page[-1])


def _key(row: ReplicaRow) -> tuple[str, str, str]:
    return row.information, row.data_set, row.record_key


def _collides(row: ReplicaRow, held: list[ReplicaRow]) -> bool:
    if row.state != ReplicaState.ACTIVE:
        return False
    return any(
        other.record_key == row.record_key
        or (other.state == ReplicaState.ACTIVE and _one_a_day(row) and _meet(row, other))
        for other in held
        if (other.information, other.data_set) == (row.information, row.data_set)
    )


def _one_a_day(row: ReplicaRow) -> bool:
    found = layout(row.information, row.edition)
    return found.period == "date" and found.data_set(row.data_set).parent is None


def _meet(row: ReplicaRow, other: ReplicaRow) -> bool:
    return (not row.end_date or other.start_date <= row.end_date) and (
        not other.end_date or other.end_date >= row.start_date
    )
