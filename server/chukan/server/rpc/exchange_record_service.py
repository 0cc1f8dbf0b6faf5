# SPDX-License-Identifier: Apache-2.0
"""The servicer of 情報提供等記録 (TKM): convert, call one use case, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.edge.caller import current_caller
from chukan.edge.unimplemented import unimplemented
from chukan.server.rpc.record_messages import reconciliation_to_message, record_to_message
from chukan.server.rpc.tokens import decode_token, encode_token, page_size
from chukan.v1 import exchange_record_service_pb2 as pb
from chukan.v1 import exchange_record_service_pb2_grpc as rpc

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from chukan.server.middle.exchange_records import ExchangeRecordDesk

__all__ = ["ExchangeRecordServicer"]

_LISTING = "exchange_records"
_TRACE = "trace"
_PAGE = 1_000


class ExchangeRecordServicer(rpc.ExchangeRecordServiceServicer):
    """Serves ExchangeRecordService."""

    GetCheckpoint = unimplemented("proofs over the record log")
    GetInclusionProof = unimplemented("proofs over the record log")
    GetConsistencyProof = unimplemented("proofs over the record log")

    def __init__(self, desk: ExchangeRecordDesk) -> None:
        self._desk = desk

    def ListExchangeRecords(
        self, request: pb.ListExchangeRecordsRequest, context: grpc.ServicerContext
    ) -> pb.ListExchangeRecordsResponse:
        """List records in order of writing."""
        (after,) = decode_token(_LISTING, request.page_token, 0)
        most = page_size(request.page_size)
        rows = self._desk.page(
            current_caller().organization,
            after=int(after),
            most=most,
            side=request.side,
            number=request.integrated_address_number,
            outcomes=list(request.outcomes),
        )
        token = encode_token(_LISTING, rows[-1][0]) if len(rows) == most else ""
        return pb.ListExchangeRecordsResponse(
            records=[record_to_message(record) for _, record in rows], next_page_token=token
        )

    def GetExchangeRecord(
        self, request: pb.GetExchangeRecordRequest, context: grpc.ServicerContext
    ) -> pb.GetExchangeRecordResponse:
        """Read one record."""
        record = self._desk.get(current_caller().organization, request.exchange_id, request.side)
        return pb.GetExchangeRecordResponse(record=record_to_message(record))

    def ReconcileExchangeRecords(
        self, request: pb.ReconcileExchangeRecordsRequest, context: grpc.ServicerContext
    ) -> pb.ReconcileExchangeRecordsResponse:
        """Compare records with the network's."""
        found, last = self._desk.reconcile(
            current_caller().organization,
            exchange_ids=list(request.exchange_ids),
            after=request.after_change_seq,
        )
        return pb.ReconcileExchangeRecordsResponse(
            reconciliations=map(reconciliation_to_message, found), last_change_seq=last
        )

    def TraceProvision(
        self, request: pb.TraceProvisionRequest, context: grpc.ServicerContext
    ) -> pb.TraceProvisionResponse:
        """Say who received records of one person."""
        (after,) = decode_token(_TRACE, request.page_token, 0)
        most = page_size(request.page_size)
        rows = self._desk.trace(
            current_caller().organization,
            request.integrated_address_number,
            information=request.information_code,
            after=int(after),
            most=most,
        )
        token = encode_token(_TRACE, rows[-1][0]) if len(rows) == most else ""
        return pb.TraceProvisionResponse(
            records=[record_to_message(record) for _, record in rows], next_page_token=token
        )

    def ExportExchangeRecords(
        self, request: pb.ExportExchangeRecordsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ExportExchangeRecordsResponse]:
        """Export records in pages, up to what stood when the export began."""
        organization, after = current_caller().organization, request.after_change_seq
        while rows := self._desk.changed(organization, after=after, most=_PAGE):
            yield pb.ExportExchangeRecordsResponse(records=map(record_to_message, rows))
            after = rows[-1].change_seq
            if len(rows) < _PAGE:
                return
