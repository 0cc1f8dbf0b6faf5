# SPDX-License-Identifier: Apache-2.0
"""Clock and ids: injected, never backwards, repeatable where seeded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.standard.clock import JAPAN, Clock, FixedClock, SystemClock
from chukan.standard.ids import Ids, SeededIds, SystemIds

NOON = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)


def test_a_fixed_clock_stands_still_until_it_is_advanced() -> None:
    clock = FixedClock(NOON)

    assert clock.now() == clock.now() == NOON
    assert clock.advance(timedelta(hours=1)) == clock.now() == NOON + timedelta(hours=1)


def test_the_date_is_the_date_in_japan() -> None:
    """15:00 UTC is midnight in Japan: the law's day begins there."""
    clock = FixedClock(datetime(2026, 5, 31, 14, 59, 59, tzinfo=UTC))

    assert clock.today() == date(2026, 5, 31)
    clock.advance(timedelta(seconds=1))
    assert clock.today() == date(2026, 6, 1)


def test_a_fixed_clock_never_runs_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        FixedClock(NOON).advance(timedelta(microseconds=-1))


def test_a_fixed_clock_needs_an_aware_start_and_tells_utc() -> None:
    with pytest.raises(ValueError, match="naive"):
        FixedClock(NOON.replace(tzinfo=None))
    assert FixedClock(NOON.astimezone(JAPAN)).now().tzinfo is UTC


def test_the_system_clock_is_a_clock_in_utc() -> None:
    clock: Clock = SystemClock()

    assert clock.now().tzinfo is UTC
    assert clock.today() - clock.now().astimezone(JAPAN).date() <= timedelta(days=1)


@given(st.lists(st.sampled_from(["inquiry", "permit"]), max_size=20), st.integers())
def test_seeded_ids_depend_on_seed_kind_and_count_of_the_kind_only(kinds: list[str], seed: int) -> None:
    """What other kinds were asked for in between changes nothing: no shared counter."""
    mixed, alone = SeededIds(seed), SeededIds(seed)

    drawn = [mixed.next(kind) for kind in kinds]

    inquiries = [identifier for identifier, kind in zip(drawn, kinds, strict=True) if kind == "inquiry"]
    assert inquiries == [alone.next("inquiry") for _ in inquiries]
    assert inquiries == sorted(inquiries)
    assert len(set(drawn)) == len(drawn)


def test_another_seed_gives_other_ids() -> None:
    assert SeededIds(1).next("inquiry") != SeededIds(2).next("inquiry")


def test_system_ids_are_ordered_even_while_the_clock_stands_still() -> None:
    ids: Ids = SystemIds(FixedClock(NOON))

    drawn = [ids.next("inquiry") for _ in range(1_000)]

    assert drawn == sorted(set(drawn))
    assert all(len(identifier) == 26 for identifier in drawn)


def test_system_ids_follow_the_clock() -> None:
    clock = FixedClock(NOON)
    ids = SystemIds(clock)

    before = ids.next("inquiry")
    clock.advance(timedelta(milliseconds=1))

    assert before < ids.next("inquiry")


def test_system_ids_of_several_threads_never_collide() -> None:
    ids = SystemIds(SystemClock())

    with ThreadPoolExecutor(4) as pool:
        drawn = [one for many in pool.map(lambda _: [ids.next("x") for _ in range(500)], range(4)) for one in many]

    assert len(set(drawn)) == 2_000


def test_system_ids_of_two_objects_do_not_collide() -> None:
    clock = FixedClock(NOON)

    assert SystemIds(clock).next("inquiry") != SystemIds(clock).next("inquiry")
