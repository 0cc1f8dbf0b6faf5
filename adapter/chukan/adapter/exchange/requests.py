# SPDX-License-Identifier: Apache-2.0
"""From a row of an inquiry file to what is asked of the middle server.

Rows of a file differ in little: what they have in common is made once and copied.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from chukan.adapter.exchange.rows import provider_of
from chukan.standard.clock import JAPAN
from chukan.v1.common_pb2 import Period
from chukan.v1.inquiry_service_pb2 import InquirySpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.adapter.exchange.input_profile import InputProfile

__all__ = ["SpecMaker", "batch_id", "line_digest"]

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
_MOST_MODELS = 10_000


class SpecMaker:
    """Makes requests of one profile's rows."""

    def __init__(self, profile: InputProfile, *, consent: bool) -> None:
        places = profile.places
        names = [name for name in (*_SAME, "provider_code", "start_date", "end_date") if name in places]
        self._names = names
        self._common = itemgetter(*[places[name] for name in names])
        self._time = places.get("request_time")
        self._consent = consent
        self._time_out = profile.time_out_seconds
        self._made: dict[tuple[str, ...], InquirySpec] = {}

    def make(self, values: Sequence[str], *, record: str, number: str) -> InquirySpec:
        """Return the request about a person, by integrated address number."""
        common = self._common(values)
        model = self._made.get(common)
        if model is None:
            if len(self._made) >= _MOST_MODELS:
                self._made.clear()
            model = self._made[common] = self._model(common)
        spec = InquirySpec()
        spec.CopyFrom(model)
        spec.record_id = record
        spec.integrated_address_number = number
        if self._time is not None and values[self._time]:
            seconds, milliseconds = _instant(values[self._time])
            time = spec.request_time
            time.seconds = seconds
            time.nanos = milliseconds * 1_000_000
        return spec

    def _model(self, common: tuple[str, ...]) -> InquirySpec:
        given: dict[str, Any] = dict(zip(self._names, common, strict=True))
        provider = provider_of(given.pop("provider_code"))
        dates = {name: given.pop(name, "") for name in ("start_date", "end_date")}
        model = InquirySpec(provider_code=provider, consent=self._consent, **given)
        if any(dates.values()):
            model.period.CopyFrom(Period(**dates))
        if self._time_out:
            model.time_out.seconds = self._time_out
        return model


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
