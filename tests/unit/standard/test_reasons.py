# SPDX-License-Identifier: Apache-2.0
"""Reasons: one table, both languages, stable codes; errors say what may be shown."""

from __future__ import annotations

import re

import pytest

from chukan.standard.reasons import RECORD, ChukanError, Reason, all_reasons, reason

STATUSES = {
    "CANCELLED",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
    RECORD,
}
JAPANESE = re.compile("[ぁ-んァ-ヶ一-龠]")


@pytest.mark.parametrize("row", all_reasons(), ids=lambda row: row.code)
def test_a_reason_says_what_happened_and_what_to_do_in_both_languages(row: Reason) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", row.code)
    assert row.status in STATUSES
    assert row.english
    assert row.english.isascii()
    assert row.action_english.isascii()
    assert row.action_english
    assert JAPANESE.search(row.japanese)
    assert JAPANESE.search(row.action_japanese)
    assert reason(row.code) is row


def test_codes_are_unique() -> None:
    codes = [row.code for row in all_reasons()]

    assert len(set(codes)) == len(codes)


def test_a_reason_of_a_record_that_ends_a_call_is_a_failed_precondition() -> None:
    row = reason("NO_REPLICA")

    assert (row.status, row.ends_call, row.call_status) == (RECORD, False, "FAILED_PRECONDITION")
    assert reason("INTERNAL_ERROR").call_status == "INTERNAL"


def test_a_code_outside_the_table_is_a_mistake_in_the_program() -> None:
    with pytest.raises(LookupError, match="NO_SUCH_REASON"):
        ChukanError("NO_SUCH_REASON")


def test_an_error_names_field_rules_and_parameters() -> None:
    error = ChukanError(
        "ITEM_VALUE_INVALID",
        field="records",
        violations=[("columns[3].values[7]", "max_length")],
        params={"limit": "12"},
        retry_after=1.5,
        feature="notices",
    )

    text = str(error)

    assert error.code == error.reason.code == "ITEM_VALUE_INVALID"
    assert error.retry_after == 1.5
    for part in ("ITEM_VALUE_INVALID", "field records", "columns[3].values[7]: max_length", "limit=12", "notices"):
        assert part in text


def test_an_error_without_details_is_code_and_text() -> None:
    error = ChukanError("NOT_READY")

    assert str(error) == f"NOT_READY: {error.reason.english}"
    assert error.params == {}
