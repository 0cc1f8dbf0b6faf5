# SPDX-License-Identifier: Apache-2.0
"""The servicer of the emulator's controls: worlds, clocks and faults."""

from __future__ import annotations

import re
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

from chukan.emulator.v1 import emulator_service_pb2 as wire
from chukan.server.emulator.fault_catalogue import KINDS
from chukan.server.emulator.world import Plan
from chukan.server.rpc.emulator_messages import (
    clock_message,
    clock_setting,
    fault_of,
    fault_state,
    instant,
    job_messages,
    kind_message,
    span,
    world_message,
)
from chukan.server.rpc.fault_interposer import check_parameters
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    import grpc

    from chukan.server.emulator.world import World
    from chukan.server.emulator.worlds import Worlds

__all__ = ["EmulatorServicer"]

_SEEDS: Final = {1: "STANDARD", 2: "EMPTY"}
_SNAPSHOT: Final = 3
_PATIENCE: Final = 600.0
_LOOK_EVERY: Final = 0.5
_TEN_SECONDS: Final = timedelta(seconds=10)
_HOUR: Final = timedelta(hours=1)
_PAGE: Final = 100
_WORLD_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class EmulatorServicer:
    """Serves what this version offers of EmulatorService; `control_services` refuses the rest."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds

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
        seed = _seed(request.seed, request.snapshot_id) or "STANDARD"
        mode, now = clock_setting(request.clock)
        idle = span(request.idle_time_to_live, "idle_time_to_live") if request.HasField("idle_time_to_live") else _HOUR
        if idle <= timedelta(0):
            raise ChukanError("INVALID_FIELD", field="idle_time_to_live")
        plan = Plan(
            seed=seed,
            random_seed=request.random_seed,
            clock_mode=mode,
            clock_now=now,
            idle=idle,
        )
        return wire.CreateWorldResponse(world=world_message(self._worlds.create(request.world_id, plan)))

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
        seed = _seed(request.seed, request.snapshot_id)
        if request.allow_default and not request.world_id:
            raise ChukanError("FEATURE_NOT_AVAILABLE", feature="reset of the default world")
        world = self._worlds.reset(
            request.world_id, seed=seed, keep_clock=request.keep_clock, keep_faults=request.keep_faults
        )
        return wire.ResetWorldResponse(world=world_message(world))

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
            worlds=[world_message(world) for world in page],
            next_page_token=page[-1].id if len(page) < len(left) else "",
            memory_bytes=sum(world.size for world in self._worlds.all()),
            memory_budget_bytes=self._worlds.budget,
        )

    def GetClock(  # noqa: D102
        self, request: wire.GetClockRequest, context: grpc.ServicerContext
    ) -> wire.GetClockResponse:
        del context
        return wire.GetClockResponse(clock=clock_message(self._worlds.called(request.world_id)))

    def SetClock(  # noqa: D102
        self, request: wire.SetClockRequest, context: grpc.ServicerContext
    ) -> wire.SetClockResponse:
        world = self._movable(request.world_id)
        mode, now = clock_setting(request.clock)
        if now is None:
            ran = world.set_mode(mode, _Patience(context))
        else:
            ran = world.advance_to(now, _Patience(context), named="clock.now", mode=mode)
        return wire.SetClockResponse(clock=clock_message(world), jobs=job_messages(ran))

    def AdvanceClock(  # noqa: D102
        self, request: wire.AdvanceClockRequest, context: grpc.ServicerContext
    ) -> wire.AdvanceClockResponse:
        world = self._movable(request.world_id)
        patience = _Patience(context)
        match request.WhichOneof("step"):
            case "by":
                ran = world.advance_by(span(request.by, "by"), patience)
            case "until":
                ran = world.advance_to(instant(request.until, "until"), patience, named="until")
            case _:
                ran = world.advance_to_next_due(patience)
        return wire.AdvanceClockResponse(clock=clock_message(world), jobs=job_messages(ran))

    def AwaitIdle(  # noqa: D102
        self, request: wire.AwaitIdleRequest, context: grpc.ServicerContext
    ) -> wire.AwaitIdleResponse:
        world, patience = self._worlds.called(request.world_id), _Patience(context)
        wait = span(request.wait_time, "wait_time") if request.HasField("wait_time") else _TEN_SECONDS
        until = monotonic() + wait.total_seconds()
        idle = world.drain(0.0)
        while not idle and (left := min(patience.left(), until - monotonic())) > 0:
            idle = world.drain(min(left, _LOOK_EVERY))
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
        kinds = [kind_message(name, kind) for name, kind in KINDS.items()]
        return wire.ListFaultKindsResponse(kinds=sorted(kinds, key=lambda kind: kind.catalogue_number))

    def AddFault(  # noqa: D102
        self, request: wire.AddFaultRequest, context: grpc.ServicerContext
    ) -> wire.AddFaultResponse:
        del context
        faults = self._worlds.called(request.world_id).faults
        fault = fault_of(request.fault, request.fault.fault_id or faults.new_id())
        fault.check()
        check_parameters(fault)
        return wire.AddFaultResponse(fault=fault_state(faults.add(fault), faults.now))

    def ListFaults(  # noqa: D102
        self, request: wire.ListFaultsRequest, context: grpc.ServicerContext
    ) -> wire.ListFaultsResponse:
        del context
        after = request.page_token or "0"
        faults = self._worlds.called(request.world_id).faults
        if not (after.isascii() and after.isdecimal()):
            raise ChukanError("PAGE_TOKEN_INVALID", field="page_token")
        left = [each for each in faults.states() if each.number > int(after[:20])]
        page = left[: request.page_size or _PAGE]
        return wire.ListFaultsResponse(
            faults=[fault_state(each, faults.now) for each in page],
            next_page_token=str(page[-1].number) if len(page) < len(left) else "",
        )

    def ClearFaults(  # noqa: D102
        self, request: wire.ClearFaultsRequest, context: grpc.ServicerContext
    ) -> wire.ClearFaultsResponse:
        del context
        faults = self._worlds.called(request.world_id).faults
        cleared = faults.clear(request.fault_ids)
        return wire.ClearFaultsResponse(faults=[fault_state(each, faults.now) for each in cleared])


def _seed(seed: int, snapshot: str) -> str:
    """Return what to start from, empty if that is not said; no world starts from a snapshot yet."""
    if seed == _SNAPSHOT:
        raise ChukanError("FEATURE_NOT_AVAILABLE", feature="snapshots")
    if snapshot:
        raise ChukanError("INVALID_FIELD", field="snapshot_id")
    return _SEEDS.get(seed, "")


class _Patience:
    """How long a caller waits: until its deadline, and not when it has gone."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        remaining = context.time_remaining()
        self._until = monotonic() + (_PATIENCE if remaining is None else min(remaining, _PATIENCE))

    def left(self) -> float:
        """Return the seconds left."""
        return max(0.0, self._until - monotonic()) if self._context.is_active() else 0.0
