# SPDX-License-Identifier: Apache-2.0
"""What setting the stage of a test has in common: whom it names, how it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.standard.organizations import resolve_provider
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chukan.standard.organizations import Organization
    from chukan.v1.common_pb2 import RowFailure

__all__ = ["StageError", "expect_taken", "organization_of"]

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


def organization_of(text: str) -> Organization:
    """Return the organization a test names by 16 digits, or a municipality's 6 or 5."""
    try:
        return resolve_provider(text)
    except ChukanError:
        sentence = f"got {text!r}, expected an organization's 16 digits or a municipality's 6 or 5"
    raise StageError(sentence)
