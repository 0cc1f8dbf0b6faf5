# SPDX-License-Identifier: Apache-2.0
"""Strikes calls with the faults of their world: before the handler, after its commit, and on the way to a peer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import grpc

from chukan.edge.interposition import CutOffError
from chukan.server.emulator.fault_catalogue import Phase, Unit
from chukan.server.emulator.faults import Call
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.edge.caller import Caller
    from chukan.network.v1.member_service_pb2 import DeliverInquiriesRequest
    from chukan.server.emulator.faults import Fault, Faults

__all__ = ["FaultInterposer", "check_parameters"]

_LONGEST_DELAY: Final = 60.0
_DURATION: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)s")


class FaultInterposer:
    """An `Interposer`; faults_of finds the faults of a caller's world."""

    def __init__(self, faults_of: Callable[[str], Faults]) -> None:
        self._faults_of = faults_of

    def enter(self, full_method: str, caller: Caller, *, peer: str = "") -> _Passage | None:
        """See `Interposer`."""
        faults = self._faults_of(caller.world)
        if not faults:
            return None
        # Between servers the caller names the member that is called; the network itself is no organization.
        call = Call(full_method.lstrip("/"), caller.organization, peer, caller.system, caller.request_id)
        return _Passage(faults, call)


class _Passage:
    def __init__(self, faults: Faults, call: Call) -> None:
        self._faults = faults
        self._call = call
        self._counted = False
        self._later: list[Fault] = []

    def message(self, message: Any) -> None:  # noqa: ANN401 any request
        """Count the call with its first message, and the message; strike, or remember to strike the answer."""
        struck = [] if self._counted else self._faults.struck(self._call, Unit.CALL)
        self._counted = True
        struck += self._faults.struck(self._call, Unit.MESSAGE)
        self._later += [fault for fault in struck if fault.phase is Phase.AFTER_COMMIT]
        for fault in struck:
            if fault.kind == "WRONG_PERMIT_SIGNATURE":
                _spoil(message)
            elif fault.phase is not Phase.AFTER_COMMIT:
                self._strike(fault)

    def answer(self, answer: object) -> None:
        """Strike what is done already."""
        del answer
        later, self._later = self._later, []
        for fault in later:
            self._strike(fault)

    def _strike(self, fault: Fault) -> None:
        if fault.kind == "DELAY":
            self._faults.hold(fault, _seconds(fault))
        else:
            _cut(fault, self._call)

    def end(self, code: str, reason: str) -> None:
        """Take no note: faults are done with a call when it ends."""


def check_parameters(fault: Fault) -> None:
    """Raise if a parameter has a value its kind can't use."""
    usable = not {"status", "reason"} <= {name for name, value in fault.parameters if value}
    try:
        if fault.kind == "STATUS" and fault.parameter("reason"):
            ChukanError(fault.parameter("reason"))
        if fault.kind in {"STATUS", "ANSWER_LOST"}:
            _code(fault)
        if fault.kind == "SEND_CAP":
            usable = int(fault.parameter("rows")) >= 0
        if fault.kind == "DELAY":
            usable = 0 < _seconds(fault) <= _LONGEST_DELAY
    except (LookupError, ValueError):
        usable = False
    if not usable:
        raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.parameters")


def _spoil(delivery: DeliverInquiriesRequest) -> None:
    """Turn the last bit of each signature: still well written, no longer the network's."""
    for each in delivery.permit_statement.signatures:
        each.signature = each.signature[:-1] + bytes([each.signature[-1] ^ 1])


def _cut(fault: Fault, call: Call) -> None:
    match fault.kind:
        case "STATUS" if fault.parameter("reason"):
            raise ChukanError(fault.parameter("reason"))
        case "STATUS" | "ANSWER_LOST":
            raise CutOffError(_code(fault))
        case _:
            raise ChukanError("PEER_UNREACHABLE", params={"peer": call.peer})


def _seconds(fault: Fault) -> float:
    """Return the length of a delay, written like "1.5s"."""
    found = _DURATION.fullmatch(fault.parameter("delay"))
    if found is None:
        raise ValueError
    return float(found[1])


def _code(fault: Fault) -> grpc.StatusCode:
    code = grpc.StatusCode[fault.parameter("status")]
    if code is grpc.StatusCode.OK:
        raise ValueError
    return code
