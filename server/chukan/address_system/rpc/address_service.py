# SPDX-License-Identifier: Apache-2.0
"""The servicer of the address system: convert, call one use case, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.address.v1 import address_service_pb2 as pb
from chukan.address.v1 import address_service_pb2_grpc as rpc
from chukan.address_system.domain.outcomes import Decided
from chukan.address_system.environment import Actor
from chukan.address_system.numbering import (
    acquisition,
    conversion,
    lookups,
    merging,
    mismatches,
    non_residents,
    people,
    registration,
    search,
)
from chukan.address_system.rpc import messages
from chukan.address_system.rpc.tokens import page_token, place_of
from chukan.edge.caller import current_caller
from chukan.edge.listing import listing
from chukan.standard.numbers import looks_like_individual_number
from chukan.standard.organizations import organization as organization_of
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from chukan.address_system.environment import Environment

__all__ = ["AddressServicer"]

_PAGE: Final = 100
_FOUND: Final = 20


class AddressServicer(rpc.AddressServiceServicer):
    """Serves AddressService; a call of another mode than the organization's is refused."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

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

    def LookUpUnnumbered(
        self, request: pb.LookUpUnnumberedRequest, context: grpc.ServicerContext
    ) -> pb.LookUpUnnumberedResponse:
        """Commit look-ups in the resident network."""
        numbers = list(request.integrated_address_numbers)
        return pb.LookUpUnnumberedResponse(accepted_count=lookups.look_up(self._environment, self._actor(), numbers))

    def ListMergedPeople(
        self, request: pb.ListMergedPeopleRequest, context: grpc.ServicerContext
    ) -> pb.ListMergedPeopleResponse:
        """List numbers that ended in a merge."""
        after, most = place_of(listing("merged", request), request.page_token), request.page_size or _PAGE
        rows = merging.page(self._environment, self._actor(), after=after, most=most)
        token = page_token(listing("merged", request), int(rows[-1].number)) if len(rows) == most else ""
        return pb.ListMergedPeopleResponse(merged_people=map(messages.merged_message, rows), next_page_token=token)

    def ListUnnumbered(
        self, request: pb.ListUnnumberedRequest, context: grpc.ServicerContext
    ) -> pb.ListUnnumberedResponse:
        """List people without an individual number."""
        after, most = place_of(listing("unnumbered", request), request.page_token), request.page_size or _PAGE
        views = lookups.page(self._environment, self._actor(), after=after, most=most)
        token = page_token(listing("unnumbered", request), int(views[-1].number)) if len(views) == most else ""
        return pb.ListUnnumberedResponse(people=map(messages.person_message, views), next_page_token=token)

    def ListMismatches(
        self, request: pb.ListMismatchesRequest, context: grpc.ServicerContext
    ) -> pb.ListMismatchesResponse:
        """List held registrations."""
        after, most = place_of(listing("mismatches", request), request.page_token), request.page_size or _PAGE
        views = mismatches.page(
            self._environment, self._actor(), after=after, most=most, resolved=request.include_resolved
        )
        token = page_token(listing("mismatches", request), views[-1].id) if len(views) == most else ""
        return pb.ListMismatchesResponse(mismatches=map(messages.mismatch_message, views), next_page_token=token)

    def ResolveMismatch(
        self, request: pb.ResolveMismatchRequest, context: grpc.ServicerContext
    ) -> pb.ResolveMismatchResponse:
        """Do what a person decided."""
        mismatch, person = mismatches.resolve(
            self._environment,
            self._actor(),
            messages.sha256(request),
            name=request.mismatch_id,
            decision=Decided(request.decision),
            number=request.integrated_address_number,
        )
        return pb.ResolveMismatchResponse(
            mismatch=messages.mismatch_message(mismatch),
            person=None if person is None else messages.person_message(person),
        )

    def FindPeople(self, request: pb.FindPeopleRequest, context: grpc.ServicerContext) -> pb.FindPeopleResponse:
        """Find candidates."""
        query = search.Query(
            request.name, request.birth_date, request.sex, request.residential_address, request.partial
        )
        after, most = place_of(listing("people", request), request.page_token), request.page_size or _FOUND
        views, place = search.find(self._environment, self._actor(), query, after=after, most=most)
        return pb.FindPeopleResponse(
            people=map(messages.person_message, views), next_page_token=page_token(listing("people", request), place)
        )

    def GetPerson(self, request: pb.GetPersonRequest, context: grpc.ServicerContext) -> pb.GetPersonResponse:
        """Read one person."""
        view = people.get(
            self._environment,
            self._actor(),
            request.integrated_address_number,
            individual=request.show_individual_number,
        )
        return pb.GetPersonResponse(person=messages.person_message(view))

    def LinkLocalNumber(
        self, request: pb.LinkLocalNumberRequest, context: grpc.ServicerContext
    ) -> pb.LinkLocalNumberResponse:
        """Link a local number."""
        view = people.link_local_number(
            self._environment,
            self._actor(),
            messages.sha256(request),
            request.integrated_address_number,
            messages.local_key(request.local_number),
        )
        return pb.LinkLocalNumberResponse(person=messages.person_message(view))

    def ChangeIndividualNumber(
        self, request: pb.ChangeIndividualNumberRequest, context: grpc.ServicerContext
    ) -> pb.ChangeIndividualNumberResponse:
        """Set a changed individual number."""
        view = people.change_individual_number(
            self._environment,
            self._actor(),
            messages.sha256(request),
            request.integrated_address_number,
            request.individual_number,
        )
        return pb.ChangeIndividualNumberResponse(person=messages.person_message(view))

    def ClosePerson(self, request: pb.ClosePersonRequest, context: grpc.ServicerContext) -> pb.ClosePersonResponse:
        """Close a person."""
        view = people.close(
            self._environment,
            self._actor(),
            messages.sha256(request),
            request.integrated_address_number,
            state=request.resident_state,
            movement_date=request.movement_date,
        )
        return pb.ClosePersonResponse(person=messages.person_message(view))

    def MergePeople(self, request: pb.MergePeopleRequest, context: grpc.ServicerContext) -> pb.MergePeopleResponse:
        """Merge two numbers."""
        view = merging.merge(
            self._environment,
            self._actor(),
            messages.sha256(request),
            request.merged_integrated_address_number,
            request.surviving_integrated_address_number,
        )
        return pb.MergePeopleResponse(person=messages.person_message(view))

    def SplitPerson(self, request: pb.SplitPersonRequest, context: grpc.ServicerContext) -> pb.SplitPersonResponse:
        """Split two people who shared a number."""
        kept, new = merging.split(
            self._environment,
            self._actor(),
            messages.sha256(request),
            request.integrated_address_number,
            list(map(messages.local_key, request.moved_local_numbers)),
        )
        return pb.SplitPersonResponse(person=messages.person_message(kept), new_person=messages.person_message(new))

    def IssueNonResidentNumber(
        self, request: pb.IssueNonResidentNumberRequest, context: grpc.ServicerContext
    ) -> pb.IssueNonResidentNumberResponse:
        """Give a non-resident a number."""
        issued = non_residents.issue(
            self._environment,
            self._actor(),
            messages.sha256(request),
            business_id=request.business_id,
            attributes=messages.attributes_of(request.person),
            individual_number=request.person.individual_number,
        )
        if issued.view is None or issued.key is None:
            return pb.IssueNonResidentNumberResponse(
                outcome=pb.LINK_OUTCOME_HELD, mismatch_id=issued.mismatch, candidates=issued.candidates
            )
        return pb.IssueNonResidentNumberResponse(
            person=messages.person_message(issued.view),
            local_number=messages.local_message(issued.key),
            outcome=pb.LINK_OUTCOME_NUMBERED,
        )

    def UpdateNonResident(
        self, request: pb.UpdateNonResidentRequest, context: grpc.ServicerContext
    ) -> pb.UpdateNonResidentResponse:
        """Update a non-resident."""
        view = non_residents.update(
            self._environment,
            self._actor(),
            messages.sha256(request),
            number=request.integrated_address_number,
            changes=messages.changes_of(request),
            flags=messages.flag_changes_of(request),
            individual_number=request.individual_number if request.HasField("individual_number") else None,
        )
        return pb.UpdateNonResidentResponse(person=messages.person_message(view))

    def CloseNonResident(
        self, request: pb.CloseNonResidentRequest, context: grpc.ServicerContext
    ) -> pb.CloseNonResidentResponse:
        """Close a non-resident."""
        view = people.close(
            self._environment,
            self._actor(),
            messages.sha256(request),
            request.integrated_address_number,
            non_resident=True,
        )
        return pb.CloseNonResidentResponse(person=messages.person_message(view))

    def _actor(self) -> Actor:
        caller = current_caller()
        try:
            organization_of(caller.organization)
        except ChukanError:
            raise ChukanError("CALLER_ORGANIZATION_UNKNOWN", field="chukan-organization") from None
        if looks_like_individual_number(caller.request_id):
            raise ChukanError("INDIVIDUAL_NUMBER_REFUSED", field="chukan-request-id")
        self._environment.vault.prepare([caller.organization])
        self._environment.tenants.prepare(caller.organization)
        return Actor(
            caller.organization, caller.system, caller.terminal, caller.department, caller.user, caller.request_id
        )
