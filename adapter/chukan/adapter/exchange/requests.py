# SPDX-License-Identifier: Apache-2.0
"""From a row of an inquiry file to what is asked of the middle server, and the names such requests go by.

The file has no record identification number (レコード識別番号): it is made here [own] of the file's digest, the
generation (how often the file was asked again) and the row; so the same file is a resend, rows ascend, and asking
again is another inquiry (docs/divergences "Inquiry files").
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from chukan.adapter.exchange.rows import provider_of
from chukan.standard.clock import JAPAN
from chukan.v1.common_pb2 import Period
from chukan.v1.inquiry_service_pb2 import InquirySpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.adapter.exchange.input_profile import InputProfile

__all__ = ["SpecMaker", "batch_id", "line_digest", "record_id", "record_prefix"]

_PREFIX_DIGITS = 20
_DIGEST_BYTES = 16
_SAME = (
    "department",
    "user_id",
    "nondisclosure_code",
    "affair_code",
    "procedure_code",
    "inquirer_delegator_code",
    "provider_delegator_code",
    "information_code",
    "condition_kind",
    "year_kind",
)
"""Fields of the file that go as they are."""


class SpecMaker:
    """Makes requests of one profile's rows."""

    def __init__(self, profile: InputProfile, *, consent: bool) -> None:
        places = profile.places
        self._same = [(name, places[name]) for name in _SAME if name in places]
        self._provider = places["provider_code"]
        self._time = places.get("request_time")
        self._dates = [(name, places[name]) for name in ("start_date", "end_date") if name in places]
        self._consent = consent
        self._time_out = profile.time_out_seconds

    def make(self, values: Sequence[str], *, record: str, number: str) -> InquirySpec:
        """Return the request about a person, by integrated address number."""
        same: dict[str, Any] = {name: values[place] for name, place in self._same}
        spec = InquirySpec(
            record_id=record,
            integrated_address_number=number,
            provider_code=provider_of(values[self._provider]),
            consent=self._consent,
            **same,
        )
        dates = {name: values[place] for name, place in self._dates}
        if any(dates.values()):
            spec.period.CopyFrom(Period(**dates))
        if self._time is not None and values[self._time]:
            seconds, milliseconds = _instant(values[self._time])
            spec.request_time.seconds = seconds
            spec.request_time.nanos = milliseconds * 1_000_000
        if self._time_out:
            spec.time_out.seconds = self._time_out
        return spec


def record_prefix(file_digest: str, generation: int) -> str:
    """Return what the record identification numbers of a file have in common."""
    return f"{file_digest[:_PREFIX_DIGITS].upper()}-{generation:02d}-"


def record_id(file_digest: str, generation: int, row: int) -> str:
    """Return the record identification number of a row; ascending within a file."""
    return f"{record_prefix(file_digest, generation)}{row:08d}"


def batch_id(specs: Sequence[InquirySpec]) -> str:
    """Return the batch id: the same requests make the same batch, so a repeated batch is answered as before."""
    digest = hashlib.sha256()
    for spec in specs:
        digest.update(spec.SerializeToString(deterministic=True))
    return digest.hexdigest()[:40]


def line_digest(raw: bytes) -> bytes:
    """Return what a row is recognised by, whichever file it stands in."""
    return hashlib.sha256(raw).digest()[:_DIGEST_BYTES]


def _instant(text: str) -> tuple[int, int]:
    """Return (seconds, milliseconds) of yyyyMMddHHmmssSSS in Japan."""
    clock = int(text[8:10]) * 3600 + int(text[10:12]) * 60 + int(text[12:14])
    return _day(text[:8]) + clock, int(text[14:17])


@lru_cache(maxsize=1024)
def _day(text: str) -> int:
    return int(datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), tzinfo=JAPAN).timestamp())
