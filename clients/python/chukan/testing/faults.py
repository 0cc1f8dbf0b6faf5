# SPDX-License-Identifier: Apache-2.0
"""A world's faults as a test sets them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.standard.reasons import ChukanError
from chukan.testing.clock import aware
from chukan.testing.fault_kinds import given_and_possible
from chukan.testing.stage import organization_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceStub

__all__ = ["Fault", "Faults"]

__tracebackhide__ = True  # a failure is shown at the line of the test

_PAGE: Final = 1000
_NAMES: Final = {"every_kth": "every", "first_n": "first", "strike_limit": "at_most"}
_PACKAGES: Final = {
    "AddressService": "chukan.address.v1",
    "MemberService": "chukan.network.v1",
    "NetworkService": "chukan.network.v1",
    "ResidentNetworkService": "chukan.network.v1",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was added."""

    id: str
    kind: str
    _faults: Faults = field(repr=False)

    @property
    def strikes(self) -> int:
        """How often it struck so far."""
        return self._faults.strikes().get(self.id, 0)

    def clear(self) -> int:
        """Take it away, let go what waits in it, and return how often it struck."""
        return self._faults.clear(self.id).get(self.id, 0)


class Faults:
    """What fails in a world. Kinds, their parameters and what a good client does: docs/emulator.md."""

    def __init__(self, control: EmulatorServiceStub, world_id: str) -> None:
        self._control = control
        self._world = world_id
        self._serials = itertools.count(1)

    def __repr__(self) -> str:
        return f"<faults of world {self._world}>"

    def add(
        self,
        kind: str,
        *,
        method: str | Sequence[str] = (),
        organization: str = "",
        peer: str = "",
        system: str = "",
        information: str = "",
        nth: int | None = None,
        every: int | None = None,
        once: bool = False,
        first: int | None = None,
        per_million: int | None = None,
        at_most: int | None = None,
        after_commit: bool = False,
        outbound: bool = False,
        messages: bool = False,
        start: datetime | None = None,
        end: datetime | None = None,
        fault_id: str = "",
        **parameters: object,
    ) -> Fault:
        """Let calls fail from now on; errors FAULT_KIND_UNKNOWN, FAULT_PARAMETER_INVALID.

        method: RPCs, as InquiryService/CreateInquiry; none for all. organization: who calls; peer: the other end of
        calls on the way out. Trigger, one at most, counted for each organization: nth, every (k-th), once (the next
        one), first (so many), per_million; none for all. at_most: strikes in all. Each is 1 or more. after_commit,
        outbound: where, if not at the kind's own place. messages: count messages of a stream. start, end: by the
        world's clock. All else are parameters of the kind: status="ABORTED", delay=timedelta(seconds=2), rows=100.
        """
        fault = pb.Fault(
            fault_id=fault_id or f"{kind.lower().replace('_', '-')[:50]}-{next(self._serials)}",
            kind=kind,
            phase=_phase(after_commit=after_commit, outbound=outbound),
            unit=pb.FAULT_UNIT_MESSAGE if messages else pb.FAULT_UNIT_UNSPECIFIED,
            **_numbers(strike_limit=at_most),
            parameters={name: _text(value) for name, value in parameters.items()},
            **_trigger(_numbers(nth=nth, every_kth=every, first_n=first, per_million=per_million), once=once),
        )
        fault.target.methods.extend(_full(each) for each in ([method] if isinstance(method, str) else method))
        fault.target.organization_code = organization_of(organization).code if organization else ""
        fault.target.peer_organization_code = organization_of(peer).code if peer else ""
        fault.target.system_id = system
        fault.target.information_code = information
        for bound, instant in (("start", start), ("end", end)):
            if instant is not None:
                getattr(fault, f"{bound}_time").FromDatetime(aware(bound, instant))
        try:
            added = self._control.AddFault(pb.AddFaultRequest(world_id=self._world, fault=fault)).fault.fault
        except ChukanError as error:
            explained = self._explained(error, fault)
        else:
            return Fault(added.fault_id, added.kind, self)
        raise explained

    def _explained(self, error: ChukanError, fault: pb.Fault) -> ChukanError:
        """Return the refusal with what was given and what is possible."""
        if error.code not in ("FAULT_KIND_UNKNOWN", "FAULT_PARAMETER_INVALID"):
            return error
        kinds = {each.kind: each for each in self._control.ListFaultKinds(pb.ListFaultKindsRequest()).kinds}
        told = given_and_possible(error, fault, kinds)
        rest = {name: text for name, text in error.params.items() if name not in told}
        return ChukanError(error.code, field=error.field, params={**told, **rest})

    def strikes(self) -> dict[str, int]:
        """Return how often each fault that stands struck, by its id, in the order they were added."""
        return {each.fault.fault_id: each.struck_count for each in self.states()}

    def states(self) -> Iterator[pb.FaultState]:
        """Return the faults as the server tells them."""
        request = pb.ListFaultsRequest(world_id=self._world, page_size=_PAGE)
        while True:
            page = self._control.ListFaults(request)
            yield from page.faults
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def clear(self, *fault_ids: str) -> dict[str, int]:
        """Take faults away, all of them if none is named; return how often each struck."""
        request = pb.ClearFaultsRequest(world_id=self._world, fault_ids=fault_ids)
        return {each.fault.fault_id: each.struck_count for each in self._control.ClearFaults(request).faults}


def _phase(*, after_commit: bool, outbound: bool) -> pb.FaultPhase.ValueType:
    if after_commit and outbound:
        both = {"got": "after_commit, outbound", "expected": "one of them at most"}
        raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.phase", params=both)
    if after_commit:
        return pb.FAULT_PHASE_AFTER_COMMIT
    return pb.FAULT_PHASE_OUTBOUND if outbound else pb.FAULT_PHASE_UNSPECIFIED


def _numbers(**given: int | None) -> dict[str, Any]:
    """Return those given; 0 would be none to the contract."""
    for name, value in given.items():
        shown = f"{_NAMES.get(name, name)}={value!r}"
        if value is not None and not isinstance(value, int):
            raise TypeError(f"{shown}: expected a whole number")
        if value is not None and value < 1:
            below = {"got": shown, "expected": "1 or more"}
            raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.trigger", params=below)
    return {name: value for name, value in given.items() if value is not None}


def _trigger(counted: Mapping[str, int], *, once: bool) -> dict[str, Any]:
    """Return the trigger given; a message would keep the last of several and say nothing."""
    chosen = {**counted, **({"once": True} if once else {})}
    if len(chosen) > 1:
        several = {"got": ", ".join(_NAMES.get(name, name) for name in chosen), "expected": "one of them at most"}
        raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.trigger", params=several)
    return chosen


def _full(method: str) -> str:
    """Return an RPC's full name; what names a package already stays as it is."""
    service = method.partition("/")[0]
    return method if "." in service else f"{_PACKAGES.get(service, 'chukan.v1')}.{method}"


def _text(value: object) -> str:
    """Write a parameter as the contract does."""
    return f"{value.total_seconds():g}s" if isinstance(value, timedelta) else str(value)
