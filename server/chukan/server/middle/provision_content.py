# SPDX-License-Identifier: Apache-2.0
"""Finds what answers a permit: code → person, flags, replicas, and the cause when there is none.

The five causes behind "no replica" [own] (docs/divergences, "Choice of replicas"):
the provider has no code for the person; nothing of this information was ever sent; the
year asked for is not loaded yet; the person has other years here, so another municipality
answers for this one (1 January rule); nothing applies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.domain.provision import asked_period, choose, to_records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from chukan.server.domain.exchange import PermitLeaf, ResultRecord
    from chukan.server.domain.linkage import AddresseeRow
    from chukan.server.domain.replica_rows import ReplicaRow
    from chukan.server.ports import Connection, Environment
    from chukan.server.ports.exchange_stores import AddresseeFinder, AnswerableReplicas

__all__ = ["Found", "ProvisionContent"]

_BY_YEAR: Final = frozenset({"TM00000000000002"})
"""Information that the municipality of residence on 1 January answers for (地方税関係情報)."""


class Found(NamedTuple):
    """Who a permit is about (0: nobody here) and what there is."""

    addressee: int = 0
    records: tuple[ResultRecord, ...] = ()
    cause: str = ""
    undisclosable: bool = False
    waits: bool = False


class ProvisionContent:
    """Looks up persons and replicas of every organization served here, many at a time."""

    def __init__(self, environment: Environment, addressees: AddresseeFinder, replicas: AnswerableReplicas) -> None:
        self._environment = environment
        self._addressees = addressees
        self._replicas = replicas

    def find(self, organization: str, permits: Sequence[PermitLeaf]) -> list[Found]:
        """Return what there is for each permit, in order."""
        if not permits:
            return []
        codes = list({permit.linkage_code for permit in permits if permit.linkage_code})
        with self._environment.database.read() as connection:
            people = self._addressees.find_by_codes(connection, organization, codes) if codes else {}
            pairs = {
                (people[permit.linkage_code].id, permit.information)
                for permit in permits
                if permit.linkage_code in people
            }
            replicas: dict[tuple[int, str], list[ReplicaRow]] = {}
            for row in self._replicas.answerable(connection, organization, list(pairs)) if pairs else ():
                replicas.setdefault((row.addressee, row.information), []).append(row)
            causes = _Causes(connection, organization, self._replicas)
            today = self._environment.clock.today()
            return [_found(permit, people.get(permit.linkage_code), replicas, causes, today) for permit in permits]


class _Causes:
    """Why there is no replica; asks the table once per information and period."""

    def __init__(self, connection: Connection, organization: str, replicas: AnswerableReplicas) -> None:
        self._connection = connection
        self._organization = organization
        self._replicas = replicas
        self._loaded: dict[tuple[str, str, str], bool] = {}

    def of(self, information: str, start: str, end: str, *, any_held: bool) -> str:
        """Return the cause for one person."""
        if not any_held and not self._is_loaded(information, "", ""):
            return "NO_REPLICA_NOT_SENT"
        if not self._is_loaded(information, start, end):
            return "NO_REPLICA_YEAR_NOT_LOADED"
        if any_held and information in _BY_YEAR:
            return "NO_REPLICA_OTHER_MUNICIPALITY"
        return "NO_REPLICA_NOT_APPLICABLE"

    def _is_loaded(self, information: str, start: str, end: str) -> bool:
        key = (information, start, end)
        if key not in self._loaded:
            self._loaded[key] = self._replicas.loaded(
                self._connection, self._organization, information, start=start, end=end
            )
        return self._loaded[key]


def _found(
    permit: PermitLeaf,
    person: AddresseeRow | None,
    replicas: dict[tuple[int, str], list[ReplicaRow]],
    causes: _Causes,
    today: date,
) -> Found:
    if person is None:
        return Found(cause="NO_REPLICA_CODE_UNKNOWN")
    start, end = asked_period(
        permit.period_start,
        permit.period_end,
        year_kind=permit.year_kind,
        today=today,
    )
    held = replicas.get((person.id, permit.information), [])
    chosen = choose(held, start=start, end=end, condition_kind=permit.condition_kind)
    return Found(
        addressee=person.id,
        records=to_records(chosen, permit.item_codes),
        cause="" if chosen else causes.of(permit.information, start, end, any_held=bool(held)),
        undisclosable=person.nondisclosure,
        waits=permit.information in person.auto_response_disabled,
    )
