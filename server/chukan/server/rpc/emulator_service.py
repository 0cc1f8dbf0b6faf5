# SPDX-License-Identifier: Apache-2.0
"""The servicer of the emulator's controls: worlds, clocks and faults; snapshots and the journal say they come later."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import descriptor_pool

from chukan.edge.unimplemented import unimplemented
from chukan.emulator.v1 import emulator_service_pb2 as wire
from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceServicer
from chukan.server.emulator.clock import ClockMode
from chukan.server.emulator.faults import KINDS, Fault, Phase, Trigger, Unit
from chukan.server.emulator.worlds import Plan
from chukan.server.rpc.fault_interposer import check_parameters
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import grpc

    from chukan.server.emulator.faults import FaultState
    from chukan.server.emulator.worlds import World, Worlds

__all__ = ["EmulatorServicer"]

_EMPTY: Final = 2
_LATER_SEEDS: Final = {0: "standard seed", 1: "standard seed", 3: "snapshots"}
_PHASES: Final = {int(phase): phase for phase in Phase}
_UNITS: Final = {0: Unit.CALL, **{int(unit): unit for unit in Unit}}
_PATIENCE: Final = 30.0
_HOUR: Final = timedelta(hours=1)
_PAGE: Final = 100
_WORLD_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PARAMETERS: Final = {
    "status": ("status", "a gRPC status but OK", "status the call ends with", "呼出しを終わらせるステータス"),
    "reason": ("reason", "a reason of the table, without status", "reason of the error", "エラーの理由"),
    "delay": ("duration", "more than 0s, at most 60s", "how much longer it takes", "遅延の長さ"),
    "rows": ("integer", "0 or more", "rows taken at once", "1回に受け付ける件数"),
}
"""Type, rule, and what each is in both languages."""


class EmulatorServicer(EmulatorServiceServicer):
    """Serves EmulatorService. Without worlds (production profile) every RPC is refused."""

    def __init__(self, worlds: Worlds | None) -> None:
        self._offered = worlds

    @property
    def _worlds(self) -> Worlds:
        if self._offered is None:
            raise ChukanError("PROFILE_REFUSES")
        return self._offered

    def _movable(self, world_id: str) -> World:
        """Return a world whose clock may be moved: what is kept would meet an earlier time after a restart."""
        world = self._worlds.called(world_id)
        if not world_id:
            raise ChukanError("FEATURE_NOT_AVAILABLE", feature="moving the clock of the default world")
        return world

    def CreateWorld(  # noqa: D102
        self, request: wire.CreateWorldRequest, context: grpc.ServicerContext
    ) -> wire.CreateWorldResponse:
        del context
        worlds = self._worlds
        _check_seed(request.seed, request.snapshot_id)
        mode, now = _setting(request.clock)
        idle = request.idle_time_to_live.ToTimedelta() if request.HasField("idle_time_to_live") else _HOUR
        if idle <= timedelta(0):
            raise ChukanError("INVALID_FIELD", field="idle_time_to_live")
        plan = Plan(
            seed="EMPTY",
            random_seed=request.random_seed,
            clock_mode=mode,
            clock_now=now,
            idle=idle,
        )
        return wire.CreateWorldResponse(world=_world(worlds.create(request.world_id, plan)))

    def DeleteWorld(  # noqa: D102
        self, request: wire.DeleteWorldRequest, context: grpc.ServicerContext
    ) -> wire.DeleteWorldResponse:
        del context
        self._worlds.delete(request.world_id)
        return wire.DeleteWorldResponse()

    def ResetWorld(  # noqa: D102
        self, request: wire.ResetWorldRequest, context: grpc.ServicerContext
    ) -> wire.ResetWorldResponse:
        del context
        worlds = self._worlds
        _check_seed(request.seed or _EMPTY, request.snapshot_id)
        if request.allow_default and not request.world_id:
            raise ChukanError("FEATURE_NOT_AVAILABLE", feature="reset of the default world")
        world = worlds.reset(request.world_id, keep_clock=request.keep_clock, keep_faults=request.keep_faults)
        return wire.ResetWorldResponse(world=_world(world))

    def ListWorlds(  # noqa: D102
        self, request: wire.ListWorldsRequest, context: grpc.ServicerContext
    ) -> wire.ListWorldsResponse:
        del context
        after = request.page_token
        if after and not _WORLD_ID.fullmatch(after):
            raise ChukanError("PAGE_TOKEN_INVALID", field="page_token")
        left = [world for world in self._worlds.all() if not after or world.id > after]
        page = left[: request.page_size or _PAGE]
        return wire.ListWorldsResponse(
            worlds=[_world(world) for world in page],
            next_page_token=page[-1].id if len(page) < len(left) else "",
            memory_bytes=sum(world.size for world in self._worlds.all()),
            memory_budget_bytes=self._worlds.budget,
        )

    def GetClock(  # noqa: D102
        self, request: wire.GetClockRequest, context: grpc.ServicerContext
    ) -> wire.GetClockResponse:
        del context
        return wire.GetClockResponse(clock=_clock(self._worlds.get(request.world_id)))

    def SetClock(  # noqa: D102
        self, request: wire.SetClockRequest, context: grpc.ServicerContext
    ) -> wire.SetClockResponse:
        world = self._movable(request.world_id)
        mode, now = _setting(request.clock)
        if now is not None:
            if now < world.clock.now():
                raise ChukanError("CLOCK_BACKWARDS", field="clock.now")
            world.advance(now, _deadline(context))
        world.clock.set(mode, None)
        return wire.SetClockResponse(clock=_clock(world))

    def AdvanceClock(  # noqa: D102
        self, request: wire.AdvanceClockRequest, context: grpc.ServicerContext
    ) -> wire.AdvanceClockResponse:
        world = self._movable(request.world_id)
        step = request.WhichOneof("step")
        until = None
        if step == "by":
            until = world.clock.now() + request.by.ToTimedelta()
        elif step == "until":
            until = request.until.ToDatetime(tzinfo=UTC)
            if until < world.clock.now():
                raise ChukanError("CLOCK_BACKWARDS", field="until")
        world.advance(until, _deadline(context))
        return wire.AdvanceClockResponse(clock=_clock(world))

    def AwaitIdle(  # noqa: D102
        self, request: wire.AwaitIdleRequest, context: grpc.ServicerContext
    ) -> wire.AwaitIdleResponse:
        del context
        world = self._worlds.called(request.world_id)
        seconds = request.wait_time.ToTimedelta().total_seconds() if request.HasField("wait_time") else 10.0
        idle = world.drain(seconds)
        response = wire.AwaitIdleResponse(idle=idle, pending=[] if idle else ["outbox"])
        due = world.next_due()
        if due is not None:
            response.next_due_time.FromDatetime(due)
        return response

    def ListFaultKinds(  # noqa: D102
        self, request: wire.ListFaultKindsRequest, context: grpc.ServicerContext
    ) -> wire.ListFaultKindsResponse:
        del request, context
        self._worlds.get("")
        kinds = [
            wire.FaultKind(
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
            for name, kind in KINDS.items()
        ]
        return wire.ListFaultKindsResponse(kinds=sorted(kinds, key=lambda kind: kind.catalogue_number))

    def AddFault(  # noqa: D102
        self, request: wire.AddFaultRequest, context: grpc.ServicerContext
    ) -> wire.AddFaultResponse:
        del context
        faults = self._worlds.called(request.world_id).faults
        fault = _fault(request.fault, request.fault.fault_id or faults.new_id())
        fault.check()
        check_parameters(fault)
        return wire.AddFaultResponse(fault=_state(faults.add(fault)))

    def ListFaults(  # noqa: D102
        self, request: wire.ListFaultsRequest, context: grpc.ServicerContext
    ) -> wire.ListFaultsResponse:
        del context
        after = request.page_token or "0"
        states = self._worlds.get(request.world_id).faults.states()
        if not (after.isascii() and after.isdecimal()):
            raise ChukanError("PAGE_TOKEN_INVALID", field="page_token")
        left = [each for each in states if each.number > int(after[:20])]
        page = left[: request.page_size or _PAGE]
        return wire.ListFaultsResponse(
            faults=[_state(each) for each in page],
            next_page_token=str(page[-1].number) if len(page) < len(left) else "",
        )

    def ClearFaults(  # noqa: D102
        self, request: wire.ClearFaultsRequest, context: grpc.ServicerContext
    ) -> wire.ClearFaultsResponse:
        del context
        cleared = self._worlds.called(request.world_id).faults.clear(request.fault_ids)
        return wire.ClearFaultsResponse(faults=[_state(each) for each in cleared])

    SaveSnapshot = unimplemented("snapshots")
    RestoreSnapshot = unimplemented("snapshots")
    ListSnapshots = unimplemented("snapshots")
    DeleteSnapshot = unimplemented("snapshots")
    ListJournal = unimplemented("journal")
    WatchJournal = unimplemented("journal")
    VerifyJournal = unimplemented("journal")


def _check_seed(seed: int, snapshot: str) -> None:
    """Refuse what no world starts from yet: one without people, taken for the standard seed, would mislead."""
    if seed in _LATER_SEEDS:
        raise ChukanError("FEATURE_NOT_AVAILABLE", feature=_LATER_SEEDS[seed])
    if snapshot:
        raise ChukanError("INVALID_FIELD", field="snapshot_id")


def _setting(message: wire.ClockSetting) -> tuple[ClockMode | None, datetime | None]:
    mode = ClockMode(message.mode) if message.mode else None
    now = message.now.ToDatetime(tzinfo=UTC) if message.HasField("now") else None
    if mode is ClockMode.SYSTEM and now is not None:
        raise ChukanError("INVALID_FIELD", field="clock.now")
    return mode, now


def _deadline(context: grpc.ServicerContext) -> float:
    remaining = context.time_remaining()
    return monotonic() + (_PATIENCE if remaining is None else min(remaining, 600.0))


def _world(world: World) -> wire.World:
    message = wire.World(
        world_id=world.id,
        generation=world.generation,
        seed=_enum(_EMPTY),
        random_seed=world.plan.random_seed,
        persistent=world.kept,
        memory_bytes=world.size,
        clock=_clock(world),
        fault_count=len(world.faults.states()),
        world_generation=world.name,
    )
    message.create_time.FromDatetime(world.created)
    message.last_call_time.FromDatetime(world.last_call)
    if world.id:
        message.idle_time_to_live.FromTimedelta(world.plan.idle)
    return message


def _clock(world: World) -> wire.ClockState:
    message = wire.ClockState(mode=_enum(world.clock.mode), today=f"{world.clock.today():%Y%m%d}")
    message.now.FromDatetime(world.clock.now())
    message.offset.FromTimedelta(world.clock.offset)
    due = world.next_due()
    if due is not None:
        message.next_due_time.FromDatetime(due)
    return message


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
            raise ChukanError("FAULT_PARAMETER_INVALID", field="fault.target.methods")


def _fault(message: wire.Fault, fault_id: str) -> Fault:
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
        start=message.start_time.ToDatetime(tzinfo=UTC) if message.HasField("start_time") else None,
        end=message.end_time.ToDatetime(tzinfo=UTC) if message.HasField("end_time") else None,
        parameters=tuple(sorted(message.parameters.items())),
        note=message.note,
    )


def _state(state: FaultState) -> wire.FaultState:
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
    exhausted = bool(fault.strike_limit) and state.struck >= fault.strike_limit
    answer = wire.FaultState(fault=message, matched_count=state.matched, struck_count=state.struck, exhausted=exhausted)
    answer.create_time.FromDatetime(state.created)
    return answer


def _enum(value: int) -> Any:  # noqa: ANN401 the stubs know each enum by its own type
    return int(value)
