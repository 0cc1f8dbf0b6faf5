# SPDX-License-Identifier: Apache-2.0
"""Corrections: what staff put in the place of an answer could have been registered as a replica."""

from __future__ import annotations

from typing import Any, Final

import pytest

from chukan.server.domain.correction import check_correction
from chukan.server.domain.exchange import PermitLeaf, ResultRecord
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError
from tests.storage.middle.samples import CARE, TAX, batch, number

LEVY: Final = "TK90002010000003"
CARE_PERSON: Final = "TK90015020100001"
"""A code without listed values, wide enough for an individual number."""
CHILD: Final = {"information_code": CARE, "data_set": "0201"}


def _permit(information: str = TAX, item_codes: tuple[str, ...] = ()) -> PermitLeaf:
    blank: dict[str, Any] = dict.fromkeys(PermitLeaf._fields[:14], "")
    return PermitLeaf(**{**blank, "information": information}, item_codes=item_codes)


def _record(changed: dict[str, Any] | None = None, **given: Any) -> ResultRecord:
    """Return a record with every required item; given: of the replica batch it is made from."""
    made = batch([number(1)], **given)
    record = ResultRecord(
        data_set=made.data_set,
        edition=made.edition,
        record_key=made.record_keys[0],
        parent_record_key="" if made.data_set == "0100" else "p",
        period_start=made.start_dates[0],
        period_end=made.end_dates[0],
        items=tuple((column.item_code, column.values[0], None) for column in made.columns),
    )
    return record._replace(**changed or {})


def _only(*codes: str) -> dict[str, Any]:
    return {"items": tuple(item for item in _record().items if item[0] in codes)}


@pytest.mark.parametrize("record", [_record(), _record({"period_end": ""})])
def test_a_record_that_keeps_every_rule_may_be_provided(record: ResultRecord) -> None:
    check_correction([record], _permit())
    check_correction([_record(**CHILD)], _permit(CARE))


WRONG: Final[dict[str, tuple[ResultRecord, str, str]]] = {
    "a key too long": (_record({"record_key": "K" * 65}), "RECORD_KEY_MISSING", "record_key"),
    "a key with a control character": (_record({"record_key": "K\0"}), "RECORD_KEY_MISSING", "record_key"),
    "no key": (_record({"record_key": ""}), "RECORD_KEY_MISSING", "record_key"),
    "a key that is not its item's value": (_record({"record_key": "2025"}), "RECORD_KEY_MISMATCH", "record_key"),
    "an end before the start": (_record({"period_end": "20260101"}), "PERIOD_INVALID", "period"),
    "no start": (_record({"period_start": ""}), "PERIOD_INVALID", "period"),
    "a day there is none of": (_record({"period_start": "20260230"}), "DATE_INVALID", "period"),
    "a parent where none can be": (
        _record({"parent_record_key": "p"}), "PARENT_KEY_UNEXPECTED", "parent_record_key",
    ),
    "a required item left out": (_record(_only(LEVY)), "ITEM_REQUIRED", "items"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_record_no_replica_could_be_is_refused_at_its_field(name: str) -> None:
    record, reason, field = WRONG[name]

    with pytest.raises(ChukanError) as raised:
        check_correction([_record(), record], _permit())

    assert (raised.value.code, raised.value.field) == (reason, f"records[1].{field}")


def test_a_child_record_names_its_parent_by_a_key_that_can_be_one() -> None:
    for parent, reason in (("", "PARENT_KEY_MISSING"), ("p" * 65, "FIELD_TOO_LONG"), ("p\0", "CHARACTER_REFUSED")):
        with pytest.raises(ChukanError) as raised:
            check_correction([_record({"parent_record_key": parent}, **CHILD)], _permit(CARE))

        assert (raised.value.code, raised.value.field) == (reason, "records[0].parent_record_key")


def test_an_individual_number_is_refused_in_every_item_that_identifies_and_is_not_echoed() -> None:
    person = dummy_individual_number(1)
    record = _record(**CHILD, values={CARE_PERSON: [person]})

    with pytest.raises(ChukanError) as raised:
        check_correction([record], _permit(CARE))

    assert (raised.value.code, raised.value.field) == ("INDIVIDUAL_NUMBER_REFUSED", "records[0].items")
    assert person not in repr(raised.value)


def test_of_an_answer_to_some_items_only_those_are_required() -> None:
    check_correction([_record(_only(LEVY))], _permit(item_codes=(LEVY,)))

    with pytest.raises(ChukanError, match="ITEM_REQUIRED"):
        check_correction([_record({"items": ()})], _permit(item_codes=(LEVY,)))
    with pytest.raises(ChukanError, match="NOT_PERMITTED_ITEMS"):
        check_correction([_record()], _permit(item_codes=(LEVY,)))
