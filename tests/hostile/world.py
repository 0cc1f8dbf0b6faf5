# SPDX-License-Identifier: Apache-2.0
"""What hostile tests aim at: a real server process over real gRPC, watched from outside, and how a call ends there.

Everything a caller gets back and everything the server wrote is searched for the individual numbers the tests send:
they may stand nowhere, in no width and with no separators.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf import descriptor_pool, message_factory

from chukan.client import Client
from chukan.edge.errors import DETAILS_KEY, error_of_call
from chukan.standard.numbers import dummy_individual_number
from chukan.v1 import exchange_record_service_pb2 as records
from chukan.v1.exchange_record_service_pb2_grpc import ExchangeRecordServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from google.protobuf.descriptor import MethodDescriptor
    from google.protobuf.message import Message

    from chukan.command.demo.stage import ServerProcess

__all__ = [
    "CANARY",
    "FILES",
    "SECONDS",
    "Rpc",
    "World",
    "command_line",
    "disagreements",
    "outcome",
    "pages",
    "plain_digits",
    "rpcs",
]

CANARY: Final = dummy_individual_number(47_110_815)
"""An individual number that is sent where none belongs."""

SECONDS: Final = 20.0
"""A call that takes longer hangs."""

_PROTOS: Final = Path(__file__).parents[2] / "protos"
_LATER: Final = ("access", "disclosure", "in_house", "notice", "self_information", "staff", "emulator")
"""Services that only say that they come later."""
FILES: Final = tuple(
    str(path.relative_to(_PROTOS))
    for path in sorted(_PROTOS.glob("chukan/**/*_service.proto"))
    if path.name.removesuffix("_service.proto") not in _LATER
)
"""Where the contract of what a server answers stands: no service of it is left out by forgetting."""

_NEVER: Final = ("INTERNAL", "UNKNOWN")
_SURPRISES: Final = ("unexpected_error", "Traceback")


def plain_digits(text: str) -> str:
    """Return the digits of a text as one run, whatever their width and whatever stands between them."""
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", text))


def outcome(call: Callable[[], Any]) -> str:
    """Return how a call ended: "STATUS REASON field", or of an answer "row REASON field" of each refused row, or "OK".

    What may never happen fails here: INTERNAL and UNKNOWN, a refusal without a reason, an individual number.
    """
    try:
        answer = call()
        answers = list(answer) if isinstance(answer, grpc.Call) else [answer]
    except grpc.RpcError as error:
        return _refusal(error)
    assert all(CANARY not in plain_digits(str(each)) for each in answers), "an individual number came back"
    return "; ".join(shown for each in answers for shown in _rows(each)) or "OK"


def _rows(answer: Any) -> Iterator[str]:
    for failure in getattr(answer, "failures", ()):
        yield f"{failure.row} {failure.reason} {failure.field}".rstrip()
    for row, conversion in enumerate(getattr(answer, "conversions", ())):
        if conversion.reason:
            yield f"{row} {conversion.reason}"
    for each in getattr(answer, "unavailable", ()):
        yield each.reason
    reason = getattr(getattr(answer, "inquiry", None), "reason", "")
    if reason:
        yield reason


def _refusal(error: Any) -> str:
    found, code = error_of_call(error), error.code().name
    shown = f"{error.details()} {error.trailing_metadata()}"
    assert CANARY not in plain_digits(shown), "an individual number stands in an error"
    assert code not in _NEVER, f"got {code} {found.code}, expected a refusal by a rule"
    has_details = any(key == DETAILS_KEY for key, _ in error.trailing_metadata() or ())
    assert has_details or code in {"CANCELLED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "RESOURCE_EXHAUSTED"}, (
        f"got a bare {code}, expected a reason"
    )
    return " ".join(part for part in (code, found.code, found.field) if part)


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC as the contract describes it, called with bytes or messages."""

    method: MethodDescriptor

    @property
    def path(self) -> str:
        """As HTTP/2 names it."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    def request(self, **fields: Any) -> Message:
        """Return a request."""
        return message_factory.GetMessageClass(self.method.input_type)(**fields)

    def call(self, channel: grpc.Channel, data: bytes | Iterable[bytes], metadata: Any, timeout: float) -> Any:
        """Call with these bytes as requests."""
        kind = ("stream" if self.method.client_streaming else "unary") + (
            "_stream" if self.method.server_streaming else "_unary"
        )
        answer = message_factory.GetMessageClass(self.method.output_type)
        callable_ = getattr(channel, kind)(self.path, None, answer.FromString)
        if self.method.client_streaming:
            data = iter([data] if isinstance(data, bytes) else data)
        return callable_(data, metadata=metadata, timeout=timeout)


def rpcs() -> list[Rpc]:
    """Return every RPC of the services a server offers."""
    pool = descriptor_pool.Default()
    found = []
    for name in FILES:
        module = __import__(name.removesuffix(".proto").replace("/", ".") + "_pb2", fromlist=["DESCRIPTOR"])
        assert module.DESCRIPTOR.pool is pool
        found += [Rpc(method) for service in module.DESCRIPTOR.services_by_name.values() for method in service.methods]
    return found


@dataclass
class World:
    """A server process, a channel to it, and what it has written so far."""

    server: ServerProcess
    channel: grpc.Channel
    _read: int = field(default=0)

    @property
    def target(self) -> str:
        """Where it answers."""
        return self.server.target

    def client(self, organization: str, **given: Any) -> Client:
        """Open a connection of an organization's."""
        return Client(self.target, organization=organization, system="hostile", retries=False, **given)

    def call(self, rpc: Rpc, data: bytes | Iterable[bytes], metadata: Any, timeout: float = SECONDS) -> str:
        """Call with bytes and return how it ended."""
        return outcome(lambda: rpc.call(self.channel, data, metadata, timeout))

    def said(self) -> str:
        """Return what the server wrote since this was asked last."""
        with self.server.log.open("rb") as log:
            log.seek(self._read)
            data = log.read()
        self._read += len(data)
        return data.decode("utf-8", "replace")

    def check(self) -> None:
        """Fail if the server is gone, was surprised, or wrote an individual number."""
        said = self.said()
        assert not any(surprise in said for surprise in _SURPRISES), said[-4000:]
        assert CANARY not in plain_digits(said), "an individual number stands in the server's log"


