# SPDX-License-Identifier: Apache-2.0
"""From local address numbers (宛名番号) to integrated address numbers (団体内統合宛名番号), many at a time.

The key is (number system, business id, number). The business id (業務ID) does not stand in the file: those of the
profile are tried in their order, and only those [own]: the same number under two business ids may be two people
(docs/divergences "Inquiry files").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from chukan.address.v1.address_service_pb2 import ConvertNumbersRequest, LocalNumber

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from chukan.client import Client

__all__ = ["Conversion", "Converter", "LocalKey"]

_USABLE = frozenset({"", "PERSON_MERGED"})
"""Reasons beside which a number (the survivor's) can be asked about."""


class LocalKey(NamedTuple):
    """番号体系 and 宛名番号 of a row."""

    number_system: str
    local_address_number: str


class Conversion(NamedTuple):
    """An integrated address number, or the reason why there is none."""

    number: str
    reason: str


class Converter:
    """Asks the integrated address system."""

    def __init__(self, client: Client, business_ids: Sequence[str]) -> None:
        self._client = client
        self._business_ids = tuple(business_ids) or ("",)

    def start(self, keys: Sequence[LocalKey]) -> StartedConversion:
        """Begin to convert; other work can go on meanwhile."""
        call = self._ask(keys, self._business_ids[0]) if keys else None
        return StartedConversion(self, keys, call)

    def finish(self, keys: Sequence[LocalKey], call: Any) -> list[Conversion]:  # noqa: ANN401  # a call in the future
        """Wait for the answer, and try the other business ids for what is not known under the first."""
        found = _read(call)
        for business_id in self._business_ids[1:]:
            missing = [place for place, each in enumerate(found) if each.reason == "LOCAL_NUMBER_UNKNOWN"]
            if not missing:
                break
            again = _read(self._ask([keys[place] for place in missing], business_id))
            for place, each in zip(missing, again, strict=True):
                found[place] = each
        return found

    def _ask(self, keys: Sequence[LocalKey], business_id: str) -> Any:  # noqa: ANN401  # a call in the future
        numbers = [
            LocalNumber(number_system=key.number_system, business_id=business_id, local_address_number=key[1])
            for key in keys
        ]
        return self._client.address.ConvertNumbers.future(ConvertNumbersRequest(local_numbers=numbers))


class StartedConversion:
    """A conversion under way."""

    def __init__(self, converter: Converter, keys: Sequence[LocalKey], call: Any) -> None:  # noqa: ANN401  # likewise
        self._converter = converter
        self._keys = keys
        self._call = call

    def result(self) -> dict[LocalKey, Conversion]:
        """Wait for it."""
        if self._call is None:
            return {}
        return dict(zip(self._keys, self._converter.finish(self._keys, self._call), strict=True))


def _read(call: Any) -> list[Conversion]:  # noqa: ANN401  # likewise
    return [
        Conversion(each.integrated_address_number, "")
        if each.integrated_address_number and each.reason in _USABLE
        else Conversion("", each.reason or "LOCAL_NUMBER_UNKNOWN")
        for each in call.result().conversions
    ]
