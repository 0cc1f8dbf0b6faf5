# SPDX-License-Identifier: Apache-2.0
"""The servicer of chukan.network.v1.NetworkService: convert, call one use case, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.edge.caller import current_caller
from chukan.network.v1 import network_service_pb2 as wire
from chukan.network.v1.network_service_pb2_grpc import NetworkServiceServicer
from chukan.server.network import answers, delivery, permits, processing_numbers, records
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
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    import grpc

    from chukan.server.network.core import Core

__all__ = ["NetworkServicer"]


class NetworkServicer(NetworkServiceServicer):
    """Serves the network core; the caller's organization is the member that asks."""

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
        data = directory.pull(page_size=request.page_size, page_token=request.page_token)
        return wire.PullMasterResponse(
            master_version=data.master_version,
            permission_list_version=data.permission_list_version,
            network_certificate=data.network_certificate,
            members=[keys_to_message(member) for member in data.members],
            world_generation=data.world_generation,
            next_page_token=data.next_page_token,
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
