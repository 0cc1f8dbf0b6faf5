# SPDX-License-Identifier: Apache-2.0
"""What a refused fault was given, and what its kind takes: the kinds, parameters, places and RPCs there are."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from google.protobuf import descriptor_pool

from chukan.emulator.v1 import emulator_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chukan.standard.reasons import ChukanError

__all__ = ["given_and_possible"]

_PARAMETERS: Final = "fault.parameters"
_METHODS: Final = "fault.target.methods"
_PHASE: Final = "fault.phase"
_PHASES: Final = {"FAULT_PHASE_AFTER_COMMIT": "after_commit=True", "FAULT_PHASE_OUTBOUND": "outbound=True"}


def given_and_possible(error: ChukanError, fault: pb.Fault, kinds: Mapping[str, pb.FaultKind]) -> dict[str, str]:
    """Return details of a refusal, got and expected; nothing where there is no more to say than the server did."""
    kind = kinds.get(fault.kind)
    if kind is None:
        near = get_close_matches(fault.kind.upper(), kinds, n=1)
        meant = {"near": near[0]} if near else {}
        return {"got": repr(fault.kind), **meant, "expected": f"one of {', '.join(kinds)}"}
    if error.field == _PARAMETERS:
        given = ", ".join(f"{name}={text}" for name, text in fault.parameters.items())
        return {"kind": kind.kind, "got": given or "none", "expected": _parameters(kind)}
    if error.field == _METHODS:
        return {"kind": kind.kind, "got": ", ".join(fault.target.methods), "expected": _methods(kind, fault)}
    if error.field == _PHASE:
        own, *others = (pb.FaultPhase.Name(each) for each in kind.phases)
        shown = [f"none for {own}", *(_PHASES.get(each, each) for each in others)]
        return {"kind": kind.kind, "got": pb.FaultPhase.Name(fault.phase), "expected": ", ".join(shown)}
    return {"kind": kind.kind}


def _parameters(kind: pb.FaultKind) -> str:
    told = [f"{each.name} ({', '.join(filter(None, (each.type, each.rule)))})" for each in kind.parameters]
    return "; ".join(told) or "no parameter"


def _methods(kind: pb.FaultKind, fault: pb.Fault) -> str:
    """Return what the kind is bound to, else what looks like the wrong ones."""
    if kind.methods:
        return ", ".join(kind.methods)
    near = [_near(each) for each in fault.target.methods]
    return f"SERVICE/METHOD or SERVICE/*, such as {', '.join(filter(None, near)) or 'InquiryService/CreateInquiry'}"


def _near(method: str) -> str:
    service, _, name = method.partition("/")
    pool = descriptor_pool.Default()
    try:
        names: Iterable[str] = [each.name for each in pool.FindServiceByName(service).methods]
    except KeyError:
        return ""
    found = get_close_matches(name, names, n=3, cutoff=0.5)
    return ", ".join(f"{service.rpartition('.')[2]}/{each}" for each in found)
