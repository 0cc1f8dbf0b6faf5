# SPDX-License-Identifier: Apache-2.0
"""The servicer of 情報提供データベース管理: convert, call one use case, convert."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from chukan.edge.caller import current_caller
from chukan.edge.listing import listing
from chukan.server.domain.content import Column, unpack_row
from chukan.server.domain.replica import ImportState, Operation, ReplicaBatch
from chukan.server.rpc.rows import body_digest, refuse_individual_numbers, row_failure, wire
from chukan.server.rpc.sizes import MOST_BYTES, that_fit
from chukan.server.rpc.tokens import decode_token, encode_token, page_size
from chukan.standard.reasons import ChukanError
from chukan.v1 import common_pb2
from chukan.v1 import replica_service_pb2 as pb
from chukan.v1 import replica_service_pb2_grpc as rpc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import grpc

    from chukan.server.domain.replica_rows import ImportRow, LaneRow, ReplicaRow
    from chukan.server.middle.comparison import Difference, ReplicaComparison
    from chukan.server.middle.replicas import Replicas

__all__ = ["ReplicaServicer"]

_MOST_DIFFERENCES = 10_000
_MODES = {common_pb2.MODE_PRODUCTION: "production", common_pb2.MODE_TEST: "test"}


class ReplicaServicer(rpc.ReplicaServiceServicer):
    """Serves ReplicaService."""

    def __init__(self, use_cases: Replicas, comparison: ReplicaComparison) -> None:
        self._use_cases = use_cases
        self._comparison = comparison

    def RegisterReplicas(
        self, request_iterator: Iterator[pb.RegisterReplicasRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.RegisterReplicasResponse]:
        """Register batches, each answered once durable."""
        caller = current_caller()
        for request in request_iterator:
            row, repeated = self._use_cases.register(
                caller.organization,
                caller.system,
                _batch(request),
                body_digest(request),
                mode=_MODES.get(request.header.mode, ""),
            )
            yield pb.RegisterReplicasResponse(
                batch_id=row.batch_id,
                state=wire(row.state),
                outcomes=wire(row.outcomes),
                failures=_failures(row),
                change_seq=row.change_seq,
                repeated_batch=repeated,
            )

    def PutReplica(self, request: pb.PutReplicaRequest, context: grpc.ServicerContext) -> pb.PutReplicaResponse:
        """Register one replica: a batch of one, named by its record id."""
        caller = current_caller()
        batch = _single(request.replica)
        self._one(caller.organization, caller.system, batch, _MODES.get(request.mode, ""))
        row = self._use_cases.get(caller.organization, batch.numbers[0], _key_of(batch))
        return pb.PutReplicaResponse(replica=_replica(batch.numbers[0], row, content=False))

    def GetReplica(self, request: pb.GetReplicaRequest, context: grpc.ServicerContext) -> pb.GetReplicaResponse:
        """Read one replica with content."""
        number = request.integrated_address_number
        row = self._use_cases.get(current_caller().organization, number, _key(request.key))
        return pb.GetReplicaResponse(replica=_replica(number, row))

    def ListReplicas(self, request: pb.ListReplicasRequest, context: grpc.ServicerContext) -> pb.ListReplicasResponse:
        """List an addressee's replicas."""
        number = request.integrated_address_number
        after = decode_token(listing("replicas", request), request.page_token, "", "", "")
        most = page_size(request.page_size)
        rows = self._use_cases.page(
            current_caller().organization,
            number,
            information=request.information_code,
            deleted=request.include_deleted,
            after=(str(after[0]), str(after[1]), str(after[2])),
            most=most,
        )
        last = rows[-1] if len(rows) == most else None
        token = (
            encode_token(listing("replicas", request), last.information, last.data_set, last.record_key) if last else ""
        )
        return pb.ListReplicasResponse(
            replicas=[_replica(number, row, content=False) for row in rows], next_page_token=token
        )

    def ListReplicaVersions(
        self, request: pb.ListReplicaVersionsRequest, context: grpc.ServicerContext
    ) -> pb.ListReplicaVersionsResponse:
        """List the versions of one replica, newest first."""
        number = request.integrated_address_number
        (before,) = decode_token(listing("versions", request), request.page_token, 0)
        most = page_size(request.page_size)
        rows = self._use_cases.versions(
            current_caller().organization, number, _key(request.key), before=int(before), most=most
        )
        shown = that_fit(_replica(number, row) for row in rows)
        more = len(shown) < len(rows) or len(rows) == most
        token = encode_token(listing("versions", request), shown[-1].version) if more and shown[-1].version > 1 else ""
        return pb.ListReplicaVersionsResponse(replicas=shown, next_page_token=token)

    def DeleteReplica(
        self, request: pb.DeleteReplicaRequest, context: grpc.ServicerContext
    ) -> pb.DeleteReplicaResponse:
        """Delete one replica logically."""
        caller = current_caller()
        number = request.integrated_address_number
        row = self._use_cases.delete(
            caller.organization, caller.system, number, _key(request.key), request.delete_reason
        )
        return pb.DeleteReplicaResponse(replica=_replica(number, row, content=False))

    def ExportReplicas(
        self, request: pb.ExportReplicasRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ExportReplicasResponse]:
        """Export current replicas by columns."""
        organization = current_caller().organization
        for page in self._use_cases.export(organization, request.information_code):
            chosen = [pair for pair in page if not request.data_set or pair[1].data_set == request.data_set]
            chosen.sort(key=lambda pair: (pair[1].data_set, pair[1].edition, pair[1].item_codes))
            for shape, pairs in groupby(chosen, key=lambda pair: pair[1][2:3] + pair[1][5:7]):
                yield from _exported_parts(request.information_code, shape[0], shape[1], list(pairs))

    def CompareReplicas(
        self, request_iterator: Iterator[pb.CompareReplicasRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.CompareReplicasResponse]:
        """Compare the original's digests with the replicas."""
        comparing = self._comparison.begin(current_caller().organization)
        for index, request in enumerate(request_iterator):
            if len({len(request.integrated_address_numbers), len(request.record_keys), len(request.digests)}) != 1:
                raise ChukanError("COLUMNS_UNEQUAL", field="digests")
            for field in ("integrated_address_numbers", "record_keys"):
                refuse_individual_numbers(getattr(request, field), field=field)
            named = zip(request.integrated_address_numbers, request.record_keys, request.digests, strict=True)
            found = comparing.compare(request.information_code, request.data_set, list(named), last=request.last)
            for start in range(0, max(len(found), 1), _MOST_DIFFERENCES):
                end = start + _MOST_DIFFERENCES
                yield pb.CompareReplicasResponse(
                    differences=[_difference(request, one) for one in found[start:end]],
                    compared_count=comparing.compared,
                    request_index=index,
                    more=end < len(found),
                )

    def GetImport(self, request: pb.GetImportRequest, context: grpc.ServicerContext) -> pb.GetImportResponse:
        """Read the report of a batch."""
        row = self._use_cases.get_import(current_caller().organization, request.batch_id)
        return pb.GetImportResponse(**{"import": _import(row, failures=True)})

    def ListImports(self, request: pb.ListImportsRequest, context: grpc.ServicerContext) -> pb.ListImportsResponse:
        """List reports, newest first."""
        (before,) = decode_token(listing("imports", request), request.page_token, 0)
        most = page_size(request.page_size)
        rows = self._use_cases.imports(
            current_caller().organization, information=request.information_code, before=int(before), most=most
        )
        token = encode_token(listing("imports", request), rows[-1].id) if len(rows) == most else ""
        return pb.ListImportsResponse(imports=[_import(row, failures=False) for row in rows], next_page_token=token)

    def ListLanes(self, request: pb.ListLanesRequest, context: grpc.ServicerContext) -> pb.ListLanesResponse:
        """List lanes."""
        return pb.ListLanesResponse(lanes=map(_lane, self._use_cases.lanes(current_caller().organization)))

    def ResumeLane(self, request: pb.ResumeLaneRequest, context: grpc.ServicerContext) -> pb.ResumeLaneResponse:
        """Open a held lane."""
        row = self._use_cases.resume_lane(current_caller().organization, request.information_code)
        return pb.ResumeLaneResponse(lane=_lane(row))

    def _one(self, organization: str, system: str, batch: ReplicaBatch, mode: str) -> None:
        """Register a batch of one and raise its refusal."""
        row = self._use_cases.put(organization, system, batch, mode=mode)
        if row.state != ImportState.COMPLETED:
            _, code, field, item_code, rule = row.failures[0]
            params = {"item_code": str(item_code), "rule": str(rule)}
            raise ChukanError(
                str(code), field=f"replica.{field}", params={name: text for name, text in params.items() if text}
            )


def _batch(request: pb.RegisterReplicasRequest) -> ReplicaBatch:
    return ReplicaBatch(
        batch_id=request.batch_id,
        information_code=request.information_code,
        data_set=request.data_set,
        edition=request.edition,
        record_ids=list(request.record_ids),
        numbers=list(request.integrated_address_numbers),
        record_keys=list(request.record_keys),
        parent_keys=list(request.parent_record_keys),
        start_dates=list(request.start_dates),
        end_dates=list(request.end_dates),
        operations=list(request.operations),
        delete_reasons=list(request.delete_reasons),
        ward_codes=list(request.ward_codes),
        columns=[
            Column(each.item_code, list(each.values), list(each.nil_rows), list(each.nil_reasons))
            for each in request.items
        ],
        send_id=request.header.send_id,
    )


def _single(replica: pb.Replica) -> ReplicaBatch:
    columns = [
        Column(
            item.item_code, [item.value], [0] if item.nil_reason else [], [item.nil_reason] if item.nil_reason else []
        )
        for item in replica.items
    ]
    return ReplicaBatch(
        batch_id="",
        information_code=replica.information_code,
        data_set=replica.data_set,
        edition=replica.edition,
        record_ids=[replica.record_id],
        numbers=[replica.integrated_address_number],
        record_keys=[replica.record_key],
        parent_keys=[replica.parent_record_key] if replica.parent_record_key else [],
        start_dates=[replica.period.start_date],
        end_dates=[replica.period.end_date],
        operations=[int(Operation.REGISTER)],
        delete_reasons=[],
        ward_codes=[replica.ward_code] if replica.ward_code else [],
        columns=columns,
    )


def _difference(request: pb.CompareReplicasRequest, one: Difference) -> pb.ReplicaDifference:
    key = common_pb2.ReplicaKey(
        information_code=request.information_code, data_set=request.data_set, record_key=one.record_key
    )
    return pb.ReplicaDifference(integrated_address_number=one.number, key=key, kind=wire(one.kind))


def _key(key: common_pb2.ReplicaKey) -> tuple[str, str, str]:
    return key.information_code, key.data_set, key.record_key


def _key_of(batch: ReplicaBatch) -> tuple[str, str, str]:
    return batch.information_code, batch.data_set, batch.record_keys[0]


def _failures(row: ImportRow) -> list[common_pb2.RowFailure]:
    return [
        row_failure(int(at), str(code), str(field), str(item), str(rule))
        for at, code, field, item, rule in row.failures
    ]


def _replica(number: str, row: ReplicaRow, *, content: bool = True) -> pb.Replica:
    message = pb.Replica(
        integrated_address_number=number,
        information_code=row.information,
        data_set=row.data_set,
        record_key=row.record_key,
        parent_record_key=row.parent_key,
        edition=row.edition,
        record_id=row.record_id,
        period=common_pb2.Period(start_date=row.start_date, end_date=row.end_date),
        state=wire(row.state),
        version=row.version,
        delete_reason=row.delete_reason,
        ward_code=row.ward_code,
    )
    message.update_time.FromMicroseconds(row.updated)
    if content and row.content:
        for code, value, nil_reason in unpack_row(row.item_codes, row.content):
            item = message.items.add(item_code=code)
            if nil_reason:
                item.nil_reason = nil_reason
            else:
                item.value = value
    return message


def _exported_parts(
    information: str, data_set: str, edition: str, pairs: Sequence[tuple[str, ReplicaRow]]
) -> Iterator[pb.ExportReplicasResponse]:
    """Yield the rows in one message, or in halves where that would be too large."""
    message = _exported(information, data_set, edition, pairs)
    if message.ByteSize() <= MOST_BYTES or len(pairs) == 1:
        yield message
        return
    middle = len(pairs) // 2
    for half in (pairs[:middle], pairs[middle:]):
        yield from _exported_parts(information, data_set, edition, half)


def _exported(
    information: str, data_set: str, edition: str, pairs: Sequence[tuple[str, ReplicaRow]]
) -> pb.ExportReplicasResponse:
    message = pb.ExportReplicasResponse(
        information_code=information,
        data_set=data_set,
        edition=edition,
        integrated_address_numbers=[number for number, _ in pairs],
    )
    columns = [message.items.add(item_code=code) for code in pairs[0][1].item_codes]
    for at, (_, row) in enumerate(pairs):
        message.record_ids.append(row.record_id)
        message.record_keys.append(row.record_key)
        message.parent_record_keys.append(row.parent_key)
        message.start_dates.append(row.start_date)
        message.end_dates.append(row.end_date)
        found = {item.item_code: item for item in unpack_row(row.item_codes, row.content)}
        for column in columns:
            item = found.get(column.item_code)
            column.values.append(item.value if item else "")
            if item and item.nil_reason:
                column.nil_rows.append(at)
                column.nil_reasons.append(item.nil_reason)
    return message


def _import(row: ImportRow, *, failures: bool) -> pb.ReplicaImport:
    committed, unchanged, refused = (sum(outcome == kind for outcome in row.outcomes) for kind in (1, 2, 3))
    message = pb.ReplicaImport(
        batch_id=row.batch_id,
        information_code=row.information,
        data_set=row.data_set,
        edition=row.edition,
        state=wire(row.state),
        committed_count=committed,
        unchanged_count=unchanged,
        refused_count=refused,
        failures=_failures(row) if failures else (),
    )
    message.create_time.FromMicroseconds(row.created)
    return message


def _lane(row: LaneRow) -> pb.Lane:
    message = pb.Lane(
        information_code=row.information,
        state=wire(row.state),
        hold_reason=row.hold_reason,
        replica_count=row.replica_count,
        refused_count=row.refused_count,
    )
    if row.last_success:
        message.last_success_time.FromMicroseconds(row.last_success)
    if row.last_refusal:
        message.last_refusal_time.FromMicroseconds(row.last_refusal)
    return message
