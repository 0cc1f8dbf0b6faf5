# SPDX-License-Identifier: Apache-2.0
"""Local address numbers (宛名番号) → integrated address numbers (団体内統合宛名番号), asked of the address system.

Lanes go through the same people at about the same pace, so what one asked lately is kept for the others.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.adapter.sync.streams import retried
from chukan.address.v1 import address_service_pb2 as address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.adapter.sync.streams import Waiting
    from chukan.client import Client

__all__ = ["Converted", "Numbers"]

_KEPT: Final = 12_000
_MOST: Final = 10_000
_PAGE: Final = 1_000


class Converted(NamedTuple):
    """Numbers in the order asked for ("" where there is none), and the reason of each row that has none."""

    numbers: list[str]
    reasons: dict[int, str]


class Numbers:
    """Converts for all lanes of a run."""

    def __init__(self, client: Client, waiting: Waiting) -> None:
        self._client = client
        self._waiting = waiting
        self._kept: dict[tuple[str, str], tuple[dict[str, str], dict[str, str]]] = {}
        self._lock = threading.Lock()
        self._unnumbered: frozenset[str] | None = None

    def integrated(self, numbers: Sequence[str], *, system: str, business: str) -> Converted:
        """Convert local numbers of one number system and business."""
        known = self._known(numbers, system, business)
        reasons: dict[str, str] = {}
        missing = [number for number in dict.fromkeys(numbers) if number not in known]
        for start in range(0, len(missing), _MOST):
            part = missing[start : start + _MOST]
            keys = [
                address.LocalNumber(number_system=system, business_id=business, local_address_number=number)
                for number in part
            ]
            answer = self._convert(address.ConvertNumbersRequest(local_numbers=keys))
            found = {}
            for number, one in zip(part, answer.conversions, strict=True):
                if one.reason:
                    reasons[number] = one.reason
                else:
                    found[number] = one.integrated_address_number
            known.update(found)
            self._keep(found, system, business)
        converted = [known.get(number, "") for number in numbers]
        if not reasons:
            return Converted(converted, {})
        return Converted(converted, {row: reasons[each] for row, each in enumerate(numbers) if each in reasons})

    def local(self, numbers: Sequence[str]) -> list[list[tuple[str, str, str]]]:
        """Convert integrated numbers back: (number system, business id, local number) of each, one-to-many."""
        every: list[list[tuple[str, str, str]]] = []
        for start in range(0, len(numbers), _MOST):
            request = address.ConvertNumbersRequest(integrated_address_numbers=numbers[start : start + _MOST])
            answer = self._convert(request)
            every += [
                [(each.number_system, each.business_id, each.local_address_number) for each in one.local_numbers]
                for one in answer.conversions
            ]
        return every

    def unnumbered(self) -> frozenset[str]:
        """Return the integrated numbers of people without an individual number (個人番号), asked for once."""
        with self._lock:
            if self._unnumbered is None:
                self._unnumbered = frozenset(self._list_unnumbered())
            return self._unnumbered

    def _list_unnumbered(self) -> list[str]:
        numbers: list[str] = []
        token = ""
        while True:
            request = address.ListUnnumberedRequest(page_size=_PAGE, page_token=token)
            answer = retried(partial(self._client.address.ListUnnumbered, request), self._waiting)
            numbers += [person.integrated_address_number for person in answer.people]
            token = answer.next_page_token
            if not token:
                return numbers

    def _convert(self, request: address.ConvertNumbersRequest) -> address.ConvertNumbersResponse:
        return retried(lambda: self._client.address.ConvertNumbers(request), self._waiting)

    def _known(self, numbers: Sequence[str], system: str, business: str) -> dict[str, str]:
        recent, older = self._kept.get((system, business), ({}, {}))
        known = {number: recent[number] for number in numbers if number in recent}
        if older:
            known |= {number: older[number] for number in numbers if number in older}
        return known

    def _keep(self, found: dict[str, str], system: str, business: str) -> None:
        with self._lock:
            recent, older = self._kept.get((system, business), ({}, {}))
            if len(recent) > _KEPT:
                recent, older = {}, recent
            recent.update(found)
            self._kept[system, business] = (recent, older)
