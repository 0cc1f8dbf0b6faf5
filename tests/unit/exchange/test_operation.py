# SPDX-License-Identifier: Apache-2.0
"""How the state of the whole follows from the components'."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chukan.server.domain.exchange import Mode
from chukan.server.domain.operation import Component, HealthState, Status


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ("OK", "OK"),
        ("OK DEGRADED", "DEGRADED"),
        ("OK DEGRADED UNKNOWN", "UNKNOWN"),
        ("OK UNKNOWN DOWN DEGRADED", "DOWN"),
        ("", "UNKNOWN"),
    ],
)
def test_what_is_not_known_is_worse_than_what_works_and_better_than_what_does_not(states: str, whole: str) -> None:
    components = [Component(name, HealthState[name]) for name in states.split()]

    status = Status(components, [], Mode.TEST, "", "", 0, datetime.now(UTC), datetime.now(UTC))

    assert status.state is HealthState[whole]
