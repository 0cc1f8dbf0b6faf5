# SPDX-License-Identifier: Apache-2.0
"""The servicer of ResidentNetworkService (住基ネット, simulated): convert, call one use case, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from chukan.edge.caller import current_caller
from chukan.network.v1 import resident_network_service_pb2 as wire
from chukan.network.v1.resident_network_service_pb2_grpc import ResidentNetworkServiceServicer
from chukan.server.domain.resident import BasicAttributes
from chukan.server.network import linkage_codes, resident_network
from chukan.server.rpc.rows import row_failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import grpc

    from chukan.server.domain.linkage import BatchAnswer
    from chukan.server.network.core import Core
    from chukan.v1 import common_pb2

__all__ = ["ResidentNetworkServicer"]


class ResidentNetworkServicer(ResidentNetworkServiceServicer):
    """Serves address systems and resident systems; the caller's organization is whose they are."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def SubmitProcessingNumbers(
        self, request: wire.SubmitProcessingNumbersRequest, context: grpc.ServicerContext
    ) -> wire.SubmitProcessingNumbersResponse:
        """Take processing numbers with individual numbers."""
        answer = linkage_codes.submit(
            self._core,
            current_caller().organization,
            list(request.processing_numbers),
            list(request.individual_numbers),
        )
        return wire.SubmitProcessingNumbersResponse(
            outcomes=cast("Any", answer.outcomes), failures=_failures(answer), batch_id=request.batch_id
        )

    def SearchResidents(
        self, request: wire.SearchResidentsRequest, context: grpc.ServicerContext
    ) -> wire.SearchResidentsResponse:
        """Search the simulated resident network."""
        queries = [
            BasicAttributes.of(query.name, query.birth_date, query.sex, query.residential_address)
            for query in request.queries
        ]
        matches = resident_network.search(self._core, queries)
        return wire.SearchResidentsResponse(
            matches=[wire.ResidentMatch(query=query, individual_number=number) for query, number in matches]
        )

    def NotifyResidents(
        self, request_iterator: Iterable[wire.NotifyResidentsRequest], context: grpc.ServicerContext
    ) -> Iterator[wire.NotifyResidentsResponse]:
        """Take identity data, a batch per message."""
        organization = current_caller().organization
        for request in request_iterator:
            columns = resident_network.ResidentColumns(
                individual_numbers=list(request.individual_numbers),
                resident_record_codes=list(request.resident_record_codes),
                names=list(request.names),
                birth_dates=list(request.birth_dates),
                sexes=list(request.sexes),
                residential_addresses=list(request.residential_addresses),
            )
            answer = resident_network.notify(self._core, organization, columns)
            yield wire.NotifyResidentsResponse(
                batch_id=request.batch_id,
                outcomes=cast("Any", answer.outcomes),
                failures=_failures(answer),
            )


def _failures(answer: BatchAnswer) -> list[common_pb2.RowFailure]:
    return [row_failure(each.row, each.reason, each.field) for each in answer.failures]
