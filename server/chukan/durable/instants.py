# SPDX-License-Identifier: Apache-2.0
"""Instants as stored: whole microseconds since 1970 UTC, so they sort, index and cross every dialect unchanged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["from_micros", "to_micros"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_micros(instant: datetime) -> int:
    """Return an aware instant as stored."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(stored: int) -> datetime:
    """Return a stored instant, aware, in UTC."""
    return _EPOCH + timedelta(microseconds=stored)
