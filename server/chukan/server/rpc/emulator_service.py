# SPDX-License-Identifier: Apache-2.0
"""The servicer of the emulator's controls: worlds, clocks and faults; snapshots and the journal say they come later."""

from __future__ import annotations

from datetime import UTC, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from chukan.edge.unimplemented import unimplemented
from chukan.emulator.v1 import emulator_service_pb2 as wire
from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceServicer
from chukan.server.emulator.clock import ClockMode
from chukan.server.emulator.faults import KINDS, Fault, Phase, Trigger, Unit
from chukan.server.emulator.worlds import Plan
from chukan.server.rpc.fault_interposer import check_parameters
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from datetime import datetime

    import grpc

    from chukan.server.emulator.faults import FaultState
    from chukan.server.emulator.worlds import World, Worlds

__all__ = ["EmulatorServicer"]

_SEEDS: Final = {0: "STANDARD", 1: "STANDARD", 2: "EMPTY"}
_PHASES: Final = {int(phase): phase for phase in Phase}
_UNITS: Final = {0: Unit.CALL, **{int(unit): unit for unit in Unit}}
_PATIENCE: Final = 30.0
_HOUR: Final = timedelta(hours=1)
_PAGE: Final = 100


class EmulatorServicer(EmulatorServiceServicer):
    """Serves EmulatorService. Without worlds (production profile) every RPC is refused."""

    def __init__(self, worlds: Worlds | None) -> None:
        self._offered = worlds

    @property
    def _worlds(self) -> Worlds:
        if self._offered is None:
            raise ChukanError("PROFILE_REFUSES")
        return self._offered

    def CreateWorld(  # noqa: D102
        self, request: wire.CreateWorldRequest, context: grpc.ServicerContext
    ) -> wire.CreateWorldResponse:
        del context
        mode, now = _setting(request.clock)
        plan = Plan(
            seed=_seed(request.seed),
            random_seed=request.random_seed,
            clock_mode=mode,
            clock_now=now,
            idle=request.idle_time_to_live.ToTimedelta() if request.HasField("idle_time_to_live") else _HOUR,
        )
        return wire.CreateWorldResponse(world=_world(self._worlds.create(request.world_id, plan)))

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
        if request.seed:
            raise ChukanError("FEATURE_NOT_AVAILABLE", feature="reset to another seed")
        world = self._worlds.reset(request.world_id, keep_clock=request.keep_clock, keep_faults=request.keep_faults)
        return wire.ResetWorldResponse(world=_world(world))

    def ListWorlds(  # noqa: D102
        self, request: wire.ListWorldsRequest, context: grpc.ServicerContext
    ) -> wire.ListWorldsResponse:
        del context
        after = request.page_token
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
        world = self._worlds.called(request.world_id)
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
        world = self._worlds.called(request.world_id)
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
        idle = world.parts.drain(seconds)
        response = wire.AwaitIdleResponse(idle=idle, pending=[] if idle else ["outbox"])
        due = world.parts.next_due()
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
                parameters=[
                    wire.FaultParameter(name=each, type="text", default_value=value)
                    for each, value in kind.parameters.items()
                ],
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
        states = self._worlds.get(request.world_id).faults.states()
        return wire.ListFaultsResponse(faults=[_state(each) for each in states])

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


def _seed(value: int) -> str:
    seed = _SEEDS.get(value)
    if seed is None:
        raise ChukanError("FEATURE_NOT_AVAILABLE", feature="snapshots")
    return seed


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
        seed=_enum({"EMPTY": 2}.get(world.plan.seed, 1)),
        random_seed=world.plan.random_seed,
        persistent=not world.id,
        memory_bytes=world.size,
        clock=_clock(world),
        fault_count=len(world.faults.states()),
        world_generation=world.parts.generation,
    )
    message.create_time.FromDatetime(world.created)
    if world.id:
        message.idle_time_to_live.FromTimedelta(world.plan.idle)
    return message


def _clock(world: World) -> wire.ClockState:
    message = wire.ClockState(mode=_enum(world.clock.mode), today=f"{world.clock.today():%Y%m%d}")
    message.now.FromDatetime(world.clock.now())
    message.offset.FromTimedelta(world.clock.offset)
    due = world.parts.next_due()
    if due is not None:
        message.next_due_time.FromDatetime(due)
    return message


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
    exhausted = bool(fault.strike_limit) and state.struck >= fault.strike_limit
    return wire.FaultState(fault=message, matched_count=state.matched, struck_count=state.struck, exhausted=exhausted)


def _enum(value: int) -> Any:  # noqa: ANN401 the stubs know each enum by its own type
    return int(value)
