# SPDX-License-Identifier: Apache-2.0
"""What became of the rows of a batch, as messages; and the digest by which a resend is recognised."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from chukan.edge.caller import current_caller
from chukan.server.domain.linkage import WHOLE_BATCH
from chukan.server.middle.repeats import Repeat
from chukan.standard.numbers import rows_like_individual_numbers
from chukan.standard.reasons import ChukanError, reason
from chukan.v1 import common_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.message import Message

__all__ = ["body_digest", "refuse_individual_numbers", "repeat_of", "row_failure", "wire"]


def body_digest(request: Message) -> bytes:
    """Return the digest of a request; the same sender encodes the same content to the same bytes.

    That a digest tells a resend apart is [own] (docs/divergences "Replicas").
    """
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


def repeat_of(method: str, request: Message) -> Repeat:
    """Return the call in hand as one that may have been made before."""
    caller = current_caller()
    return Repeat(caller.organization, caller.system, method, caller.request_id, body_digest(request))


def refuse_individual_numbers(values: Iterable[str], *, field: str) -> None:
    """Refuse a column of ids that is answered with what it holds, so that no individual number comes back in it."""
    if rows_like_individual_numbers(values):
        raise ChukanError("INDIVIDUAL_NUMBER_REFUSED", field=field)


def wire(value: Any) -> Any:  # noqa: ANN401 the stubs name a type that exists for the type checker only
    """Return a domain enum, or a column of them, as the contract's enum of the same numbers."""
    return value


def row_failure(row: int, code: str, field: str = "", item_code: str = "", rule: str = "") -> common_pb2.RowFailure:
    """Return a row's failure with the sentence of its reason in both languages."""
    found = reason(code)
    return common_pb2.RowFailure(
        row=None if row == WHOLE_BATCH else row,
        reason=code,
        field=field,
        item_code=item_code,
        rule=rule,
        message=found.english,
        message_ja=found.japanese,
    )
