# SPDX-License-Identifier: Apache-2.0
"""Issues provision permits (提供許可証): matches, translates the code, signs once for the whole batch, records.

Procedure, the numbers stand in the code:
1 the caller's keys are known  2 its signature  3 header: kind, version, issuer, recipient, world, mode, times
4 the leaves are those that were signed  5 a leaf decided before keeps its decision  6 each new leaf is
judged (`chukan.server.network.judging`)
7 one signature over all permits  8 one commit: requests, records of permits and refusals, deliveries to the providers.
Never sees content. All [own] (docs/divergences "The exchange").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.server.domain.envelope import PayloadType
from chukan.server.domain.exchange import (
    BATCH_LIMIT,
    NETWORK,
    NONCE_SIZE,
    Header,
    Outcome,
    PermitRequest,
    PermitResponse,
    Statement,
    digest,
    milliseconds,
)
from chukan.server.domain.merkle import leaf_hashes, root
from chukan.server.domain.network_exchange import NetworkExchange, NewExchange, RecordColumns
from chukan.server.domain.permits import check_all_leaves, check_header
from chukan.server.network.judging import JudgedItem, judge
from chukan.server.network.linkage_codes import pack_rows
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chukan.server.domain.envelope import Envelope
    from chukan.server.network.core import Core
    from chukan.server.ports import Connection

__all__ = ["DELIVER_INQUIRIES", "add_delivery", "open_permits", "request_permits", "sign_permits"]

DELIVER_INQUIRIES: Final = "deliver_inquiries"
"""Outbox kind: deliver permits to a provider. Payload: digest of the request statement, rows of exchanges."""
REQUEST_DIGEST_SIZE: Final = 32
TABLE: Final = "network_permit"
_REQUEST_KINDS: Final = (PayloadType.REQUEST, PayloadType.REQUEST_BATCH)


def request_permits(core: Core, caller: str, request: PermitRequest) -> PermitResponse:
    """Decide about a signed batch; the same leaf brings back the same permit or the same refusal."""
    _verify(core, caller, request)
    digests = [digest(leaf) for leaf in request.leaves]
    known, stored = _decided_before(core, caller, digests)
    leaves = dict(zip(digests, request.leaves, strict=True))
    decided = judge(core, caller, {name: leaf for name, leaf in leaves.items() if name not in known})
    request_digest = digest(request.statement.payload)
    if decided:
        _record(core, caller, request, request_digest, decided)
    permits = {**stored, **{item.digest: item.permit for item in decided if item.permit}}
    issued = tuple([permits[name] for name in digests if name in permits])
    reasons = {name: exchange.reason or "PERMIT_EXPIRED" for name, exchange in known.items()}
    reasons.update((item.digest, item.reason) for item in decided)
    return PermitResponse(
        sign_permits(core, issued, inquirer=caller, request_digest=request_digest) if issued else None,
        issued,
        {row: reasons[name] for row, name in enumerate(digests) if name not in permits},
    )


def sign_permits(core: Core, leaves: Sequence[bytes], *, inquirer: str, request_digest: bytes) -> Envelope:
    """Sign permits once over their root.

    Each group that is shown to somebody is signed whole, so its root proves it and no permit needs a path.
    """
    now = core.environment.clock.now()
    header = Header(
        kind=PayloadType.PERMIT_BATCH,
        world_generation=core.environment.master.world_generation,
        mode=core.environment.master.mode(inquirer),
        issuer=NETWORK,
        permission_list_version=core.environment.master.permissions.version,
        master_version=core.environment.master.version,
        answers_digest=request_digest,
        issue_time_ms=milliseconds(now),
        expire_time_ms=milliseconds(now + core.settings.statement_lifetime),
        nonce=core.keys.random(NONCE_SIZE),
    )
    payload = core.codec.encode(Statement(header, root(leaf_hashes(leaves)), len(leaves)))
    return core.keys.sign(NETWORK, PayloadType.PERMIT_BATCH, payload)


def open_permits(core: Core, connection: Connection, exchanges: Sequence[NetworkExchange]) -> dict[int, bytes]:
    """Return the permit leaves of exchanges that have one."""
    sealed = core.exchanges.permit_leaves(connection, [exchange.id for exchange in exchanges])
    ours = [exchange for exchange in exchanges if exchange.id in sealed]
    opened = core.environment.vault.open_many(
        NETWORK, TABLE, "leaf", [exchange.digest for exchange in ours], [sealed[exchange.id] for exchange in ours]
    )
    return {exchange.id: leaf for exchange, leaf in zip(ours, opened, strict=True)}


def _verify(core: Core, caller: str, request: PermitRequest) -> None:
    master = core.environment.master
    # 1. The caller has shown keys that lead up to the members' authority.
    core.directory.keys_of(caller)
    # 2. One of them signed this as a request.
    kind = PayloadType(request.statement.payload_type) if request.statement.payload_type in _REQUEST_KINDS else None
    if kind is None:
        raise ChukanError("SIGNATURE_INVALID", params={"rule": "payload_type"})
    statement = core.codec.decode(Statement, core.keys.verify(caller, kind, request.statement))
    # 3. It says so itself, to us, in this world and mode, here and now.
    check_header(
        statement.header,
        kind=kind,
        issuer=caller,
        recipients=(NETWORK,),
        world_generation=master.world_generation,
        mode=master.mode(caller),
        now_ms=core.now_ms,
    )
    # 4. Exactly these leaves were signed.
    if len(request.leaves) > BATCH_LIMIT:
        raise ChukanError("TOO_MANY_RECORDS", params={"most": str(BATCH_LIMIT)})
    check_all_leaves(statement, request.leaves)


def _decided_before(
    core: Core, caller: str, digests: Sequence[bytes]
) -> tuple[dict[bytes, NetworkExchange], dict[bytes, bytes]]:
    """Return (5.) the caller's exchanges among these and the permits they were given."""
    with core.environment.database.read() as connection:
        known = core.exchanges.by_digests(connection, digests)
        known = {name: exchange for name, exchange in known.items() if exchange.inquirer == caller}
        leaves = open_permits(core, connection, list(known.values())) if known else {}
    return known, {name: leaves[exchange.id] for name, exchange in known.items() if exchange.id in leaves}


