# SPDX-License-Identifier: Apache-2.0
"""The resident network as the address system calls it, over a transport: in process or over gRPC."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from chukan.edge import Caller
from chukan.network.v1.resident_network_service_pb2 import (
    ResidentQuery,
    SearchResidentsRequest,
    SearchResidentsResponse,
    SubmitProcessingNumbersRequest,
    SubmitProcessingNumbersResponse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chukan.address_system.ports import BasicAttributes
    from chukan.edge import Transport

__all__ = ["SYSTEM", "NetworkResidents"]

SYSTEM: Final = "address-system"
_SUBMIT: Final = "/chukan.network.v1.ResidentNetworkService/SubmitProcessingNumbers"
_SEARCH: Final = "/chukan.network.v1.ResidentNetworkService/SearchResidents"


class NetworkResidents:
    """A `ResidentNetwork`; the transport is opened on first use, when the network stands."""

    def __init__(self, connect: Callable[[], Transport], *, mode_of: Callable[[str], str]) -> None:
        self._connect = connect
        self._mode_of = mode_of
        self._lock = threading.Lock()
        self._transport: Transport | None = None

    def submit(
        self, organization: str, batch_id: str, processing_numbers: Sequence[str], individual_numbers: Sequence[str]
    ) -> list[tuple[int, str]]:
        """See `ResidentNetwork`."""
        request = SubmitProcessingNumbersRequest(
            batch_id=batch_id, processing_numbers=processing_numbers, individual_numbers=individual_numbers
        )
        answer = self._opened().call(
            _SUBMIT, request, SubmitProcessingNumbersResponse, caller=self._caller(organization)
        )
        return [(failure.row, failure.reason) for failure in answer.failures]

    def search(self, organization: str, queries: Sequence[BasicAttributes]) -> list[list[str]]:
        """See `ResidentNetwork`."""
        request = SearchResidentsRequest(
            queries=[
                ResidentQuery(
                    name=query.name,
                    birth_date=query.birth_date,
                    sex=query.sex,
                    residential_address=query.residential_address,
                )
                for query in queries
            ]
        )
        answer = self._opened().call(_SEARCH, request, SearchResidentsResponse, caller=self._caller(organization))
        found: list[list[str]] = [[] for _ in queries]
        for match in answer.matches:
            found[match.query].append(match.individual_number)
        return found

    def _caller(self, organization: str) -> Caller:
        return Caller(organization, system=SYSTEM, mode=self._mode_of(organization))

    def _opened(self) -> Transport:
        with self._lock:
            if self._transport is None:
                self._transport = self._connect()
            return self._transport
