# SPDX-License-Identifier: Apache-2.0
"""Where something may stand between a caller and what it calls: faults that tests ask for, a journal of calls.

One interposer serves the calls that arrive at a server and those that leave it for a peer. It sees a call after the
caller is known and the message is valid, and each answer after what it tells of is durable and before it leaves: what
stands there can end a call before anything was done, or lose the answer to what was. Without one a call pays a single
comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import grpc

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from .caller import Caller

__all__ = ["CutOffError", "Interposer", "Passage", "spelling"]


class CutOffError(Exception):
    """Ends a call as a broken connection or a proxy would: with a status, and without a reason of ours."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code.name)
        self.code = code


class Passage(Protocol):
    """One call on its way. `message` and `answer` may wait, and end the call by raising ChukanError or CutOffError."""

    def message(self, message: Message) -> None:
        """Take note of a message before it is acted on: once per message where a client sends many.

        One that leaves for a peer is this attempt's own and may be changed.
        """

    def answer(self, answer: Message) -> None:
        """Take note of an answer, whose effects are durable, before it is passed on."""

    def end(self, code: str, reason: str) -> None:
        """Take note of how the call ended: Go's spelling of its status, the reason if it has one. Never raises."""


class Interposer(Protocol):
    """Looks at each call."""

    def enter(self, full_method: str, caller: Caller, *, peer: str = "") -> Passage | None:
        """Return what watches the call, None to let it pass; may raise like a passage.

        peer: the organization that is called, empty for a call that arrives here.
        """


def spelling(code: grpc.StatusCode) -> str:
    """Go's spelling of a code, as in the metrics of every other gRPC server."""
    if code is grpc.StatusCode.OK:
        return "OK"
    if code is grpc.StatusCode.CANCELLED:
        return "Canceled"
    return "".join(word.capitalize() for word in code.name.split("_"))
