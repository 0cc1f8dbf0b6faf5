# SPDX-License-Identifier: Apache-2.0
"""Messages about exchange records (情報提供等記録) ↔ values of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from chukan.network.v1 import network_service_pb2 as network
from chukan.server.domain.exchange import NetworkRecord, Outcome
from chukan.server.rpc.inquiry_messages import milliseconds_of, timestamp
from chukan.v1 import exchange_record_service_pb2 as wire

if TYPE_CHECKING:
    from chukan.server.domain.exchange_record import ExchangeRecord, Reconciliation

__all__ = ["network_record_from_message", "network_record_to_message", "reconciliation_to_message", "record_to_message"]


def network_record_to_message(value: NetworkRecord) -> network.NetworkRecord:
    """Convert the network's record of an exchange."""
    record = wire.ExchangeRecord(
        exchange_id=value.exchange_id,
        side=wire.RECORD_SIDE_NETWORK,
        inquirer_code=value.inquirer,
        provider_code=value.provider,
        affair_code=value.affair,
        procedure_code=value.procedure,
        information_code=value.information,
        inquiry_time=timestamp(value.inquiry_time_ms),
        provision_time=timestamp(value.provision_time_ms),
        outcome=cast("Any", int(value.outcome)),
        reason=value.reason,
        undisclosable=value.undisclosable,
        legal_basis=value.legal_basis,
        permission_row_id=value.permission_row_id,
        permit_digest=value.permit_digest,
        change_seq=value.change_seq,
    )
    return network.NetworkRecord(
        record=record,
        provider_committed=value.provider_committed,
        inquirer_acknowledged=value.inquirer_acknowledged,
    )


def network_record_from_message(message: network.NetworkRecord) -> NetworkRecord:
    """Convert the network's record of an exchange."""
    record = message.record
    return NetworkRecord(
        exchange_id=record.exchange_id,
        inquirer=record.inquirer_code,
        provider=record.provider_code,
        affair=record.affair_code,
        procedure=record.procedure_code,
        information=record.information_code,
        inquiry_time_ms=milliseconds_of(record.inquiry_time),
        provision_time_ms=milliseconds_of(record.provision_time),
        outcome=Outcome(record.outcome),
        reason=record.reason,
        undisclosable=record.undisclosable,
        legal_basis=record.legal_basis,
        permission_row_id=record.permission_row_id,
        permit_digest=record.permit_digest,
        provider_committed=message.provider_committed,
        inquirer_acknowledged=message.inquirer_acknowledged,
        change_seq=record.change_seq,
    )


def record_to_message(value: ExchangeRecord) -> wire.ExchangeRecord:
    """Convert one side's record."""
    return wire.ExchangeRecord(
        exchange_id=value.exchange_id,
        side=cast("Any", int(value.side)),
        inquirer_code=value.inquirer,
        provider_code=value.provider,
        affair_code=value.affair,
        procedure_code=value.procedure,
        information_code=value.information,
        integrated_address_number=value.number,
        inquiry_time=timestamp(value.inquiry_time_ms),
        provision_time=timestamp(value.provision_time_ms),
        outcome=cast("Any", int(value.outcome)),
        reason=value.reason,
        undisclosable=value.undisclosable,
        item_codes=value.item_codes,
        legal_basis=value.legal_basis,
        permission_row_id=value.permission_row_id,
        receipt_number=value.receipt_number,
        inquirer_delegator_code=value.inquirer_delegator,
        provider_delegator_code=value.provider_delegator,
        mode=cast("Any", value.mode),
        change_seq=value.change_seq,
        permit_digest=value.permit_digest,
    )


def reconciliation_to_message(value: Reconciliation) -> wire.Reconciliation:
    """Convert the comparison of one exchange."""
    return wire.Reconciliation(
        exchange_id=value.exchange_id,
        state=cast("Any", int(value.state)),
        differing_fields=value.differing_fields,
        side=cast("Any", value.side),
    )
