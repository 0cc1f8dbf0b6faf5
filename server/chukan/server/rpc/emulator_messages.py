# SPDX-License-Identifier: Apache-2.0
"""Worlds, clocks and faults as messages of the control port, and back."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pool

from chukan.emulator.v1 import emulator_service_pb2 as wire
from chukan.server.emulator.clock import ClockMode
from chukan.server.emulator.fault import Fault, Trigger
from chukan.server.emulator.fault_catalogue import KINDS, Phase, Unit
from chukan.server.emulator.world import LATEST
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta

    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp

    from chukan.server.emulator.fault_catalogue import Kind
    from chukan.server.emulator.faults import FaultState
    from chukan.server.emulator.world import World

__all__ = [
    "clock_message",
    "clock_setting",
    "fault_of",
    "fault_state",
    "instant",
    "job_messages",
    "kind_message",
    "span",
    "world_message",
]

_SEEDS: Final = {"STANDARD": 1, "EMPTY": 2}
_PHASES: Final = {int(phase): phase for phase in Phase}
_UNITS: Final = {0: Unit.CALL, **{int(unit): unit for unit in Unit}}
_PARAMETERS: Final = {
    "status": ("status", "a gRPC status but OK", "status the call ends with", "呼出しを終わらせるステータス"),
    "reason": ("reason", "a reason of the table, without status", "reason of the error", "エラーの理由"),
    "delay": ("duration", "more than 0s, at most 60s", "how much longer it takes", "遅延の長さ"),
    "rows": ("integer", "0 or more", "rows taken at once", "1回に受け付ける件数"),
}
"""Type, rule, and what each is in both languages."""


def instant(message: Timestamp, field: str) -> datetime:
    """Return an instant some clock may show, or INVALID_FIELD."""
    try:
        value = message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ChukanError("INVALID_FIELD", field=field) from None
    if value > LATEST:
        raise ChukanError("INVALID_FIELD", field=field, params={"latest": f"{LATEST:%Y-%m-%d}"})
    return value


def span(message: Duration, field: str) -> timedelta:
    """Return how long something takes, or INVALID_FIELD."""
    try:
        return message.ToTimedelta()
    except (ValueError, OverflowError):
        raise ChukanError("INVALID_FIELD", field=field) from None


def kind_message(name: str, kind: Kind) -> wire.FaultKind:
    """Return a kind of fault as it is told."""
    return wire.FaultKind(
        kind=name,
        catalogue_number=kind.number,
        description=kind.english,
        description_ja=kind.japanese,
        expected_client_behaviour=kind.client_english,
        expected_client_behaviour_ja=kind.client_japanese,
        phases=[_enum(phase) for phase in kind.phases],
        parameters=[_parameter(each, value) for each, value in kind.parameters.items()],
        methods=kind.methods,
        source="own",
    )


def clock_setting(message: wire.ClockSetting) -> tuple[ClockMode | None, datetime | None]:
    """Return how a clock is to be set, or INVALID_FIELD."""
    mode = ClockMode(message.mode) if message.mode else None
    now = instant(message.now, "clock.now") if message.HasField("now") else None
    if mode is ClockMode.SYSTEM and now is not None:
        raise ChukanError("INVALID_FIELD", field="clock.now")
    return mode, now


def world_message(world: World) -> wire.World:
    """Return a world as it is told."""
    message = wire.World(
        world_id=world.id,
        generation=world.generation,
        seed=_enum(_SEEDS[world.plan.seed]),
        random_seed=world.plan.random_seed,
        persistent=world.kept,
        memory_bytes=world.size,
        clock=clock_message(world),
        fault_count=len(world.faults.states()),
        world_generation=world.name,
    )
    message.create_time.FromDatetime(world.created)
    message.last_call_time.FromDatetime(world.last_call)
    if world.id:
        message.idle_time_to_live.FromTimedelta(world.plan.idle)
    return message


def clock_message(world: World) -> wire.ClockState:
    """Return a world's clock as it is told."""
    message = wire.ClockState(mode=_enum(world.clock.mode), today=f"{world.clock.today():%Y%m%d}")
    message.now.FromDatetime(world.clock.now())
    message.offset.FromTimedelta(world.clock.offset)
    due = world.next_due()
    if due is not None:
        message.next_due_time.FromDatetime(due)
    return message


