# SPDX-License-Identifier: Apache-2.0
"""Comparing one side's records with the network's: what either half lacks is found, without anybody naming it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy

from chukan.server.domain.exchange_record import RecordSide
from chukan.server.middle.record_comparison import Compared, Place
from chukan.standard.reasons import ChukanError
from tests.storage.exchange.world import SETAGAYA, SHINJUKU

if TYPE_CHECKING:
    from tests.storage.exchange.world import World

_BEGINNING = Place()
SIDES = {SETAGAYA: RecordSide.INQUIRER, SHINJUKU: RecordSide.PROVIDER}


def _lose(world: World, organization: str, exchange_id: str) -> None:
    """Drop one record, as a restored backup would."""
    statement = sqlalchemy.text(
        "delete from exchange_record where organization = :organization and exchange = :exchange"
    )
    given = {"organization": organization, "exchange": bytes.fromhex(exchange_id)}
    world.foundation.database.write(organization, lambda connection: connection.execute(statement, given) and None)


def _compare(world: World, organization: str, place: Place = _BEGINNING) -> Compared:
    """Compare all there is; the network has been asked before."""
    for _ in range(2):
        world.side.comparison.walk(organization, place)
        world.run()
    return world.side.comparison.walk(organization, place)


def _states(compared: Compared) -> list[tuple[str, int]]:
    return [(each.state.name, each.side) for each in compared.found]


@pytest.mark.parametrize("organization", [SETAGAYA, SHINJUKU])
def test_what_the_network_has_and_this_side_lacks_is_found_without_being_named(
    world: World, moved: str, organization: str
) -> None:
    exchanges = []
    for _ in range(3):  # more than one page of the network's list
        world.ask(moved)
        world.run()
        exchanges.append(world.record(organization).exchange_id)
    _lose(world, organization, exchanges[1])

    compared = _compare(world, organization)

    side = SIDES[organization]
    assert sorted(_states(compared)) == [("AGREES", side), ("AGREES", side), ("MISSING_HERE", side)]
    assert [each.exchange_id for each in compared.found if each.state.name == "MISSING_HERE"] == [exchanges[1]]
    assert not compared.more


def test_a_comparison_goes_on_from_where_it_ended_both_ways(world: World, moved: str) -> None:
    world.ask(moved)
    world.run()
    first = _compare(world, SETAGAYA)
    world.ask(moved)
    world.run()
    lost = world.record(SETAGAYA).exchange_id
    _lose(world, SETAGAYA, lost)

    later = _compare(world, SETAGAYA, first.place)

    assert _states(first) == [("AGREES", RecordSide.INQUIRER)]
    assert [(each.exchange_id, each.state.name) for each in later.found] == [(lost, "MISSING_HERE")]


def test_an_exchange_that_was_open_is_looked_at_again_when_it_is_finished(world: World, moved: str) -> None:
    """The provider owes a record once it answered; a walk that came by before must not pass over that for good."""
    world.ask(moved)
    world.step("request_permits")
    before = world.side.comparison.walk(SHINJUKU, _BEGINNING)
    world.step("pull_network_records")
    before = world.side.comparison.walk(SHINJUKU, before.place)
    assert _states(before) == []
    world.run()
    _lose(world, SHINJUKU, world.record(SHINJUKU).exchange_id)

    after = _compare(world, SHINJUKU, before.place)

    assert _states(after) == [("MISSING_HERE", RecordSide.PROVIDER)]


def test_what_has_not_reached_the_provider_yet_is_pending_there_not_missing(world: World, moved: str) -> None:
    world.ask(moved)
    world.wires.cut_before.add("deliver_inquiries")
    with pytest.raises(ChukanError):
        world.run()
    exchange = world.record(SETAGAYA).exchange_id
    world.wires.cut_before.clear()

    world.side.comparison.named(SHINJUKU, [exchange])
    world.step("pull_network_records")
    (found,) = world.side.comparison.named(SHINJUKU, [exchange])

    assert (found.state.name, found.side) == ("PENDING", RecordSide.PROVIDER)


def test_a_list_that_can_not_be_read_is_said_and_what_is_missing_here_stays_unknown(world: World, moved: str) -> None:
    world.ask(moved)
    world.run()
    _lose(world, SETAGAYA, world.record(SETAGAYA).exchange_id)
    world.wires.cut_before.add("network_records")

    world.side.comparison.walk(SETAGAYA, _BEGINNING)
    with pytest.raises(ChukanError):
        world.run()
    compared = world.side.comparison.walk(SETAGAYA, _BEGINNING)

    assert (compared.found, compared.listed) == ([], 0)


def test_an_exchange_nobody_knows_is_unknown_and_of_no_side(world: World) -> None:
    (found,) = world.side.comparison.named(SETAGAYA, ["00" * 32])

    assert (found.state.name, found.side) == ("UNKNOWN", 0)


def test_what_was_fetched_by_name_takes_no_walk_past_what_the_list_was_not_read_to(world: World, moved: str) -> None:
    """A copy fetched by name has a number far up in the list; what is missing here below it must still be found."""
    exchanges = []
    for _ in range(2):
        world.ask(moved)
        world.run()
        exchanges.append(world.record(SETAGAYA).exchange_id)
    _lose(world, SETAGAYA, exchanges[0])
    world.side.comparison.named(SETAGAYA, [exchanges[1]])
    world.run()

    place, found = _BEGINNING, []
    for _ in range(4):
        compared = world.side.comparison.walk(SETAGAYA, place)
        place = compared.place
        found += _states(compared)
        world.run()

    assert ("MISSING_HERE", RecordSide.INQUIRER) in found


def test_walks_that_come_again_before_the_network_was_asked_have_it_asked_once(world: World, moved: str) -> None:
    world.ask(moved)
    world.run()

    for _ in range(3):
        world.side.comparison.walk(SETAGAYA, _BEGINNING)

    assert world.step("pull_network_records") == 2  # the exchange by name, and the list


def test_a_list_that_was_given_up_is_asked_for_again_by_the_next_walk(world: World) -> None:
    database, outbox = world.foundation.database, world.foundation.outbox
    world.side.comparison.walk(SETAGAYA, _BEGINNING)
    with database.read() as connection:
        items, _ = outbox.due(connection, SETAGAYA, "pull_network_records", most=10, most_bytes=1 << 20)
    ids = [item.id for item in items]
    database.write(SETAGAYA, lambda connection: outbox.postpone(connection, ids, due=None))

    world.side.comparison.walk(SETAGAYA, _BEGINNING)

    assert world.step("pull_network_records") == 1
