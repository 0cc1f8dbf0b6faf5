# SPDX-License-Identifier: Apache-2.0
"""Numbers that ended in a merge at the address system (名寄せ) end at the middle server too, before anything is sent.

The two servers don't call each other, so who feeds both follows [own] (docs/divergences "Adapter"). From the merge on
business numbers convert to the survivor; the code and the replicas must be found there.
"""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from chukan.adapter.sync.report import FAILED
from chukan.adapter.sync.streams import BatchStream, retried
from chukan.address.v1 import address_service_pb2 as address
from chukan.standard.reasons import ChukanError
from chukan.v1 import linkage_code_service_pb2 as linkage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chukan.adapter.sync.report import CodeReport
    from chukan.adapter.sync.streams import Waiting
    from chukan.client import Client

__all__ = ["follow_merges"]

_PAGE: Final = 1_000
_UNKNOWN: Final = "ADDRESSEE_UNKNOWN"


def follow_merges(client: Client, waiting: Waiting, report: CodeReport) -> None:
    """Merge addressees as people were merged. One that is refused makes the load incomplete: a person must act."""
    for merged in _merged(client, waiting):
        gone, stays = merged.merged_integrated_address_number, merged.surviving_integrated_address_number
        if not _stands(client, waiting, gone):
            continue
        try:
            _know(client, waiting, stays)
            request = linkage.MergeAddresseesRequest(
                merged_integrated_address_number=gone, surviving_integrated_address_number=stays
            )
            merge = partial(client.linkage_codes.MergeAddressees, request, metadata=client.new_request())
            retried(merge, waiting)
        except ChukanError as error:
            report.merges_refused[error.code] += 1
            report.state, report.problem = FAILED, error.code
        else:
            report.merged_addressees += 1


def _merged(client: Client, waiting: Waiting) -> Iterator[address.MergedPerson]:
    token = ""
    while True:
        request = address.ListMergedPeopleRequest(page_size=_PAGE, page_token=token)
        answer = retried(partial(client.address.ListMergedPeople, request), waiting)
        yield from answer.merged_people
        token = answer.next_page_token
        if not token:
            return


def _stands(client: Client, waiting: Waiting, number: str) -> bool:
    """Whether the middle server knows the number as one that has not ended."""
    request = linkage.GetAddresseeRequest(integrated_address_number=number)
    try:
        found = retried(partial(client.linkage_codes.GetAddressee, request), waiting)
    except ChukanError as error:
        if error.code == _UNKNOWN:
            return False
        raise
    return found.addressee.state != linkage.ADDRESSEE_STATE_MERGED


def _know(client: Client, waiting: Waiting, number: str) -> None:
    """Tell the middle server of the survivor if it has never heard of it; who is known is left as they are."""
    said = blake2b(number.encode(), digest_size=16).hexdigest()
    request = linkage.RegisterAddresseesRequest(batch_id=f"survivor-{said}", integrated_address_numbers=[number])
    stream: BatchStream[None] = BatchStream(client.linkage_codes.RegisterAddressees, depth=1, waiting=waiting)
    try:
        for _ in (*stream.send(None, request), *stream.drain()):
            pass
    finally:
        stream.close()
