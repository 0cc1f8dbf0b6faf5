# SPDX-License-Identifier: Apache-2.0
"""For tests of what calls a middle server: the emulator inside pytest, a world for each test (docs/testing.md).

`chukan.testing.plugin` is what pytest loads; nothing of the emulator or of gRPC is imported before a fixture is used.
Synchronous only: variants for asyncio are for later.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from chukan.testing.clock import Clock
    from chukan.testing.emulator import Emulator
    from chukan.testing.faults import Fault, Faults
    from chukan.testing.people import Addressee
    from chukan.testing.stage import StageError
    from chukan.testing.world import World

__all__ = ["Addressee", "Clock", "Emulator", "Fault", "Faults", "StageError", "World"]

_HOMES: Final = {
    "Addressee": "people",
    "Clock": "clock",
    "Emulator": "emulator",
    "Fault": "faults",
    "Faults": "faults",
    "StageError": "stage",
    "World": "world",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # each name has a type of its own, above
    """Load a class when it is first wanted."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
