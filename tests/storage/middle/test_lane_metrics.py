# SPDX-License-Identifier: Apache-2.0
"""One kind of replicas lying still is seen, whatever the others do (会津若松市 2023, domain facts §3b)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

from chukan.monitoring.metrics import Metrics
from chukan.server.assembly.lane_metrics import measure_lanes
from chukan.server.domain.replica import ImportState
from chukan.server.storage.imports import ImportStore
from tests.storage.middle.conftest import NOON
from tests.storage.middle.samples import OTHER, OWN, RESIDENT, TAX, batch, number

if TYPE_CHECKING:
    from collections.abc import Callable

ONE = number(1)
HOUR = timedelta(hours=1)


@pytest.fixture
def gauge(middle: Any) -> Callable[..., float | None]:
    """Give what a scrape shows of an information."""
    middle.register(ONE)
    registry = CollectorRegistry()
    measure_lanes(Metrics(registry), middle.database, middle.clock, ImportStore())

    def read(name: str, information: str = TAX) -> float | None:
        return registry.get_sample_value(name, {"information": information})

    return read


def _send(middle: Any, batch_id: str, organization: str = OWN, **given: Any) -> Any:
    return middle.replicas.register(organization, "s", batch([ONE], batch_id=batch_id, **given), b"d")[0]


def _hold(middle: Any) -> None:
    numbers = [number(serial) for serial in range(10, 111)]
    middle.register(*numbers)
    over = middle.replicas.register(OWN, "s", batch(numbers, batch_id="over", send_id="s1"), b"d")[0]
    assert over.state == ImportState.REFUSED


def test_a_held_lane_shows_its_age_until_it_is_opened_and_no_other_kind_does(
    middle: Any, gauge: Callable[..., float | None]
) -> None:
    _send(middle, "r", information_code=RESIDENT)
    _hold(middle)
    middle.clock.advance(HOUR)

    assert gauge("chukan_lane_held_seconds") == HOUR.total_seconds()
    assert gauge("chukan_lane_held_seconds", RESIDENT) == 0
    middle.replicas.resume_lane(OWN, TAX)
    assert gauge("chukan_lane_held_seconds") == 0
    assert gauge("chukan_lane_stuck_seconds") == 0


@pytest.mark.parametrize("fault", [{"edition": "9999"}, {"start_dates": ["20261301"]}], ids=["batch", "rows"])
def test_a_lane_whose_batches_are_all_refused_is_stuck_from_the_first_one_on(
    middle: Any, gauge: Callable[..., float | None], fault: dict[str, Any]
) -> None:
    """A program fault at the sender holds no lane: what shows it is that nothing was taken since."""
    _send(middle, "good")
    assert gauge("chukan_lane_stuck_seconds") == 0

    for attempt in range(3):
        _send(middle, f"bad{attempt}", **fault)
        middle.clock.advance(HOUR)

    assert gauge("chukan_lane_stuck_seconds") == 3 * HOUR.total_seconds()
    assert gauge("chukan_lane_held_seconds") == 0
    assert gauge("chukan_replica_last_success_timestamp_seconds") == NOON.timestamp()


def test_a_lane_that_takes_what_was_refused_is_stuck_no_more_though_all_of_it_was_there(
    middle: Any, gauge: Callable[..., float | None]
) -> None:
    """A sender that mended its fault sends all again: unchanged rows write nothing, and nothing is wrong."""
    _send(middle, "good", record_ids=["r-1"])
    _send(middle, "bad", record_ids=["r-1"], edition="9999")
    middle.clock.advance(HOUR)
    assert gauge("chukan_lane_stuck_seconds") == HOUR.total_seconds()

    _send(middle, "again", record_ids=["r-1"])

    assert gauge("chukan_lane_stuck_seconds") == 0


def test_the_organization_that_waits_longest_shows(middle: Any, gauge: Callable[..., float | None]) -> None:
    """Other organizations' success must not hide one that nothing arrives from; no series names an organization."""
    middle.register(ONE, organization=OTHER)
    _send(middle, "own", record_ids=["o-1"])
    middle.clock.advance(HOUR)
    _send(middle, "other", OTHER)

    assert gauge("chukan_replica_last_success_timestamp_seconds") == NOON.timestamp()
    _send(middle, "again", record_ids=["o-2"])
    assert gauge("chukan_replica_last_success_timestamp_seconds") == (NOON + HOUR).timestamp()


def test_an_information_nobody_ever_sent_has_no_series(gauge: Callable[..., float | None]) -> None:
    assert gauge("chukan_replica_last_success_timestamp_seconds") is None
    assert gauge("chukan_lane_stuck_seconds") is None
