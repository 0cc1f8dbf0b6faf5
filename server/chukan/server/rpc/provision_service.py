# SPDX-License-Identifier: Apache-2.0
"""The servicer of 情報提供 (TKY): convert, call one use case, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.edge.caller import current_caller
from chukan.edge.listing import listing
from chukan.server.rpc.codec import result_from_message, result_to_message
from chukan.server.rpc.inquiry_messages import timestamp
from chukan.server.rpc.rows import repeat_of, wire
from chukan.server.rpc.tokens import decode_token, encode_token, page_size
from chukan.server.rpc.watching import position, watch
from chukan.standard.reasons import ChukanError
from chukan.v1 import provision_service_pb2 as pb
from chukan.v1 import provision_service_pb2_grpc as rpc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import grpc

    from chukan.server.middle.manual_provisions import ProvisionDesk, ShownProvision
    from chukan.server.rpc.resuming import Positions

__all__ = ["ProvisionServicer"]

_LISTING = "provisions"


class ProvisionServicer(rpc.ProvisionServiceServicer):
    """Serves ProvisionService."""

    def __init__(self, desk: ProvisionDesk, positions: Positions) -> None:
        self._desk = desk
        self._positions = positions

    def ListProvisions(
        self, request: pb.ListProvisionsRequest, context: grpc.ServicerContext
    ) -> pb.ListProvisionsResponse:
        """List provisions in order of arrival."""
        (after,) = decode_token(listing(_LISTING, request), request.page_token, 0)
        most, seen = page_size(request.page_size), position(self._positions)
        rows = self._desk.page(current_caller().organization, after=int(after), states=list(request.states), most=most)
        token = encode_token(listing(_LISTING, request), rows[-1].row.id) if len(rows) == most else ""
        return pb.ListProvisionsResponse(provisions=map(_provision, rows), next_page_token=token, resume_token=seen)

    def GetProvision(self, request: pb.GetProvisionRequest, context: grpc.ServicerContext) -> pb.GetProvisionResponse:
        """Read one provision without content."""
        shown = self._desk.get(current_caller().organization, request.provision_id)
        return pb.GetProvisionResponse(provision=_provision(shown))

    def GetProvisionContent(
        self, request: pb.GetProvisionContentRequest, context: grpc.ServicerContext
    ) -> pb.GetProvisionContentResponse:
        """Read what was or would be provided."""
        records = self._desk.content(current_caller().organization, request.provision_id)
        return pb.GetProvisionContentResponse(records=map(result_to_message, records))

    def CorrectProvision(
        self, request: pb.CorrectProvisionRequest, context: grpc.ServicerContext
    ) -> pb.CorrectProvisionResponse:
        """Replace the content of a waiting provision."""
        if request.no_replica == bool(request.records):  # an answer of nothing is said, not left out
            raise ChukanError("INVALID_FIELD", field="records", params={"rule": "records or no_replica"})
        records = tuple(result_from_message(each) for each in request.records)
        shown = self._desk.correct(
            current_caller().organization,
            request.provision_id,
            records,
            request.correction_reason,
            repeat=repeat_of("CorrectProvision", request),
        )
        return pb.CorrectProvisionResponse(provision=_provision(shown))

    def ApproveProvision(
        self, request: pb.ApproveProvisionRequest, context: grpc.ServicerContext
    ) -> pb.ApproveProvisionResponse:
        """First person: approve."""
        caller = current_caller()
        shown = self._desk.approve(
            caller.organization,
            request.provision_id,
            caller.user,
            expected=request.expected_change_seq,
            repeat=repeat_of("ApproveProvision", request),
        )
        return pb.ApproveProvisionResponse(provision=_provision(shown))

    def ConfirmProvision(
        self, request: pb.ConfirmProvisionRequest, context: grpc.ServicerContext
    ) -> pb.ConfirmProvisionResponse:
        """Second person: confirm."""
        caller = current_caller()
        shown = self._desk.confirm(
            caller.organization,
            request.provision_id,
            caller.user,
            expected=request.expected_change_seq,
            repeat=repeat_of("ConfirmProvision", request),
        )
        return pb.ConfirmProvisionResponse(provision=_provision(shown))

    def RefuseProvision(
        self, request: pb.RefuseProvisionRequest, context: grpc.ServicerContext
    ) -> pb.RefuseProvisionResponse:
        """Refuse a waiting provision."""
        shown = self._desk.refuse(
            current_caller().organization,
            request.provision_id,
            request.refusal_reason,
            expected=request.expected_change_seq,
            repeat=repeat_of("RefuseProvision", request),
        )
        return pb.RefuseProvisionResponse(provision=_provision(shown))

    def WatchProvisions(
        self, request: pb.WatchProvisionsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchProvisionsResponse]:
        """Follow provisions in commit order."""
        organization, states = current_caller().organization, list(request.states)

        def changed(after: int, most: int) -> Sequence[ShownProvision]:
            return self._desk.changed(organization, after=after, states=states, most=most)

        for token, rows in watch(self._positions, context, request, changed):
            yield pb.WatchProvisionsResponse(resume_token=token, provisions=map(_provision, rows))


def _provision(shown: ShownProvision) -> pb.Provision:
    row, record = shown.row, shown.record
    return pb.Provision(
        provision_id=str(row.id),
        state=wire(row.state),
        inquirer_code=record.inquirer,
        affair_code=record.affair,
        procedure_code=record.procedure,
        information_code=record.information,
        integrated_address_number=shown.number,
        answer_kind=wire(row.answer_kind),
        reason=row.reason,
        permission_row_id=record.permission_row,
        receive_time=timestamp(row.received),
        provision_time=timestamp(row.provided),
        change_seq=row.change_seq,
        inquirer_delegator_code=record.inquirer_delegator,
        provider_delegator_code=record.provider_delegator,
        mode=wire(record.mode),
    )
