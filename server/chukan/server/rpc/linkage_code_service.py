# SPDX-License-Identifier: Apache-2.0
"""The servicer of 符号管理: convert, call one use case, convert."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from google.protobuf.timestamp_pb2 import Timestamp

from chukan.edge.caller import current_caller
from chukan.edge.listing import listing
from chukan.server.domain.linkage import AddresseeBatch, AddresseeState, LinkageState
from chukan.server.rpc.rows import body_digest, repeat_of, row_failure, wire
from chukan.server.rpc.tokens import decode_token, encode_token, page_size
from chukan.server.rpc.watching import position, watch
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import linkage_code_service_pb2 as pb
from chukan.v1 import linkage_code_service_pb2_grpc as rpc

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from chukan.server.domain.linkage import AddresseeRow, BatchAnswer
    from chukan.server.middle.linkage_codes import LinkageCodes
    from chukan.server.rpc.resuming import Positions

__all__ = ["LinkageCodeServicer"]

_STATES = "linkage_states"
_Rows = frozenset[int] | None


class LinkageCodeServicer(rpc.LinkageCodeServiceServicer):
    """Serves LinkageCodeService."""

    def __init__(self, use_cases: LinkageCodes, positions: Positions) -> None:
        self._use_cases = use_cases
        self._positions = positions

    def RegisterAddressees(
        self, request_iterator: Iterator[pb.RegisterAddresseesRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.RegisterAddresseesResponse]:
        """Register batches, each answered once durable."""
        caller = current_caller()
        for request in request_iterator:
            answer = self._use_cases.register(
                caller.organization, caller.system, request.batch_id, body_digest(request), _batch(request)
            )
            yield pb.RegisterAddresseesResponse(
                batch_id=request.batch_id,
                outcomes=wire(answer.outcomes),
                failures=_failures(answer),
                repeated_batch=answer.repeated,
                requested_code_count=answer.asked,
            )

    def GetAddressee(self, request: pb.GetAddresseeRequest, context: grpc.ServicerContext) -> pb.GetAddresseeResponse:
        """Read one addressee."""
        organization = current_caller().organization
        row = self._use_cases.get(organization, request.integrated_address_number)
        return pb.GetAddresseeResponse(addressee=self._addressee(organization, row))

    def CloseAddressee(
        self, request: pb.CloseAddresseeRequest, context: grpc.ServicerContext
    ) -> pb.CloseAddresseeResponse:
        """Close an addressee."""
        organization = current_caller().organization
        row = self._use_cases.close(organization, request.integrated_address_number)
        return pb.CloseAddresseeResponse(addressee=self._addressee(organization, row))

    def RequestCode(self, request: pb.RequestCodeRequest, context: grpc.ServicerContext) -> pb.RequestCodeResponse:
        """Ask for one code."""
        row = self._use_cases.request_code(current_caller().organization, request.integrated_address_number)
        return pb.RequestCodeResponse(linkage_status=_status(row))

    def BatchRequestCodes(
        self, request_iterator: Iterator[pb.BatchRequestCodesRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.BatchRequestCodesResponse]:
        """Ask for codes by batches."""
        caller = current_caller()
        for request in request_iterator:
            answer = self._use_cases.request_codes(
                caller.organization,
                caller.system,
                request.batch_id,
                body_digest(request),
                list(request.integrated_address_numbers),
            )
            yield pb.BatchRequestCodesResponse(
                batch_id=request.batch_id,
                outcomes=wire(answer.outcomes),
                failures=_failures(answer),
                repeated_batch=answer.repeated,
            )

    def GetLinkageState(
        self, request: pb.GetLinkageStateRequest, context: grpc.ServicerContext
    ) -> pb.GetLinkageStateResponse:
        """Read one linkage state."""
        row = self._use_cases.get(current_caller().organization, request.integrated_address_number)
        return pb.GetLinkageStateResponse(linkage_status=_status(row))

    def ListLinkageStates(
        self, request: pb.ListLinkageStatesRequest, context: grpc.ServicerContext
    ) -> pb.ListLinkageStatesResponse:
        """List linkage states in order of registration."""
        (after,) = decode_token(listing(_STATES, request), request.page_token, 0)
        most, seen = page_size(request.page_size), position(self._positions)
        rows = self._use_cases.page(
            current_caller().organization, after_id=int(after), states=list(request.states), most=most
        )
        token = encode_token(listing(_STATES, request), rows[-1].id) if len(rows) == most else ""
        return pb.ListLinkageStatesResponse(
            linkage_statuses=map(_status, rows), next_page_token=token, resume_token=seen
        )

    def WatchLinkageStates(
        self, request: pb.WatchLinkageStatesRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.WatchLinkageStatesResponse]:
        """Follow linkage states in commit order."""
        organization = current_caller().organization
        states = list(request.states)

        def changed(after: int, most: int) -> list[AddresseeRow]:
            return self._use_cases.changed(organization, after_seq=after, states=states, most=most)

        for token, rows in watch(self._positions, context, request, changed):
            yield pb.WatchLinkageStatesResponse(resume_token=token, linkage_statuses=map(_status, rows))

    def MergeAddressees(
        self, request: pb.MergeAddresseesRequest, context: grpc.ServicerContext
    ) -> pb.MergeAddresseesResponse:
        """Merge two numbers of one person."""
        organization = current_caller().organization
        row = self._use_cases.merge(
            organization, request.merged_integrated_address_number, request.surviving_integrated_address_number
        )
        return pb.MergeAddresseesResponse(addressee=self._addressee(organization, row))

    def SplitAddressee(
        self, request: pb.SplitAddresseeRequest, context: grpc.ServicerContext
    ) -> pb.SplitAddresseeResponse:
        """Split an addressee two people shared."""
        organization = current_caller().organization
        moved = [(key.information_code, key.data_set, key.record_key) for key in request.moved_replicas]
        kept, new = self._use_cases.split(
            organization,
            request.integrated_address_number,
            request.new_integrated_address_number,
            moved,
            repeat=repeat_of("SplitAddressee", request),
        )
        return pb.SplitAddresseeResponse(
            addressee=self._addressee(organization, kept), new_addressee=self._addressee(organization, new)
        )

    def _addressee(self, organization: str, row: AddresseeRow) -> pb.Addressee:
        message = pb.Addressee(
            integrated_address_number=row.number,
            state=wire(row.state),
            linkage_state=wire(row.linkage_state),
            nondisclosure=row.nondisclosure,
            self_information_disabled=row.self_information_disabled,
            auto_response_disabled_information_codes=sorted(row.auto_response_disabled),
            change_seq=row.change_seq,
        )
        if row.state is AddresseeState.MERGED:
            message.merged_into = self._use_cases.survivor(organization, row)
        message.create_time.FromMicroseconds(row.created)
        message.update_time.FromMicroseconds(row.updated)
        return message


def _batch(request: pb.RegisterAddresseesRequest) -> AddresseeBatch:
    _check_flagged(request)

    def given(name: Literal["closed_rows", "nondisclosure_rows", "self_information_disabled_rows"]) -> _Rows:
        return frozenset(getattr(request, name).rows) if request.HasField(name) else None

    return AddresseeBatch(
        numbers=list(request.integrated_address_numbers),
        closed=given("closed_rows"),
        nondisclosure=given("nondisclosure_rows"),
        self_information_disabled=given("self_information_disabled_rows"),
        auto_response_disabled=_disabled(request) if request.HasField("auto_response_disabled") else None,
        code_rows=frozenset(request.code_rows),
    )


def _disabled(request: pb.RegisterAddresseesRequest) -> dict[int, frozenset[str]]:
    disabled: dict[int, frozenset[str]] = {}
    for entry in request.auto_response_disabled.entries:
        for row in entry.rows:
            disabled[row] = disabled.get(row, frozenset()) | {entry.information_code}
    return disabled


def _check_flagged(request: pb.RegisterAddresseesRequest) -> None:
    """Refuse a flag for a row there is none of: lost, it would leave somebody unprotected."""
    rows = len(request.integrated_address_numbers)
    entries = request.auto_response_disabled.entries
    flagged = {
        "nondisclosure_rows.rows": request.nondisclosure_rows.rows,
        "self_information_disabled_rows.rows": request.self_information_disabled_rows.rows,
        "closed_rows.rows": request.closed_rows.rows,
        "code_rows": request.code_rows,
        **{f"auto_response_disabled.entries[{at}].rows": each.rows for at, each in enumerate(entries)},
    }
    wrong = [(path, f"below {rows}") for path, column in flagged.items() if column and max(column) >= rows]
    if wrong:
        raise ChukanError("INVALID_FIELD", violations=wrong)


def _failures(answer: BatchAnswer) -> list[common_pb2.RowFailure]:
    return [row_failure(one.row, one.reason, one.field, one.item_code, one.rule) for one in answer.failures]


def _status(row: AddresseeRow) -> pb.LinkageStatus:
    issued = row.linkage_state is LinkageState.PROCESSING_NUMBER_ISSUED
    return pb.LinkageStatus(
        integrated_address_number=row.number,
        state=wire(row.linkage_state),
        failure_reason=row.failure_reason,
        change_seq=row.change_seq,
        processing_number=row.processing_number if issued else "",
        processing_number_expire_time=_instant(row.processing_number_expires) if issued else None,
        request_time=_instant(row.requested),
        link_time=_instant(row.linked),
    )


@lru_cache(maxsize=64)
def _instant(micros: int) -> Timestamp | None:
    """Return an instant, None where there is none; rows of one batch share theirs."""
    if not micros:
        return None
    message = Timestamp()
    message.FromMicroseconds(micros)
    return message
