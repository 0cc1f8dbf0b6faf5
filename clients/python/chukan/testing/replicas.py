# SPDX-License-Identifier: Apache-2.0
"""A replica (副本) as a test wants it: what isn't named is right by the layout in force."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from chukan.standard.layouts import information_codes, layout_in_force
from chukan.standard.reasons import ChukanError
from chukan.testing.stage import StageError, expect_taken, organization_of
from chukan.v1 import replica_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from chukan.standard.items import Item
    from chukan.standard.layouts import DataSet, Layout
    from chukan.testing.bare_world import BareWorld
    from chukan.testing.people import Addressee

__all__ = ["TAX", "number_at", "register"]

__tracebackhide__ = True  # a failure is shown at the line of the test

TAX: Final = "TM00000000000002"
"""地方税関係情報: what examples ask for."""


def number_at(addressee: Addressee | str, organization: str) -> str:
    """Return the integrated address number of somebody, or the one given."""
    return addressee if isinstance(addressee, str) else addressee.number(organization)


def register(
    world: BareWorld,
    addressee: Addressee | str,
    *,
    at: str,
    information: str,
    data_set: str,
    values: Mapping[str, str],
    record_key: str,
    period: tuple[date, date | None],
    parent_record_key: str,
) -> str:
    """Register one; see `World.replica`."""
    organization, today = organization_of(at).code, world.clock.today()
    layout = _layout(information, today)
    found = _data_set(layout, data_set) if data_set else layout.data_sets[0]
    _expect_items(found, values)
    samples = {item.code: _sample(item, today, key=item.code == found.key_item) for item in found.required_items}
    columns = {**samples, **values}
    if found.key_item and record_key:
        columns[found.key_item] = record_key
    key = columns.get(found.key_item or "", record_key) or "1"
    record_id = world.next_id("replica")
    request = pb.RegisterReplicasRequest(
        batch_id=world.next_id("batch"),
        information_code=information,
        data_set=found.code,
        edition=layout.edition,
        record_ids=[record_id],
        integrated_address_numbers=[number_at(addressee, organization)],
        record_keys=[key],
        parent_record_keys=[parent_record_key] if found.parent else [],
        start_dates=[f"{period[0]:%Y%m%d}"],
        end_dates=[f"{period[1]:%Y%m%d}" if period[1] else ""],
        items=[pb.ItemColumn(item_code=code, values=[value]) for code, value in columns.items()],
    )
    (answer,) = world.own_client(organization).replicas.RegisterReplicas(iter([request]))
    expect_taken(f"the replica of {information} at {organization}", answer.failures)
    return record_id


def _layout(information: str, today: date) -> Layout:
    """Return the layout in force. StageError with those that look like it if there is none."""
    try:
        return layout_in_force(information, today)
    except ChukanError as error:
        near = ", ".join(get_close_matches(information, information_codes(), n=3) or [TAX])
        reason = error.reason
    raise StageError(
        f"information: got {information!r} ({reason.code}: {reason.english}); "
        f"expected TM and 14 digits, such as {near}",
        f"特定個人情報名コード {information!r}: {reason.japanese}TM と14桁で指定してください(例: {near})。",
    )


def _data_set(layout: Layout, code: str) -> DataSet:
    codes = [each.code for each in layout.data_sets]
    if code in codes:
        return layout.data_set(code)
    of, there = layout.information_code, ", ".join(codes)
    raise StageError(
        f"data_set: got {code!r}, expected one of {there} ({of}, edition {layout.edition})",
        f"データセット {code!r} は {of} にありません。次のいずれかを指定してください: {there}",
    )


def _expect_items(found: DataSet, values: Mapping[str, str]) -> None:
    codes = [each.code for each in found.items]
    for code in values:
        if code not in codes:
            near = get_close_matches(code, codes, n=3) or codes[:3]
            there = ", ".join(near)
            raise StageError(
                f"values: got item {code!r}, expected items of data set {found.code}, such as {there}",
                f"項目 {code!r} はデータセット {found.code} にありません。その項目を指定してください(例: {there})。",
            )


def _sample(item: Item, today: date, *, key: bool) -> str:
    """Return a value an item takes; a key is printable ASCII."""
    if item.values:
        return item.values[0]
    dates = {"date": f"{today:%Y%m%d}", "year": f"{today:%Y}", "year_month": f"{today:%Y%m}"}
    others = {"number": "0", "flag": "0", "code": "1" * min(item.max_length, 3)}
    return dates.get(item.type) or others.get(item.type) or ("1" if key else "見本"[: item.max_length])