def pages(read: Callable[[str], Any], *, most: int = 10_000) -> Iterator[Any]:
    """Yield the pages of a listing."""
    token = ""
    for _ in range(most):
        page = read(token)
        yield page
        token = page.next_page_token
        if not token:
            return
    raise AssertionError("got pages without end")


def disagreements(channel: grpc.Channel, metadata: Any) -> list[str]:
    """Return "id STATE fields" of every exchange of which the three records don't agree, unfinished ones included."""
    stub = ExchangeRecordServiceStub(channel)
    found: list[str] = []
    request = records.ReconcileExchangeRecordsRequest()
    more = True
    while more:
        answer = stub.ReconcileExchangeRecords(request, metadata=metadata, timeout=SECONDS)
        found += [
            f"{each.exchange_id} {records.ReconciliationState.Name(each.state)} {' '.join(each.differing_fields)}"
            for each in answer.reconciliations
            if each.state != records.RECONCILIATION_STATE_AGREES
        ]
        request.resume_token, more = answer.resume_token, answer.more
    return found


_NARROW: Final = (
    "import resource, runpy, sys; limit = int(sys.argv.pop(1)); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); runpy.run_module('chukan.command', run_name='__main__')"
)


def command_line(*arguments: object, limit: int = 0) -> list[str]:
    """Return the command line of `chukan`, with files no larger than a limit if there is one."""
    head = [sys.executable, "-c", _NARROW, str(limit)] if limit else [sys.executable, "-m", "chukan.command"]
    return [*head, *map(str, arguments)]
