# SPDX-License-Identifier: Apache-2.0
"""Where something may stand between a caller and what it calls: faults that tests ask for, a journal of calls.

One interposer serves the calls that arrive at a server and those that leave it for a peer. It sees a call after the
caller is known and the message is valid, and each answer after what it tells of is durable and before it leaves: what
stands there can end a call before anything was done, or lose the answer to what was. Without one a call pays a single
comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

import grpc

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from .caller import Caller
    from .transport import Transport

__all__ = ["CutOffError", "InterposedTransport", "Interposer", "Passage", "spelling"]

_Answer = TypeVar("_Answer", bound="Message")
_TIMEOUT = 30.0


class CutOffError(Exception):
    """Ends a call as a broken connection or a proxy would: with a status, and without a reason of ours."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__(code.name)
        self.code = code


class Passage(Protocol):
    """One call on its way. `message` and `answer` may wait, and end the call by raising ChukanError or CutOffError."""

    def message(self, message: Message) -> None:
        """Take note of a message before it is acted on: once per message where a client sends many."""

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


class InterposedTransport:
    """The calls that leave for one peer."""

    def __init__(self, transport: Transport, interposer: Interposer, *, peer: str) -> None:
        self._transport = transport
        self._interposer = interposer
        self._peer = peer

    def call(
        self,
        full_method: str,
        request: Message,
        response_type: type[_Answer],
        *,
        caller: Caller,
        timeout: float = _TIMEOUT,
    ) -> _Answer:
        """See `Transport`."""
        passage = self._interposer.enter(full_method, caller, peer=self._peer)
        if passage is None:
            return self._transport.call(full_method, request, response_type, caller=caller, timeout=timeout)
        try:
            passage.message(request)
            answer = self._transport.call(full_method, request, response_type, caller=caller, timeout=timeout)
            passage.answer(answer)
        except ChukanError as error:
            passage.end(spelling(grpc.StatusCode[error.reason.call_status]), error.code)
            raise
        passage.end("OK", "")
        return answer

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()
