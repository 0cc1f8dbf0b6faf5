# SPDX-License-Identifier: Apache-2.0
"""Refusals that come as a code in an answer, also of a server newer than this adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.standard.reasons import ChukanError, reason

if TYPE_CHECKING:
    from chukan.standard.reasons import Reason

__all__ = ["refused_for", "sentences_of"]


def sentences_of(code: str) -> Reason:
    """Return the reason with its sentences; for a code of a newer server, the one that says it isn't understood."""
    try:
        return reason(code)
    except LookupError:
        return reason("PEER_ANSWER_INVALID")


def refused_for(code: str, field: str = "") -> ChukanError:
    """Return the error a reason stands for; a reason of a newer server is told by its code."""
    try:
        return ChukanError(code, field=field)
    except LookupError:
        return ChukanError("PEER_ANSWER_INVALID", field=field, params={"reason": code})
