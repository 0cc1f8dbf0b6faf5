# SPDX-License-Identifier: Apache-2.0
"""The address system behind a real gRPC port, a resident network played beside it, and the body that calls."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

import grpc
from prometheus_client import CollectorRegistry

from chukan.address.v1 import address_service_pb2 as pb
from chukan.address.v1.address_service_pb2_grpc import AddressServiceStub
from chukan.address_system import app
from chukan.edge import Caller, EdgeConfig, InProcessTransport, Service, build_server
from chukan.monitoring import Metrics
from chukan.network.v1 import resident_network_service_pb2 as network
from chukan.network.v1 import resident_network_service_pb2_grpc as network_rpc
from chukan.standard.clock import FixedClock, SystemClock
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from pathlib import Path

SHINJUKU = "0220113104101700"
SETAGAYA = "0220113112101700"

_serials = itertools.count(5_000_000)


def fresh_number() -> str:
    """Return a dummy individual number nobody has yet."""
    return dummy_individual_number(next(_serials))


def fresh_local() -> str:
    """Return a local address number nobody has yet."""
    return f"{next(_serials):015d}"


class PlayedNetwork(network_rpc.ResidentNetworkServiceServicer):
    """The resident network as a test wants it; remembers what it was asked."""

    def __init__(self) -> None:
        self.away = False
        self.submitted: list[network.SubmitProcessingNumbersRequest] = []
        self.arrived = threading.Semaphore(0)
        self.residents: list[tuple[network.ResidentQuery, str]] = []
        self.queries: list[network.ResidentQuery] = []

    def SubmitProcessingNumbers(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802  # gRPC's way
        if self.away:
            raise ChukanError("PEER_UNREACHABLE")
        self.submitted.append(request)
        self.arrived.release()
        return network.SubmitProcessingNumbersResponse(outcomes=[1] * len(request.processing_numbers))

    def SearchResidents(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802  # gRPC's way
        if self.away:
            raise ChukanError("PEER_UNREACHABLE")
        self.queries.extend(request.queries)
        matches = [
            network.ResidentMatch(query=place, individual_number=number)
            for place, query in enumerate(request.queries)
            for known, number in self.residents
            if all(not getattr(query, field) or getattr(query, field) == getattr(known, field) for field in _FIELDS)
        ]
        return network.SearchResidentsResponse(matches=matches)


_FIELDS = ("name", "birth_date", "sex", "residential_address")
PlayedNetwork.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]  # the calls that are not played


class Body:
    """One organization's systems, calling."""

    def __init__(self, channel: grpc.Channel, organization: str, **caller: str) -> None:
        self.stub = AddressServiceStub(channel)
        self.caller = Caller(organization, system="test", **caller)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return self.caller.metadata()

    def call(self, method: str, request: Any, *, request_id: str = "") -> Any:
        """Call a unary RPC."""
        extra = (("chukan-request-id", request_id),) if request_id else ()
        return getattr(self.stub, method)(request, metadata=self.metadata + extra, timeout=20)

    def register(self, *people: dict[str, Any], batch_id: str = "", **batch: Any) -> Any:
        """Register one batch of people; each is a good one but for what is given."""
        request = batch_of(*people, batch_id=batch_id or f"batch-{next(_serials)}", **batch)
        (response,) = self.stub.RegisterPeople(iter([request]), metadata=self.metadata, timeout=20)
        return response

    def number(self, **person: Any) -> str:
        """Register one new person and return the integrated address number."""
        response = self.register(person)
        assert list(response.outcomes) == [pb.LINK_OUTCOME_NUMBERED], response
        return str(response.integrated_address_numbers[0])

    def person(self, number: str) -> pb.Person:
        return self.call("GetPerson", pb.GetPersonRequest(integrated_address_number=number)).person

    def mismatches(self, **options: Any) -> list[pb.Mismatch]:
        return list(self.call("ListMismatches", pb.ListMismatchesRequest(page_size=1000, **options)).mismatches)


_COLUMNS = {
    "local": "local_address_numbers",
    "individual": "individual_numbers",
    "name": "names",
    "kana": "kana_names",
    "birth_date": "birth_dates",
    "sex": "sexes",
    "home": "residential_addresses",
    "building": "buildings",
    "household": "household_numbers",
    "kind": "resident_kinds",
    "state": "resident_states",
    "moved": "movement_dates",
    "former": "former_local_address_numbers",
}


def batch_of(*people: dict[str, Any], batch_id: str, number_system: str = "01", **batch: Any) -> Any:
    """Return a batch; what a person does not name is right and their own."""
    rows = [_whole(person) for person in people]
    columns = {field: [row[name] for row in rows] for name, field in _COLUMNS.items()}
    return pb.RegisterPeopleRequest(batch_id=batch_id, number_system=number_system, **columns, **batch)


def _whole(person: dict[str, Any]) -> dict[str, Any]:
    serial = next(_serials)
    return {
        "local": f"{serial:015d}",
        "individual": dummy_individual_number(serial),
        "name": f"見本　{serial}",
        "kana": f"ミホン　{serial}",
        "birth_date": f"{1930 + serial % 80}0{1 + serial % 9}{10 + serial % 18}",
        "sex": "1",
        "home": f"東京都新宿区見本町{serial}",
        "building": "",
        "household": f"{serial:015d}",
        "kind": pb.RESIDENT_KIND_JAPANESE,
        "state": pb.RESIDENT_STATE_RESIDENT,
        "moved": "20200401",
        "former": "",
        **person,
    }


class RunningSystem:
    """The address system behind a port; `restart` is a crash of the process as far as its database can tell."""

    def __init__(
        self,
        data: Path | None,
        *,
        mode: str = "test",
        clock: FixedClock | None = None,
        first_numbers: dict[str, int] | None = None,
    ) -> None:
        self.network = PlayedNetwork()
        self._data, self._mode, self._clock = data, mode, clock
        self._first_numbers = first_numbers
        self._begin()

    def _begin(self) -> None:
        metrics = Metrics(CollectorRegistry())
        service = Service(
            self.network,
            network_rpc.add_ResidentNetworkServiceServicer_to_server,
            "chukan.network.v1.ResidentNetworkService",
            "bulk",
        )
        transport = InProcessTransport([service], metrics=metrics)
        self.system = app.build(
            network=lambda: transport,
            data=self._data,
            metrics=metrics,
            mode=self._mode,
            clock=self._clock,
            first_numbers=self._first_numbers,
            synchronous="OFF",
        )
        self.server = build_server(
            EdgeConfig("127.0.0.1:0"),
            self.system.services,
            metrics=metrics,
            clock=SystemClock(),
            ready=lambda: True,
        )
        self.server.start()
        self.system.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.server.port}")

    def body(self, organization: str = SHINJUKU, **caller: str) -> Body:
        return Body(self.channel, organization, **caller)

    def close(self) -> None:
        self.channel.close()
        self.server.stop(None)
        self.system.stop()

    def restart(self) -> None:
        self.close()
        self._begin()
