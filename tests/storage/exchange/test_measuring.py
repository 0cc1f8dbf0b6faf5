# SPDX-License-Identifier: Apache-2.0
"""What a scrape tells of an exchange: how old open inquiries are, and what stands on one side only."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

from chukan.server.assembly.measuring import measure_middle, measure_network
from chukan.server.domain.linkage import AddresseeBatch
from chukan.server.storage.addressees import AddresseeStore
from chukan.server.storage.imports import ImportStore
from tests.storage.exchange.world import SHINJUKU
from tests.storage.middle.samples import number

if TYPE_CHECKING:
    from tests.storage.exchange.world import World


def _gauge(world: World, name: str, **labels: str) -> float | None:
    return world.foundation.metrics.registry.get_sample_value(name, labels)


def _measure(world: World) -> None:
    stores = SimpleNamespace(
        exchange=world.side, addressees=AddresseeStore(world.foundation.vault), imports=ImportStore()
    )
    measure_middle(world.foundation, stores)  # type: ignore[arg-type]
    measure_network(world.foundation, world.core)


def test_an_open_inquiry_shows_its_age_in_the_state_it_stands_in_and_none_once_it_ended(
    world: World, moved: str
) -> None:
    _measure(world)
    world.ask(moved)
    world.clock.advance(timedelta(minutes=40))

    assert _gauge(world, "chukan_oldest_open_inquiry_seconds", state="accepted") == 2400
    assert _gauge(world, "chukan_oldest_open_inquiry_seconds", state="permitted") == 0
    world.run()
    assert _gauge(world, "chukan_oldest_open_inquiry_seconds", state="accepted") == 0
    assert _gauge(world, "chukan_inquiries", state="answered") == 1


def test_an_answer_the_inquirer_has_not_signed_for_is_a_half_exchange_until_it_has(world: World, moved: str) -> None:
    _measure(world)
    world.wires.cut_before.add("deliver_answers")
    world.ask(moved)
    world.step()
    world.step()

    assert _gauge(world, "chukan_half_exchanges") == 1
    world.wires.cut_before.clear()
    world.run()
    assert _gauge(world, "chukan_half_exchanges") == 0


def test_a_code_that_was_asked_for_is_pending_until_it_comes(world: World) -> None:
    _measure(world)
    own = number(17)
    world.codes.register(SHINJUKU, "test", "p", b"d", AddresseeBatch([own]))
    world.codes.request_code(SHINJUKU, own)
    assert _gauge(world, "chukan_codes_pending") == 0
    world._issue(SHINJUKU)
    world.clock.advance(timedelta(hours=5))

    assert _gauge(world, "chukan_codes_pending") == 1
    assert _gauge(world, "chukan_oldest_pending_code_seconds") == 5 * 3600
    assert _gauge(world, "chukan_unreadable_gauges") == 0
