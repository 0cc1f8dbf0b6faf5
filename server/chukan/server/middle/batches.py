# SPDX-License-Identifier: Apache-2.0
"""What the batches of every family share: refused numbers, and answers kept for a resend."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from chukan.server.domain.linkage import BatchAnswer, Outcome, RowFailure
from chukan.standard.numbers import is_integrated_address_number, looks_like_individual_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["answer_of", "check_format", "check_numbers", "decode_answer", "encode_answer"]

_DIGITS: Final = 15


def check_format(numbers: Sequence[str], *, field: str) -> dict[int, RowFailure]:
    """Return the rows that can't be integrated address numbers.

    An individual number in their place is told apart, so that the sender learns at once what went wrong; it is refused,
    not echoed and not logged (domain rule: the middle server may not hold 個人番号).
    """
    failures: dict[int, RowFailure] = {}
    whole = "".join(numbers)
    if len(whole) != _DIGITS * len(numbers) or not whole.isascii() or not whole.isdigit():
        for row, number in enumerate(numbers):
            if not is_integrated_address_number(number):
                failures[row] = RowFailure(row, _wrong(number), field, rule="digits=15")
    return failures


def check_numbers(numbers: Sequence[str], *, field: str) -> dict[int, RowFailure]:
    """Return the rows that can't be integrated address numbers, or stand twice in the batch."""
    failures = check_format(numbers, field=field)
    if len(set(numbers)) != len(numbers):
        seen: set[str] = set()
        for row, number in enumerate(numbers):
            if number in seen and row not in failures:
                failures[row] = RowFailure(row, "DUPLICATE_IN_BATCH", field)
            seen.add(number)
    return failures


def answer_of(
    rows: int, outcomes: Mapping[int, int], failures: Mapping[int, RowFailure], *, asked: int = 0
) -> BatchAnswer:
    """Return the answer of a batch: COMMITTED where nothing else is said."""
    column = [int(Outcome.COMMITTED)] * rows
    for row, outcome in outcomes.items():
        column[row] = int(outcome)
    for row in failures:
        column[row] = int(Outcome.REFUSED)
    return BatchAnswer(column, [failures[row] for row in sorted(failures)], asked=asked)


def encode_answer(answer: BatchAnswer) -> bytes:
    """Return an answer as kept beside its batch id; it bears no personal value."""
    return json.dumps(
        {
            "outcomes": bytes(answer.outcomes).hex(),
            "failures": [asdict(failure) for failure in answer.failures],
            "asked": answer.asked,
        },
        separators=(",", ":"),
    ).encode()


def decode_answer(kept: bytes, *, repeated: bool) -> BatchAnswer:
    """Return a kept answer."""
    data = json.loads(kept)
    failures = [RowFailure(**row) for row in data["failures"]]
    return BatchAnswer(list(bytes.fromhex(data["outcomes"])), failures, repeated, data["asked"])


def _wrong(number: str) -> str:
    return "INDIVIDUAL_NUMBER_REFUSED" if looks_like_individual_number(number) else "NUMBER_MALFORMED"
