# SPDX-License-Identifier: Apache-2.0
"""Which calls are struck by which fault: kinds, targets, triggers, counts. What striking means is the edge's matter.

Decided by nothing but what was asked for and the order of the calls of each organization: equal scripts, equal faults.
"""

from __future__ import annotations

import hmac
import threading
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.server.emulator.fault_catalogue import KINDS, Phase, Unit
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chukan.standard.clock import Clock

__all__ = ["Call", "Fault", "FaultState", "Faults", "Trigger"]

_MILLION: Final = 1_000_000


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

    def check(self) -> None:
        """Raise if its kind is not known or doesn't take this."""
        kind = KINDS.get(self.kind)
        if kind is None:
            raise ChukanError("FAULT_KIND_UNKNOWN", field="fault.kind")
        if self.phase not in kind.phases:
            raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.phase")
        if kind.methods and not all(_named(kind.methods, method) for method in self.methods):
            raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.target.methods")
        self._check_target()
        unknown = sorted(name for name, _ in self.parameters if name not in kind.parameters)
        if unknown:
            raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.parameters", params={"unknown": unknown[0]})

    def _check_target(self) -> None:
        """Refuse what this kind never sees, for it would never strike."""
        of_rows = self.phase is Phase.BEFORE_COMMIT
        if self.peer and self.phase is not Phase.OUTBOUND:
            raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.target.peer_organization_code")
        if self.system and (of_rows or self.phase is Phase.OUTBOUND):
            raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.target.system_id")
        if self.information and not of_rows:
            raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.target.information_code")
        if self.unit is Unit.MESSAGE and of_rows:
            raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.unit")


class Call(NamedTuple):
    """A call as faults see it. peer: whom it goes to, empty if it arrives."""

    method: str
    organization: str
    peer: str = ""
    system: str = ""
    request_id: str = ""


@dataclass(slots=True)
class FaultState:
    """A fault and what became of it."""

    fault: Fault
    number: int
    """Place in the order they were added."""
    created: datetime
    """In real time."""
    gone: threading.Event = field(default_factory=threading.Event)
    matched: int = 0
    struck: int = 0
    ordinals: dict[str, int] = field(default_factory=dict)


class Faults:
    """The faults of one world; safe for threads."""

    def __init__(self, clock: Clock, *, seed: str) -> None:
        self._clock = clock
        self._seed = seed
        self._states: dict[str, FaultState] = {}
        self._lock = threading.Lock()
        self._numbers = 0
        self._chosen = 0

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._states)

    def again(self, clock: Clock) -> Faults:
        """Return the same faults, counted from the beginning, by another clock."""
        fresh = Faults(clock, seed=self._seed)
        for state in self.states():
            fresh.add(state.fault)
        return fresh

    def add(self, fault: Fault) -> FaultState:
        """Add one; the same again is the one that is there."""
        fault.check()
        with self._lock:
            known = self._states.get(fault.id)
            if known is not None and known.fault != fault:
                raise ChukanError("FAULT_EXISTS", field="fault.fault_id")
            if known is None:
                self._numbers += 1
                known = FaultState(fault, self._numbers, SystemClock().now())
                self._states[fault.id] = known
            return known

    def new_id(self) -> str:
        """Return an id nobody chose."""
        with self._lock:
            self._chosen += 1
            while f"fault-{self._chosen}" in self._states:
                self._chosen += 1
            return f"fault-{self._chosen}"

    def states(self) -> list[FaultState]:
        """Return all in the order they were added."""
        with self._lock:
            return list(self._states.values())

    def clear(self, ids: Sequence[str] = ()) -> list[FaultState]:
        """Remove some or all and return them."""
        with self._lock:
            cleared = [self._states.pop(each) for each in (ids or list(self._states)) if each in self._states]
        for state in cleared:
            state.gone.set()
        return cleared

    def hold(self, fault: Fault, seconds: float) -> None:
        """Wait, in real time, or until the fault is cleared."""
        state = self._states.get(fault.id)
        if state is not None:
            state.gone.wait(seconds)

    def struck(self, call: Call, unit: Unit) -> list[Fault]:
        """Count one unit of a call and return the faults that strike it, in the order they were added."""
        now = self._clock.now()
        with self._lock:
            return [
                state.fault
                for state in self._states.values()
                if state.fault.unit is unit
                and state.fault.phase is not Phase.BEFORE_COMMIT
                and _fits(state.fault, call, "", now)
                and self._strikes(state, call)
            ]

    def send_cap(self, organization: str, information: str, usual: int) -> int:
        """Return how many rows may be sent at once while the faults hold."""
        if not self._states:
            return usual
        call = Call("chukan.v1.ReplicaService/RegisterReplicas", organization)
        now, caps = self._clock.now(), [usual]
        with self._lock:
            for state in self._states.values():
                fault = state.fault
                asked = fault.kind in {"SEND_CAP", "STUCK_LANE"} and _fits(fault, call, information, now)
                if asked and self._strikes(state, call):
                    caps.append(int(fault.parameter("rows")) if fault.kind == "SEND_CAP" else 0)
        return min(caps)

    def _strikes(self, state: FaultState, call: Call) -> bool:
        fault = state.fault
        ordinal = state.ordinals[call.organization] = state.ordinals.get(call.organization, 0) + 1
        state.matched += 1
        if fault.strike_limit and state.struck >= fault.strike_limit:
            return False
        said = f"{fault.id}/{call.organization}/{call.request_id}/{ordinal}"
        drawn = hmac.digest(self._seed.encode(), said.encode(), sha256)
        if not fault.trigger.strikes(ordinal, int.from_bytes(drawn[:8], "big") % _MILLION):
            return False
        state.struck += 1
        return True


def _fits(fault: Fault, call: Call, information: str, now: datetime) -> bool:
    leaves = bool(call.peer)
    return (
        leaves == (fault.phase is Phase.OUTBOUND)
        and _named(fault.methods or KINDS[fault.kind].methods, call.method)
        and fault.organization in {"", call.organization}
        and fault.peer in {"", call.peer}
        and fault.system in {"", call.system}
        and fault.information in {"", information}
        and (fault.start is None or fault.start <= now)
        and (fault.end is None or now < fault.end)
    )


def _named(methods: tuple[str, ...], method: str) -> bool:
    service = f"{method.partition('/')[0]}/*"
    return not methods or method in methods or service in methods
