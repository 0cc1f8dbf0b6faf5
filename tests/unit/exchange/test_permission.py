# SPDX-License-Identifier: Apache-2.0
"""The one rule that inquirer, network and provider apply, each on its own copy of the list."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chukan.server.domain.permission import Purpose, decide
from chukan.standard.organizations import by_municipality
from chukan.standard.permission_list import PermissionList, permission_list
from chukan.standard.reasons import reason

ON = date(2026, 7, 1)
ASKED = Purpose(
    inquirer=by_municipality("131121").code,
    provider=by_municipality("131041").code,
    affair="JM01000000121000",
    procedure="JT01010000000214",
    information="TM00000000000002",
)


def test_a_row_that_meets_every_step_permits_and_names_itself() -> None:
    decision = decide(permission_list(), ASKED, ON)

    assert decision.permitted
    assert (decision.row_id, decision.list_version) == ("P-214", permission_list().version)
    assert decision.legal_basis


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"inquirer": "9999999999999999"}, "NOT_PERMITTED_INQUIRER"),
        ({"provider": " "}, "PROVIDER_BLANK"),
        ({"provider": "9999999999999999"}, "PROVIDER_UNKNOWN"),
        ({"provider": ASKED.inquirer}, "PROVIDER_IS_INQUIRER"),
        ({"inquirer_delegator": "x"}, "DELEGATION_NOT_REGISTERED"),
        ({"provider_delegator": "x"}, "DELEGATION_NOT_REGISTERED"),
        ({"procedure": "JT0"}, "NOT_PERMITTED_PROCEDURE"),
        ({"information": "TM0"}, "NOT_PERMITTED_INFORMATION"),
        ({"affair": "JM0"}, "AFFAIR_MISMATCH"),
    ],
)
def test_the_first_step_that_fails_is_named(changed: dict[str, str], rule: str) -> None:
    decision = decide(permission_list(), ASKED._replace(**changed), ON)

    assert (decision.permitted, decision.reason, decision.row) == (False, rule, None)
    assert reason(rule).japanese


def test_a_row_counts_on_its_days_only() -> None:
    row = decide(permission_list(), ASKED, ON).row
    assert row is not None
    ended = replace(row, valid_from=date(2026, 4, 1), valid_to=date(2026, 6, 30))
    held = PermissionList("x", ON, (ended,))

    assert decide(held, ASKED, date(2026, 3, 31)).reason == "NOT_YET_IN_FORCE"
    assert decide(held, ASKED, date(2026, 4, 1)).permitted
    assert decide(held, ASKED, date(2026, 6, 30)).permitted
    assert decide(held, ASKED, date(2026, 7, 1)).reason == "NO_LONGER_IN_FORCE"


def test_two_copies_of_one_version_may_say_different_things() -> None:
    empty = PermissionList(permission_list().version, ON, ())

    assert decide(permission_list(), ASKED, ON).permitted
    assert not decide(empty, ASKED, ON).permitted


def test_consent_is_needed_where_the_row_says_so() -> None:
    row = decide(permission_list(), ASKED, ON).row
    assert row is not None
    held = PermissionList("x", ON, (replace(row, consent_required=True),))
    decision = decide(held, ASKED, ON)

    assert decision.with_consent(given=True).permitted
    assert decision.with_consent(given=False).reason == "CONSENT_MISSING"
    assert not decision.with_consent(given=False).permitted


@given(
    st.fixed_dictionaries(
        {name: st.text(max_size=18) for name in ("inquirer", "provider", "affair", "procedure", "information")}
    ),
    st.integers(0, 4000),
)
def test_nothing_that_is_not_in_the_list_is_ever_permitted(changed: dict[str, str], days: int) -> None:
    decision = decide(permission_list(), ASKED._replace(**changed), ON + timedelta(days=days))

    assert not decision.permitted
    assert decision.reason
