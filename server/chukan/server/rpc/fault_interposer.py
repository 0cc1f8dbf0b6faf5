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
    from chukan.server.emulator.fault import Fault
    from chukan.server.emulator.faults import Faults

__all__ = ["FaultInterposer", "check_parameters"]

_LONGEST_DELAY: Final = 60.0
_MOST_DIGITS: Final = 9
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
        return _Passage(faults, call, caller)


class _Passage:
    def __init__(self, faults: Faults, call: Call, caller: Caller) -> None:
        self._faults = faults
        self._call = call
        self._caller = caller
        self._counted = False
        self._spoilt = False
        self._due: list[Fault] = []
        """What is yet to strike: the message at hand, or the answer."""

    def message(self, message: Any) -> None:  # noqa: ANN401 any request
        """Count the call with its first message, and the message; strike, or remember to strike the answer."""
        if not self._counted:
            self._due += self._faults.struck(self._call, Unit.CALL)
        self._counted = True
        self._due += self._faults.struck(self._call, Unit.MESSAGE)
        for fault in [each for each in self._due if each.phase is not Phase.AFTER_COMMIT]:
            self._due.remove(fault)
            self._strike(fault, message)

    def answer(self, answer: object) -> None:
        """Strike what is done already."""
        while self._due:
            self._strike(self._due.pop(0), answer)

    def end(self, code: str, reason: str) -> None:
        """Take back what did not come to strike; the rest of a call is not theirs."""
        del code, reason
        self._faults.spare(self._due)

    def _strike(self, fault: Fault, message: Any) -> None:  # noqa: ANN401 any message
        match fault.kind:
            case "DELAY":
                self._hold(fault)
            case "WRONG_PERMIT_SIGNATURE":
                if not self._spoilt:  # twice spoilt is whole again
                    _spoil(message)
                self._spoilt = True
            case _:
                _cut(fault, self._call)

    def _hold(self, fault: Fault) -> None:
        """Wait, no longer than the caller does; a call of a world that has ended meanwhile is not let into the next."""
        wanted, left = _seconds(fault), self._caller.remaining()
        is_late = left is not None and left < wanted
        is_over = self._faults.hold(fault, max(0.0, left) if left is not None and is_late else wanted)
        if self._faults.ended:
            raise ChukanError("WORLD_RESET")
        if is_late and not is_over:
            raise ChukanError("DEADLINE_EXCEEDED")


def check_parameters(fault: Fault) -> None:
    """Raise if a parameter has a value its kind can't use."""
    usable = not {"status", "reason"} <= {name for name, value in fault.parameters if value}
    try:
        if fault.kind == "STATUS" and fault.parameter("reason"):
            ChukanError(fault.parameter("reason"))
        if fault.kind in {"STATUS", "ANSWER_LOST"}:
            _code(fault)
        if fault.kind == "SEND_CAP":
            rows = fault.parameter("rows")
            usable = rows.isascii() and rows.isdecimal() and len(rows) <= _MOST_DIGITS
        if fault.kind == "DELAY":
            usable = 0 < _seconds(fault) <= _LONGEST_DELAY
    except (LookupError, ValueError):
        usable = False
    if not usable:
        raise ChukanError(
            "FAULT_PARAMETER_INVALID",
            field="fault.parameters",
            params={"expected": "what ListFaultKinds says of the kind"},
        )


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
