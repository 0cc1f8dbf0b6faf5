# SPDX-License-Identifier: Apache-2.0
"""What staff put in the place of an answer is held to the rules of a replica, and to what the permit covers."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest

from chukan.server.domain.correction import check_correction
from chukan.server.domain.exchange import ResultRecord
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError
from tests.storage.middle.samples import batch

TAX: Final = "TM00000000000002"
_NUMBER: Final = dummy_individual_number(1)


class Permit(NamedTuple):
    """What a correction is held against of a permit."""

    information: str = TAX
    item_codes: tuple[str, ...] = ()


def record(**changed: Any) -> ResultRecord:
    """Return what a good replica would be provided as."""
    good = batch(["900000000000001"])
    items = tuple((column.item_code, column.values[0], None) for column in good.columns)
    made = ResultRecord(good.data_set, good.edition, good.record_keys[0], "", good.start_dates[0], "", items)
    return made._replace(**changed)


def refusal(made: ResultRecord, permit: Permit) -> tuple[str, str]:
    with pytest.raises(ChukanError) as raised:
        check_correction([made], permit)  # type: ignore[arg-type]  # the part that counts
    return raised.value.code, raised.value.field


def test_a_correction_that_a_replica_could_be_is_taken() -> None:
    check_correction([record()], Permit())  # type: ignore[arg-type]  # the part that counts


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"record_key": "K" * 65}, ("RECORD_KEY_MISSING", "records[0].record_key")),
        ({"record_key": "K\x00"}, ("RECORD_KEY_MISSING", "records[0].record_key")),
        ({"record_key": ""}, ("RECORD_KEY_MISSING", "records[0].record_key")),
        ({"record_key": _NUMBER}, ("INDIVIDUAL_NUMBER_REFUSED", "records[0].record_key")),
        ({"parent_record_key": "K" * 65}, ("FIELD_TOO_LONG", "records[0].parent_record_key")),
        ({"parent_record_key": "P"}, ("PARENT_KEY_UNEXPECTED", "records[0].parent_record_key")),
        ({"period_start": "20270101", "period_end": "20260101"}, ("PERIOD_INVALID", "records[0].period")),
        ({"period_start": ""}, ("PERIOD_INVALID", "records[0].period")),
        ({"period_start": "20250230"}, ("DATE_INVALID", "records[0].period")),
        ({"items": ()}, ("ITEM_REQUIRED", "records[0].items")),
    ],
)
def test_a_correction_that_no_replica_could_be_is_refused_by_name(
    changed: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert refusal(record(**changed), Permit()) == expected


def test_no_individual_number_goes_out_in_an_item_wide_enough_for_one() -> None:
    permit = Permit("TM00000000000001", ("TK90001010000001",))
    made = record(items=(("TK90001010000001", _NUMBER, None),))

    assert refusal(made, permit) == ("INDIVIDUAL_NUMBER_REFUSED", "records[0].items")


def test_a_required_item_that_the_permit_does_not_cover_is_not_missed() -> None:
    held = record().items

    check_correction([record(items=held[:1])], Permit(item_codes=(held[0][0],)))  # type: ignore[arg-type]  # as above
