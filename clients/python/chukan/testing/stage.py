# SPDX-License-Identifier: Apache-2.0
"""What setting the stage of a test has in common: whom it names, how it fails."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from chukan.standard.organizations import all_organizations, resolve_provider
from chukan.standard.reasons import ChukanError, reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chukan.standard.organizations import Organization
    from chukan.v1.common_pb2 import RowFailure

__all__ = ["StageError", "expect_taken", "organization_of"]

__tracebackhide__ = True  # a failure is shown at the line of the test


_EXAMPLE: Final = "0220113112101700"
"""世田谷区, as in the examples."""


class StageError(AssertionError):
    """The stage of a test could not be set; the text says what was refused, why, and what to do, in both languages."""

    def __init__(self, english: str, japanese: str = "") -> None:
        super().__init__(f"{english}\n{japanese}" if japanese else english)


def expect_taken(what: str, failures: Iterable[RowFailure]) -> None:
    """Raise if a row was refused."""
    refused = list(failures)
    if refused:
        english, japanese = zip(*map(_sentences, refused), strict=True)
        raise StageError(f"{what} was refused: {'; '.join(english)}", " ".join(japanese))


def _sentences(failure: RowFailure) -> tuple[str, str]:
    """Return why a row was refused, where, and what to do, in both languages."""
    where = "; ".join(filter(None, (failure.field, failure.item_code, failure.rule)))
    try:
        found = reason(failure.reason)
    except LookupError:  # of a newer server
        return f"{failure.reason}: {failure.message} ({where})", f"{failure.reason} ({where})"
    return (
        f"{failure.reason}: {found.english} ({where}); {found.action_english}",
        f"{failure.reason}: {found.japanese}({where}){found.action_japanese}",
    )


def organization_of(text: str) -> Organization:
    """Return the organization a test names by 16 digits, or a municipality's 6 or 5."""
    try:
        return resolve_provider(text)
    except ChukanError:
        near = _near(text)
    raise StageError(
        f"got organization {text!r}, which there is not; expected an organization's 16 digits or a municipality's 6 or "
        f"5, such as {near}",
        f"機関 {text!r} はありません。機関コード16桁又は団体コード6桁か5桁を指定してください(例: {near})。",
    )


def _near(text: str) -> str:
    """Return what might have been meant, by code or by name."""
    found: dict[str, str] = {}
    for each in all_organizations():
        shown = f"{each.municipality_code or each.code} {each.name}"
        found |= dict.fromkeys((each.code, each.name, each.municipality_code or each.code), shown)
    meant = get_close_matches(text.strip(), found, n=3) or [_EXAMPLE]
    return ", ".join(dict.fromkeys(found[each] for each in meant))
