# SPDX-License-Identifier: Apache-2.0
"""Replicas whose records vanished: whether to believe it, and which they are.

The adapter remembers digests only, so the server's own export names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.adapter.sync.preparation import record_names
from chukan.adapter.sync.report import Remark
from chukan.v1 import replica_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chukan.adapter.mapping import ExtractMapping
    from chukan.adapter.sync.lane import Desk
    from chukan.adapter.sync.numbers import Numbers
    from chukan.client import Client

__all__ = ["Deletion", "believable", "deletions"]

_MOST_SHARE: Final = 0.2
_FEW: Final = 100
_UNREADABLE: Final = Remark(
    "vanished records were not deleted: some rows could not be read",
    "読み取れない行があるため、消えたレコードの副本は削除していません。",
)
_TOO_MANY: Final = Remark(
    "vanished records were not deleted: too many at once, is the extract complete?",
    "一度に消えたレコードが多すぎるため、副本は削除していません。抽出ファイルが全件か確認してください。",
)


class Deletion(NamedTuple):
    """A replica to delete."""

    number: str
    record_key: str
    start_date: str
    digest: bytes


def believable(desk: Desk, vanished: int) -> bool:
    """Whether so many vanished records are believed; the report says why not."""
    if desk.unreadable:
        desk.report.notes.append(_UNREADABLE)
        return False
    if vanished > max(_FEW, int(desk.report.rows * _MOST_SHARE)):
        desk.report.notes.append(_TOO_MANY)
        return False
    return True


def deletions(
    client: Client,
    numbers: Numbers,
    mapping: ExtractMapping,
    vanished: set[bytes],
    *,
    digests: Callable[[Iterable[str]], list[bytes]],
) -> dict[str, list[Deletion]]:
    """Return the replicas behind the digests of vanished records, by data set."""
    found: dict[str, list[Deletion]] = {}
    mappings = {each.data_set.code: each for each in mapping.data_sets}
    request = pb.ExportReplicasRequest(information_code=mapping.layout.information_code)
    for page in client.replicas.ExportReplicas(request):
        data_set = mappings.get(page.data_set)
        if data_set is None:
            continue
        for row, every in enumerate(numbers.local(list(page.integrated_address_numbers))):
            names = [
                name
                for system, business, local in every
                for name in record_names(data_set, system, business, [local], [page.record_keys[row]])
            ]
            for digest in vanished.intersection(digests(names)):
                found.setdefault(page.data_set, []).append(
                    Deletion(page.integrated_address_numbers[row], page.record_keys[row], page.start_dates[row], digest)
                )
    return found
