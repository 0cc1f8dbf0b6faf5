# SPDX-License-Identifier: Apache-2.0
"""One fault as it was asked for: its target, its trigger, and what makes it one that could never strike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from chukan.server.emulator.fault_catalogue import KINDS, Phase, Unit
from chukan.standard.codes import is_information_code, is_organization_code
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Fault", "Trigger"]

_BETWEEN_SERVERS: Final = "chukan.network.v1."


@dataclass(frozen=True, slots=True)
class Trigger:
    """Which of the units that fit are struck, counted from 1 per calling organization; nothing given is all."""

    nth: int = 0
    every_kth: int = 0
    first_n: int = 0
    per_million: int = 0
    once: bool = False

    def strikes(self, ordinal: int, chance: int) -> bool:
        """Whether the unit of this ordinal is struck; chance: its place in a million."""
        if self.nth or self.once:
            return ordinal == (self.nth or 1)
        if self.every_kth:
            return ordinal % self.every_kth == 0
        if self.first_n:
            return ordinal <= self.first_n
        return not self.per_million or chance < self.per_million

    def is_over(self, ordinal: int) -> bool:
        """Whether none after this ordinal is struck any more."""
        last = self.nth or (1 if self.once else 0) or (0 if self.every_kth else self.first_n)
        return bool(last) and ordinal >= last


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What was asked for."""

    id: str
    kind: str
    phase: Phase
    unit: Unit = Unit.CALL
    trigger: Trigger = field(default_factory=Trigger)
    methods: tuple[str, ...] = ()
    organization: str = ""
    peer: str = ""
    system: str = ""
    information: str = ""
    strike_limit: int = 0
    start: datetime | None = None
    end: datetime | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    note: str = ""

    def parameter(self, name: str) -> str:
        """Return a parameter's value, or what it is if not given."""
        return dict(self.parameters).get(name, KINDS[self.kind].parameters[name])

    def is_named(self, method: str) -> bool:
        """Whether its target, or else its kind, names the RPC; all are where neither names any."""
        return _named(self.methods or KINDS[self.kind].methods, method)

    def check(self) -> None:
        """Raise FAULT_KIND_UNKNOWN or FAULT_PARAMETER_INVALID for what it doesn't take or would never strike."""
        kind = KINDS.get(self.kind)
        if kind is None:
            raise ChukanError("FAULT_KIND_UNKNOWN", field="fault.kind")
        if self.phase not in kind.phases:
            _refuse("phase", " ".join(phase.name for phase in kind.phases))
        if kind.methods and not all(_named(kind.methods, method) for method in self.methods):
            _refuse("target.methods", " ".join(kind.methods))
        self._check_target()
        if self.start is not None and self.end is not None and self.end <= self.start:
            _refuse("end_time", "later than start_time")
        if any(name not in kind.parameters for name, _ in self.parameters):
            _refuse("parameters", " ".join(kind.parameters) or "none")

    def _check_target(self) -> None:
        of_rows, leaves = self.phase is Phase.BEFORE_COMMIT, self.phase is Phase.OUTBOUND
        if leaves and not all(method.startswith(_BETWEEN_SERVERS) for method in self.methods):
            _refuse("target.methods", f"{_BETWEEN_SERVERS}* on the way out")
        if self.organization and (leaves or not is_organization_code(self.organization)):
            _refuse("target.organization_code", "the peer is meant" if leaves else "16 digits of an organization")
        if self.peer and not (leaves and is_organization_code(self.peer)):
            _refuse("target.peer_organization_code", "16 digits of an organization, on the way out only")
        if self.system and (of_rows or leaves):
            _refuse("target.system_id", "where calls arrive only")
        if self.information and not (of_rows and is_information_code(self.information)):
            _refuse("target.information_code", "TM and 14 digits, SEND_CAP and STUCK_LANE only")
        if self.unit is Unit.MESSAGE and of_rows:
            _refuse("unit", "CALL")


def _named(methods: tuple[str, ...], method: str) -> bool:
    service = f"{method.partition('/')[0]}/*"
    return not methods or method in methods or service in methods


def _refuse(field_: str, expected: str) -> NoReturn:
    raise ChukanError("FAULT_PARAMETER_INVALID", field=f"fault.{field_}", params={"expected": expected})