def _record(
    core: Core, caller: str, request: PermitRequest, request_digest: bytes, items: Sequence[JudgedItem]
) -> None:
    """Commit (8.) permits and refusals with their records, and promise the deliveries."""
    permitted = [item for item in items if item.permit]
    sealed = core.environment.vault.seal_many(
        NETWORK, TABLE, "leaf", [item.digest for item in permitted], [item.permit for item in permitted]
    )
    sealed_by_digest = {item.digest: leaf for item, leaf in zip(permitted, sealed, strict=True)}
    rows = [NewExchange(item.digest, _columns(item), sealed_by_digest.get(item.digest, b"")) for item in items]
    statement = core.codec.encode(request.statement)

    def write(connection: Connection) -> None:
        if core.exchanges.known(connection, [item.digest for item in items]):
            raise ChukanError("CONCURRENT_CHANGE")
        ids = core.exchanges.add(
            connection,
            inquirer=caller,
            request_digest=request_digest,
            request_statement=statement,
            exchanges=rows,
        )
        for provider, exchanges in _by_provider(items, ids).items():
            add_delivery(core, connection, provider, request_digest + pack_rows(exchanges), is_new=True)

    core.environment.database.write(NETWORK, write)
    for item in items:
        if item.reason:
            core.environment.metrics.note_refused(item.reason)


def _by_provider(items: Sequence[JudgedItem], ids: Sequence[int]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for item, row in zip(items, ids, strict=True):
        if item.permit:
            found.setdefault(item.inquiry.provider, []).append(row)
    return found


def add_delivery(core: Core, connection: Connection, provider: str, payload: bytes, *, is_new: bool = False) -> None:
    """Have permits delivered inside a write, unless the very same wait for it; is_new: they can't."""
    kind, key, outbox = DELIVER_INQUIRIES, digest(payload).hex(), core.outbox
    if is_new or not outbox.waits(connection, kind=kind, organization=provider, key=key):
        outbox.add(connection, kind=kind, organization=provider, payload=payload, key=key)


def _columns(item: JudgedItem) -> RecordColumns:
    inquiry = item.inquiry
    return RecordColumns(
        inquirer=inquiry.inquirer,
        provider=inquiry.provider,
        affair=inquiry.affair,
        procedure=inquiry.procedure,
        information=inquiry.information,
        inquiry_time=inquiry.inquiry_time_ms,
        expire_time=inquiry.expire_time_ms,
        provision_time=0,
        outcome=Outcome.PENDING if item.permit else Outcome.REFUSED,
        reason=item.reason,
        undisclosable=inquiry.undisclosable,
        permission_row=item.decision.row_id if item.decision else "",
        legal_basis=item.decision.legal_basis if item.decision else "",
        permit_digest=digest(item.permit) if item.permit else b"",
    )
