# SPDX-License-Identifier: Apache-2.0
"""The controls of one world: where the world is gone, the refusal names it and says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.emulator.v1.emulator_service_pb2_grpc import EmulatorServiceStub

__all__ = ["controls_of"]

__tracebackhide__ = True  # a failure is shown at the line of the test


def controls_of(control: EmulatorServiceStub, world_id: str) -> EmulatorServiceStub:
    """Return the stub for what is called about one world."""
    return cast("EmulatorServiceStub", _Controls(control, world_id))


class _Controls:
    def __init__(self, control: EmulatorServiceStub, world_id: str) -> None:
        self._control = control
        self._world = world_id

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._control, name)

        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  # as the stub's
            try:
                return method(*arguments, **options)
            except ChukanError as error:
                if error.code != "WORLD_UNKNOWN":
                    raise
                field = error.field
            expected = "a world that stands; it was deleted, or its emulator was started anew"
            raise ChukanError("WORLD_UNKNOWN", field=field, params={"world": self._world, "expected": expected})

        return call
