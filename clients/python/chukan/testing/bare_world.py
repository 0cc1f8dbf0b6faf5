# SPDX-License-Identifier: Apache-2.0
"""A world as whoever sets a stage in it needs it: its clients, clock and faults, its ids, its end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from chukan.client import Client
from chukan.emulator.v1 import emulator_service_pb2 as pb
from chukan.standard.ids import SeededIds
from chukan.testing.clock import Clock
from chukan.testing.control import controls_of
from chukan.testing.faults import Faults
from chukan.testing.stage import StageError, organization_of

if TYPE_CHECKING:
    from types import TracebackType

    from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceStub

__all__ = ["BareWorld"]

__tracebackhide__ = True  # a failure is shown at the line of the test

_SYSTEM: Final = "chukan-testing"
_WIRE: Final = 10.0


class BareWorld:
    """Middle servers, network and address systems for one test, without anybody in them.

    Whatever calls the emulator's target with the metadata chukan-world calls in it.
    """

    def __init__(self, target: str, control: EmulatorServiceStub, world_id: str) -> None:
        self.target: Final = target
        self.id: Final = world_id
        self._control = controls_of(control, world_id)
        self.clock: Final = Clock(self._control, world_id)
        self.faults: Final = Faults(self._control, world_id)
        self._ids = SeededIds(f"{world_id}/client")
        self._clients: list[Client] = []
        self._own: dict[str, Client] = {}
        self.closed = False
        """Whether it was deleted by `close`."""

    def __repr__(self) -> str:
        return f"<world {self.id}>"

    def client(self, organization: str, *, retries: bool = False, **options: Any) -> Client:  # noqa: ANN401  # Client's
        """Return a client of an organization in this world, closed with it; options as `chukan.client.Client` has them.

        It repeats nothing by itself unless told to, so that a test sees each failure.
        """
        if self.closed:
            raise StageError(
                f"world {self.id} was deleted by close(), or at the end of its `with`; expected one that stands: "
                "make another by chukan_emulator.new_world(), or use it before its end",
                f"ワールド {self.id} は close() 又は with の終わりで削除済みです。"
                "chukan_emulator.new_world() で別に作るか、削除前に使ってください。",
            )
        made = Client(
            self.target,
            organization=organization_of(organization).code,
            world=self.id,
            retries=retries,
            ids=self._ids,
            **options,
        )
        self._clients.append(made)
        return made

    def metadata(self, organization: str, *, system: str = "") -> dict[str, str]:
        """Return what goes with every call in this world, for clients of another make."""
        found = {"chukan-organization": organization_of(organization).code, "chukan-world": self.id}
        return {**found, "chukan-system": system} if system else found

    def await_idle(self, seconds: float = 10.0) -> None:
        """Return when nothing that is due is left to do; StageError after so many seconds of real time."""
        request = pb.AwaitIdleRequest(world_id=self.id)
        request.wait_time.FromTimedelta(timedelta(seconds=seconds))
        answer = self._control.AwaitIdle(request, timeout=seconds + _WIRE)
        if not answer.idle:
            raise StageError(f"the world did not come to rest within {seconds:g} s: {', '.join(answer.pending)}")

    def reset(self, *, keep_clock: bool = False, keep_faults: bool = False) -> int:
        """Set it back to how it began, and return its generation. What is open in it ends with WORLD_RESET."""
        request = pb.ResetWorldRequest(world_id=self.id, keep_clock=keep_clock, keep_faults=keep_faults)
        return self._control.ResetWorld(request).world.generation

    def close(self) -> None:
        """Delete it and close its clients. Again does nothing."""
        if self.closed:
            return
        while self._clients:
            self._clients.pop().close()
        self._own.clear()
        self._control.DeleteWorld(pb.DeleteWorldRequest(world_id=self.id))
        self.closed = True

    def describe(self) -> str:
        """Return how it stands, for people: its clock, its faults and their strikes, what waits."""
        try:
            mode, due = self.clock.state().mode, self.clock.next_due()
            standing = pb.ClockMode.Name(mode).removeprefix("CLOCK_MODE_").lower()
            lines = [f"{self.id}: {self.clock.now():%Y-%m-%d %H:%M:%S}+09:00, clock {standing}"]
            lines += [f"next due: {due:%Y-%m-%d %H:%M:%S}+09:00"] if due else []
            lines += [_told(each) for each in self.faults.states()]
        except Exception as error:  # noqa: BLE001 a report of a failure must not fail itself: its emulator may be gone
            return f"{self.id}: {error}"
        return "\n".join(lines)

    def own_client(self, organization: str) -> Client:
        """Return the client by which this object itself sets the stage."""
        if organization not in self._own:
            self._own[organization] = self.client(organization, system=_SYSTEM)
        return self._own[organization]

    def next_id(self, kind: str) -> str:
        """Return an id nothing else in this world has; the same in every run of a world of the same id."""
        return self._ids.next(kind)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _told(state: pb.FaultState) -> str:
    """Say what a fault is and what became of it."""
    at = f" at {', '.join(state.fault.target.methods)}" if state.fault.target.methods else ""
    counts = f"struck {state.struck_count} of {state.matched_count} that fitted"
    return f"fault {state.fault.fault_id}: {state.fault.kind}{at}, {counts}"