def job_messages(ran: Mapping[str, int]) -> list[wire.JobRun]:
    """Return the jobs that ran as they are told; what became of a retry is not known here."""
    return [wire.JobRun(kind=kind, count=count) for kind, count in sorted(ran.items()) if count]


def _parameter(name: str, default: str) -> wire.FaultParameter:
    kind, rule, english, japanese = _PARAMETERS[name]
    return wire.FaultParameter(
        name=name, type=kind, default_value=default, rule=rule, description=english, description_ja=japanese
    )


def _check_methods(methods: Iterable[str]) -> None:
    """Refuse what no RPC is called, and the emulator's own: it would never be struck."""
    for each in methods:
        service, _, method = each.partition("/")
        try:
            known = descriptor_pool.Default().FindServiceByName(service)
        except KeyError:
            known = None
        if (
            known is None
            or not service.startswith(("chukan.v1.", "chukan.network.v1.", "chukan.address.v1."))
            or (method != "*" and method not in known.methods_by_name)
        ):
            raise ChukanError(
                "FAULT_PARAMETER_INVALID",
                field="fault.target.methods",
                params={"expected": "RPCs there are, or SERVICE/*"},
            )


def fault_of(message: wire.Fault, fault_id: str) -> Fault:
    """Return the fault asked for, or FAULT_KIND_UNKNOWN, FAULT_PARAMETER_INVALID."""
    if message.target.fields:
        raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.target.fields")
    if message.unit not in _UNITS:
        raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.unit")
    kind = KINDS.get(message.kind)
    if kind is None:
        raise ChukanError("FAULT_KIND_UNKNOWN", field="fault.kind")
    phase = _PHASES.get(message.phase) if message.phase else kind.phases[0]
    if phase is None:
        raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.phase")
    target = message.target
    _check_methods(target.methods)
    return Fault(
        id=fault_id,
        kind=message.kind,
        phase=phase,
        unit=_UNITS[message.unit],
        trigger=Trigger(message.nth, message.every_kth, message.first_n, message.per_million, message.once),
        methods=tuple(target.methods),
        organization=target.organization_code,
        peer=target.peer_organization_code,
        system=target.system_id,
        information=target.information_code,
        strike_limit=message.strike_limit,
        start=instant(message.start_time, "fault.start_time") if message.HasField("start_time") else None,
        end=instant(message.end_time, "fault.end_time") if message.HasField("end_time") else None,
        parameters=tuple(sorted(message.parameters.items())),
        note=message.note,
    )


def fault_state(state: FaultState, now: datetime) -> wire.FaultState:
    """Return a fault and what became of it as it is told; now: by its world's clock."""
    fault = state.fault
    message = wire.Fault(
        fault_id=fault.id,
        kind=fault.kind,
        target=wire.FaultTarget(
            methods=fault.methods,
            organization_code=fault.organization,
            peer_organization_code=fault.peer,
            system_id=fault.system,
            information_code=fault.information,
        ),
        phase=_enum(fault.phase),
        unit=_enum(fault.unit),
        strike_limit=fault.strike_limit,
        parameters=dict(fault.parameters),
        note=fault.note,
    )
    trigger = fault.trigger
    for name in ("nth", "every_kth", "first_n", "per_million", "once"):
        if getattr(trigger, name):
            setattr(message, name, getattr(trigger, name))
    if fault.start:
        message.start_time.FromDatetime(fault.start)
    if fault.end:
        message.end_time.FromDatetime(fault.end)
    answer = wire.FaultState(
        fault=message,
        matched_count=state.matched,
        struck_count=state.struck,
        exhausted=state.is_exhausted(now),
    )
    answer.create_time.FromDatetime(state.created)
    return answer


def _enum(value: int) -> Any:  # noqa: ANN401 the stubs know each enum by its own type
    return int(value)
