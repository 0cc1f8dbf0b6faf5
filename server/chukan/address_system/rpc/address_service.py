# SPDX-License-Identifier: Apache-2.0
"""The servicer of the address system: convert, call one use case, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.address.v1 import address_service_pb2 as pb
from chukan.address.v1 import address_service_pb2_grpc as rpc
from chukan.address_system.environment import Actor
from chukan.address_system.numbering import acquisition, conversion, registration
from chukan.address_system.rpc import messages
from chukan.edge.caller import current_caller
from chukan.standard.organizations import organization as organization_of
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from chukan.address_system.environment import Environment

__all__ = ["AddressServicer"]


class AddressServicer(rpc.AddressServiceServicer):
    """Serves AddressService. mode: what organizations are set to; a call of another mode is refused."""

    def __init__(self, environment: Environment, *, mode: str) -> None:
        self._environment = environment
        self._mode = mode

    def RegisterPeople(
        self, request_iterator: Iterator[pb.RegisterPeopleRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.RegisterPeopleResponse]:
        """Register batches, each answered once durable."""
        actor = self._actor()
        for request in request_iterator:
            answer = registration.register(
                self._environment, actor, request.batch_id, messages.sha256(request), messages.batch_of(request)
            )
            yield messages.registration_response(request.batch_id, answer)

    def ConvertNumbers(
        self, request: pb.ConvertNumbersRequest, context: grpc.ServicerContext
    ) -> pb.ConvertNumbersResponse:
        """Convert numbers either way."""
        organization = self._actor().organization
        if request.local_numbers and request.integrated_address_numbers:
            raise ChukanError("INVALID_FIELD", violations=[("integrated_address_numbers", "one of the two columns")])
        if request.integrated_address_numbers:
            numbers = list(request.integrated_address_numbers)
            found = conversion.from_integrated(self._environment, organization, numbers)
        else:
            keys = [messages.local_key(each) for each in request.local_numbers]
            found = conversion.to_integrated(self._environment, organization, keys)
        response = pb.ConvertNumbersResponse()
        for each in found:
            added = response.conversions.add(integrated_address_number=each.number, reason=each.reason)
            if each.local_numbers:
                added.local_numbers.extend(map(messages.local_message, each.local_numbers))
        return response

    def SubmitProcessingNumbers(
        self, request: pb.SubmitProcessingNumbersRequest, context: grpc.ServicerContext
    ) -> pb.SubmitProcessingNumbersResponse:
        """Commit processing numbers to be submitted."""
        answer = acquisition.submit(
            self._environment,
            self._actor(),
            request.batch_id,
            messages.sha256(request),
            numbers=list(request.integrated_address_numbers),
            processing_numbers=list(request.processing_numbers),
        )
        outcomes = [common_pb2.ROW_OUTCOME_COMMITTED] * answer.rows
        for failure in answer.failures:
            outcomes[failure.row] = common_pb2.ROW_OUTCOME_REFUSED
        return pb.SubmitProcessingNumbersResponse(outcomes=outcomes, failures=messages.failures(answer.failures))

    def _actor(self) -> Actor:
        caller = current_caller()
        if caller.mode != self._mode:
            raise ChukanError("MODE_MISMATCH", field="chukan-mode")
        try:
            organization_of(caller.organization)
        except ChukanError:
            raise ChukanError("CALLER_ORGANIZATION_UNKNOWN", field="chukan-organization") from None
        self._environment.vault.prepare([caller.organization])
        self._environment.tenants.prepare(caller.organization)
        return Actor(
            caller.organization, caller.system, caller.terminal, caller.department, caller.user, caller.request_id
        )
