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

from chukan.server.emulator.fault_catalogue import Phase, Unit
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chukan.server.emulator.fault import Fault
    from chukan.standard.clock import Clock

__all__ = ["Call", "FaultState", "Faults"]

_MILLION: Final = 1_000_000


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
    """How often it struck, or is about to."""
    ordinals: dict[str, int] = field(default_factory=dict)

    def is_exhausted(self, now: datetime) -> bool:
        """Whether it can't strike any more, by the world's clock."""
        fault = self.fault
        if (fault.strike_limit and self.struck >= fault.strike_limit) or (fault.end is not None and now >= fault.end):
            return True
        return bool(fault.organization) and fault.trigger.is_over(self.ordinals.get(fault.organization, 0))


class Faults:
    """The faults of one world; safe for threads."""

    def __init__(self, clock: Clock, *, seed: str) -> None:
        self._clock = clock
        self._seed = seed
        self._states: dict[str, FaultState] = {}
        self._lock = threading.Lock()
        self._numbers = 0
        self._chosen = 0
        self.ended = False
        """Whether the world they are of has ended."""

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._states)

    @property
    def now(self) -> datetime:
        """The instant by the world's clock."""
        return self._clock.now()

    def end(self) -> None:
        """Clear them with their world; what waits in them goes on, and finds that it has ended."""
        self.ended = True
        self.clear()

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

    def hold(self, fault: Fault, seconds: float) -> bool:
        """Wait, in real time, or until the fault is cleared; return whether it is."""
        state = self._states.get(fault.id)
        return state is None or state.gone.wait(seconds)

    def struck(self, call: Call, unit: Unit) -> list[Fault]:
        """Count one unit of a call and return the faults that strike it, in the order they were added.

        Each counts as having struck; what comes to nothing is handed to `spare`.
        """
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

    def spare(self, faults: Sequence[Fault]) -> None:
        """Take back strikes that did not come to pass: the call had ended before."""
        with self._lock:
            for fault in faults:
                state = self._states.get(fault.id)
                if state is not None and state.fault is fault:
                    state.struck -= 1

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
        and fault.is_named(call.method)
        and fault.organization in {"", call.organization}
        and fault.peer in {"", call.peer}
        and fault.system in {"", call.system}
        and fault.information in {"", information}
        and (fault.start is None or fault.start <= now)
        and (fault.end is None or now < fault.end)
    )
