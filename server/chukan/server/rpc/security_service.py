# SPDX-License-Identifier: Apache-2.0
"""The servicer of セキュリティ管理 (SCM): the permission list, master versions and public keys as held here."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, TypeVar

from chukan.edge.caller import current_caller
from chukan.edge.listing import listing
from chukan.edge.unimplemented import unimplemented
from chukan.server.domain.exchange import milliseconds
from chukan.server.rpc.inquiry_messages import timestamp
from chukan.server.rpc.tokens import decode_token, encode_token, page_size
from chukan.standard.clock import JAPAN
from chukan.standard.dates import format_date
from chukan.standard.reasons import ChukanError
from chukan.v1 import security_service_pb2 as pb
from chukan.v1 import security_service_pb2_grpc as rpc

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import grpc
    from google.protobuf.timestamp_pb2 import Timestamp

    from chukan.server.ports import Master
    from chukan.server.ports.exchange import KeyListing
    from chukan.standard.permission_list import PermissionList, PermissionRow

__all__ = ["SecurityServicer"]

_LISTING = "permission_list"
_LISTS = "permission_lists"
_MASTERS = "master_versions"
_KEYS = "keys"
_KINDS = {
    "network": pb.PERMISSION_KIND_NETWORK,
    "ordinance": pb.PERMISSION_KIND_ORDINANCE,
    "in_house": pb.PERMISSION_KIND_IN_HOUSE,
}


_Row = TypeVar("_Row")


class SecurityServicer(rpc.SecurityServiceServicer):
    """Serves SecurityService."""

    RegisterDelegation = unimplemented("delegations")
    RevokeDelegation = unimplemented("delegations")
    ListDelegations = unimplemented("delegations")
    RotateKey = unimplemented("key rotation")

    def __init__(self, master: Master, keys: KeyListing) -> None:
        self._master = master
        self._keys = keys

    def GetPermissionList(
        self, request: pb.GetPermissionListRequest, context: grpc.ServicerContext
    ) -> pb.GetPermissionListResponse:
        """Read the rows of the list, in order of row id."""
        held = self._master.permissions
        if request.version not in ("", held.version):
            raise ChukanError("PERMISSION_LIST_UNKNOWN", field="version")
        (after,) = decode_token(listing(_LISTING, request), request.page_token, "")
        most = page_size(request.page_size)
        rows = sorted((row for row in held.rows if row.row_id > str(after)), key=lambda row: row.row_id)[:most]
        token = encode_token(listing(_LISTING, request), rows[-1].row_id) if len(rows) == most else ""
        return pb.GetPermissionListResponse(version=held.version, rows=map(_row, rows), next_page_token=token)

    def ListPermissionLists(
        self, request: pb.ListPermissionListsRequest, context: grpc.ServicerContext
    ) -> pb.ListPermissionListsResponse:
        """List the versions held here: the one shipped."""
        page, token = _page(_LISTS, request, [_list_version(self._master.permissions)])
        return pb.ListPermissionListsResponse(versions=page, next_page_token=token)

    def GetMasterVersion(
        self, request: pb.GetMasterVersionRequest, context: grpc.ServicerContext
    ) -> pb.GetMasterVersionResponse:
        """Say which master data are in force here."""
        return pb.GetMasterVersionResponse(master_version=self._version())

    def ListMasterVersions(
        self, request: pb.ListMasterVersionsRequest, context: grpc.ServicerContext
    ) -> pb.ListMasterVersionsResponse:
        """List the master versions held here: the one shipped."""
        page, token = _page(_MASTERS, request, [self._version()])
        return pb.ListMasterVersionsResponse(versions=page, next_page_token=token)

    def ListKeys(self, request: pb.ListKeysRequest, context: grpc.ServicerContext) -> pb.ListKeysResponse:
        """List the caller's public keys."""
        listed = self._keys.public_keys(current_caller().organization)
        purposes = {"signing": pb.KEY_PURPOSE_SIGNING, "sealing": pb.KEY_PURPOSE_SEALING}
        keys = [
            pb.Key(
                key_id=each.thumbprint.hex(),
                purpose=purposes[each.purpose],
                public_key=each.public_key,
                start_time=timestamp(each.valid_from_ms),
                end_time=timestamp(each.valid_to_ms),
            )
            for each in listed
            if request.purpose in (pb.KEY_PURPOSE_UNSPECIFIED, purposes[each.purpose])
        ]
        page, token = _page(_KEYS, request, keys)
        return pb.ListKeysResponse(keys=page, next_page_token=token)

    def _version(self) -> pb.MasterVersion:
        held = self._master.permissions
        return pb.MasterVersion(
            version=self._master.version,
            effective_date=format_date(held.effective_from),
            digest=_list_version(held).digest,
            receive_time=_midnight(held.effective_from),
        )


def _page(
    kind: str,
    request: pb.ListPermissionListsRequest | pb.ListMasterVersionsRequest | pb.ListKeysRequest,
    rows: Sequence[_Row],
) -> tuple[Sequence[_Row], str]:
    """Return a page of a short list. It grows at its head, so a place is counted from its end."""
    of = listing(kind, request)
    (left,) = decode_token(of, request.page_token, 0)
    start = max(len(rows) - int(left), 0) if left else 0
    end = start + page_size(request.page_size)
    return rows[start:end], encode_token(of, len(rows) - end) if end < len(rows) else ""


def _list_version(held: PermissionList) -> pb.MasterVersion:
    content = b"".join(_row(row).SerializeToString(deterministic=True) for row in held.rows)
    return pb.MasterVersion(
        version=held.version,
        effective_date=format_date(held.effective_from),
        digest=hashlib.sha256(content).hexdigest(),
        receive_time=_midnight(held.effective_from),
    )


def _midnight(day: date) -> Timestamp | None:
    return timestamp(milliseconds(datetime.combine(day, time.min, JAPAN).astimezone(UTC)))


def _row(row: PermissionRow) -> pb.PermissionRow:
    return pb.PermissionRow(
        row_id=row.row_id,
        inquirer_kinds=row.inquirer_kinds,
        affair_code=row.affair_code,
        procedure_code=row.procedure_code,
        provider_kinds=row.provider_kinds,
        information_code=row.information_code,
        item_codes=row.items,
        legal_basis_old=row.legal_basis_old,
        legal_basis_new=row.legal_basis_new,
        valid_from=format_date(row.valid_from),
        valid_to=format_date(row.valid_to) if row.valid_to else "",
        consent_required=row.consent_required,
        kind=_KINDS[row.kind],
        organization_code=row.organization or "",
        note=row.note,
    )
