# SPDX-License-Identifier: Apache-2.0
"""The servicer of chukan.network.v1.NetworkService: convert, call one use case, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from chukan.edge.caller import current_caller
from chukan.network.v1 import network_service_pb2 as wire
from chukan.network.v1.network_service_pb2_grpc import NetworkServiceServicer
from chukan.server.domain.resident import BasicAttributes
from chukan.server.network import (
    answers,
    delivery,
    linkage_codes,
    permits,
    processing_numbers,
    records,
    resident_network,
)
from chukan.server.rpc.exchange_messages import (
    answer_batch_from_message,
    commitments_from_messages,
    keys_from_message,
    keys_to_message,
    permit_request_from_message,
    permit_response_to_message,
)
from chukan.server.rpc.inquiry_messages import timestamp
from chukan.server.rpc.record_messages import network_record_to_message
from chukan.server.rpc.rows import row_failure
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import grpc

    from chukan.server.domain.linkage import BatchAnswer
    from chukan.server.network.core import Core
    from chukan.v1 import common_pb2

__all__ = ["NetworkServicer"]


class NetworkServicer(NetworkServiceServicer):
    """Serves the network core; the caller's organization is the member, address system or resident system that asks."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def IssueProcessingNumbers(
        self, request: wire.IssueProcessingNumbersRequest, context: grpc.ServicerContext
    ) -> wire.IssueProcessingNumbersResponse:
        """Issue processing numbers."""
        issued = processing_numbers.issue(self._core, current_caller().organization, list(request.tokens))
        return wire.IssueProcessingNumbersResponse(
            processing_numbers=issued.numbers, expire_time=timestamp(issued.expire_time_ms)
        )

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
        return wire.SubmitProcessingNumbersResponse(outcomes=cast("Any", answer.outcomes), failures=_failures(answer))

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

    def RequestPermits(
        self, request: wire.RequestPermitsRequest, context: grpc.ServicerContext
    ) -> wire.RequestPermitsResponse:
        """Decide about inquiries and issue permits."""
        caller = current_caller().organization
        return permit_response_to_message(
            permits.request_permits(self._core, caller, permit_request_from_message(request))
        )

    def Forward(self, request: wire.ForwardRequest, context: grpc.ServicerContext) -> wire.ForwardResponse:
        """Deliver permits again whose answers did not come."""
        count = delivery.forward(self._core, current_caller().organization, request.exchange_digests)
        return wire.ForwardResponse(forwarded_count=count)

    def ReturnAnswers(
        self, request: wire.ReturnAnswersRequest, context: grpc.ServicerContext
    ) -> wire.ReturnAnswersResponse:
        """Take answers that waited for a person."""
        answers.return_answers(self._core, current_caller().organization, answer_batch_from_message(request.answers))
        return wire.ReturnAnswersResponse()

    def PullMaster(self, request: wire.PullMasterRequest, context: grpc.ServicerContext) -> wire.PullMasterResponse:
        """Take the caller's keys, tell the master data."""
        directory = self._core.directory
        if request.HasField("keys"):
            keys = keys_from_message(request.keys)
            if keys.organization != current_caller().organization:
                raise ChukanError("ORGANIZATION_MISMATCH", field="keys.organization_code")
            directory.announce(keys, request.endpoint)
        data = directory.pull()
        return wire.PullMasterResponse(
            master_version=data.master_version,
            permission_list_version=data.permission_list_version,
            network_certificate=data.network_certificate,
            members=[keys_to_message(member) for member in data.members],
            world_generation=data.world_generation,
        )

    def CommitRecords(
        self, request: wire.CommitRecordsRequest, context: grpc.ServicerContext
    ) -> wire.CommitRecordsResponse:
        """Note outcomes the network could not see."""
        told = commitments_from_messages(request.commitments)
        count = records.commit_outcomes(self._core, current_caller().organization, told)
        return wire.CommitRecordsResponse(committed_count=count)

    def ListNetworkRecords(
        self, request: wire.ListNetworkRecordsRequest, context: grpc.ServicerContext
    ) -> wire.ListNetworkRecordsResponse:
        """List the network's records of the caller's exchanges."""
        page = records.list_records(
            self._core,
            current_caller().organization,
            exchange_ids=request.exchange_ids,
            page_size=request.page_size,
            page_token=request.page_token,
        )
        return wire.ListNetworkRecordsResponse(
            records=[network_record_to_message(record) for record in page.records], next_page_token=page.next_token
        )


def _failures(answer: BatchAnswer) -> list[common_pb2.RowFailure]:
    return [row_failure(each.row, each.reason, each.field) for each in answer.failures]
