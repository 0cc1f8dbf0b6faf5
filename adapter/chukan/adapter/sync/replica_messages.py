# SPDX-License-Identifier: Apache-2.0
"""Batches of replicas as messages: whole columns, nothing per row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.v1 import replica_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.adapter.mapping import DataSetMapping
    from chukan.adapter.sync.preparation import Ready
    from chukan.adapter.sync.vanished import Deletion
    from chukan.standard.layouts import Layout

__all__ = ["delete_request", "register_request"]


def register_request(layout: Layout, ready: Ready, record_ids: Sequence[str]) -> pb.RegisterReplicasRequest:
    """Return a batch without header and id."""
    mapped = ready.mapped
    return pb.RegisterReplicasRequest(
        information_code=layout.information_code,
        data_set=ready.mapping.data_set.code,
        edition=layout.edition,
        record_ids=record_ids,
        integrated_address_numbers=ready.numbers,
        record_keys=ready.named.record_keys,
        parent_record_keys=mapped.parent_keys,
        start_dates=mapped.start_dates,
        end_dates=mapped.end_dates,
        items=[
            pb.ItemColumn(
                item_code=item.item_code, values=item.values, nil_rows=item.nil_rows, nil_reasons=item.nil_reasons
            )
            for item in mapped.items
        ],
    )


def delete_request(
    layout: Layout, mapping: DataSetMapping, records: Sequence[Deletion], *, record_ids: Sequence[str], reason: str
) -> pb.RegisterReplicasRequest:
    """Return a batch that deletes, without header and id."""
    return pb.RegisterReplicasRequest(
        information_code=layout.information_code,
        data_set=mapping.data_set.code,
        edition=layout.edition,
        record_ids=record_ids,
        integrated_address_numbers=[each.number for each in records],
        record_keys=[each.record_key for each in records],
        start_dates=[each.start_date for each in records],
        operations=[pb.REPLICA_OPERATION_DELETE] * len(records),
        delete_reasons=[reason] * len(records),
    )
