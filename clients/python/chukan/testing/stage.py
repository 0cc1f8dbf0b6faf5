# SPDX-License-Identifier: Apache-2.0
"""What setting the stage of a test has in common: how it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chukan.v1.common_pb2 import RowFailure

__all__ = ["StageError", "expect_taken"]

__tracebackhide__ = True  # a failure is shown at the line of the test


class StageError(AssertionError):
    """The stage of a test could not be set; the text says what was refused and why."""


def expect_taken(what: str, failures: Iterable[RowFailure]) -> None:
    """Raise if a row was refused."""
    told = [
        " ".join(filter(None, (f"{each.reason}: {each.message}", each.field, each.item_code, each.rule)))
        for each in failures
    ]
    if told:
        raise StageError(f"{what} was refused: {'; '.join(told)}")
