# SPDX-License-Identifier: Apache-2.0
"""The servicer of 情報提供等記録 (TKM): convert, call one use case, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.edge.caller import current_caller
from chukan.edge.listing import listing
from chukan.edge.unimplemented import unimplemented
from chukan.server.middle.record_comparison import Place
from chukan.server.rpc.inquiry_messages import timestamp
from chukan.server.rpc.record_messages import reconciliation_to_message, record_to_message
from chukan.server.rpc.resuming import place_of, resume_token
from chukan.server.rpc.tokens import decode_token, encode_token, page_size
from chukan.standard.reasons import ChukanError
from chukan.v1 import exchange_record_service_pb2 as pb
from chukan.v1 import exchange_record_service_pb2_grpc as rpc

if TYPE_CHECKING:
    from collections.abc import Iterator

    import grpc

    from chukan.server.middle.exchange_records import ExchangeRecordDesk
    from chukan.server.middle.record_comparison import RecordComparison

__all__ = ["ExchangeRecordServicer"]

_LISTING = "exchange_records"
_TRACE = "trace"
_EXPORT = "export"
_COMPARISON = "comparison"
_PAGE = 1_000


class ExchangeRecordServicer(rpc.ExchangeRecordServiceServicer):
    """Serves ExchangeRecordService."""

    GetCheckpoint = unimplemented("proofs over the record log")
    GetInclusionProof = unimplemented("proofs over the record log")
    GetConsistencyProof = unimplemented("proofs over the record log")

    def __init__(self, desk: ExchangeRecordDesk, comparison: RecordComparison) -> None:
        self._desk = desk
        self._comparison = comparison

    def ListExchangeRecords(
        self, request: pb.ListExchangeRecordsRequest, context: grpc.ServicerContext
    ) -> pb.ListExchangeRecordsResponse:
        """List records in order of writing."""
        (after,) = decode_token(listing(_LISTING, request), request.page_token, 0)
        most = page_size(request.page_size)
        rows = self._desk.page(
            current_caller().organization,
            after=int(after),
            most=most,
            side=request.side,
            number=request.integrated_address_number,
            outcomes=list(request.outcomes),
            receipt=request.receipt_number,
        )
        token = encode_token(listing(_LISTING, request), rows[-1][0]) if len(rows) == most else ""
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
        organization = current_caller().organization
        if request.exchange_ids:
            if request.resume_token:
                raise ChukanError("INVALID_FIELD", field="resume_token")
            found = self._comparison.named(organization, list(request.exchange_ids))
            return pb.ReconcileExchangeRecordsResponse(reconciliations=map(reconciliation_to_message, found))
        compared = self._comparison.walk(organization, Place(*self._place(_COMPARISON, request.resume_token, 3)))
        return pb.ReconcileExchangeRecordsResponse(
            reconciliations=map(reconciliation_to_message, compared.found),
            resume_token=resume_token(_COMPARISON, self._desk.generation, *compared.place),
            more=compared.more,
            network_list_time=timestamp(compared.listed),
        )

    def TraceProvision(
        self, request: pb.TraceProvisionRequest, context: grpc.ServicerContext
    ) -> pb.TraceProvisionResponse:
        """Say who received records of one person."""
        (after,) = decode_token(listing(_TRACE, request), request.page_token, 0)
        most = page_size(request.page_size)
        rows = self._desk.trace(
            current_caller().organization,
            request.integrated_address_number,
            information=request.information_code,
            after=int(after),
            most=most,
        )
        token = encode_token(listing(_TRACE, request), rows[-1][0]) if len(rows) == most else ""
        return pb.TraceProvisionResponse(
            records=[record_to_message(record) for _, record in rows], next_page_token=token
        )

    def ExportExchangeRecords(
        self, request: pb.ExportExchangeRecordsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ExportExchangeRecordsResponse]:
        """Export records in pages, up to what stood when the export began."""
        organization, until = current_caller().organization, self._desk.last_change()
        (after,) = self._place(_EXPORT, request.resume_token, 1)
        while rows := self._desk.changed(organization, after=after, until=until, most=_PAGE):
            after = rows[-1].change_seq
            yield pb.ExportExchangeRecordsResponse(
                records=map(record_to_message, rows), resume_token=resume_token(_EXPORT, self._desk.generation, after)
            )
            if len(rows) < _PAGE:
                return

    def _place(self, kind: str, token: str, numbers: int) -> list[int]:
        return place_of(kind, token, self._desk.generation, numbers=numbers, last=self._desk.last_change())
