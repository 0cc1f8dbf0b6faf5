# SPDX-License-Identifier: Apache-2.0
"""Whether the server is still the one the ledger knows; if not, what the ledger says of it is forgotten.

The server is another one if its world is, or if it does not know the inquiry asked last (its database was lost, or
restored to before). Then everything is asked anew under the same record identification numbers, so that a server which
knows some of it after all takes nothing twice. Result files stay: they are written over only with `replace`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chukan.adapter.exchange.report import RunWarning
from chukan.standard.reasons import ChukanError
from chukan.v1.inquiry_service_pb2 import GetInquiryRequest

if TYPE_CHECKING:
    from chukan.adapter.exchange.ledger import Ledger
    from chukan.client import Client

__all__ = ["ANOTHER_SERVER", "is_another"]

ANOTHER_SERVER: Final = RunWarning(
    "SERVER_IS_ANOTHER",
    "the server has nothing of what was asked before: every row is asked anew",
    "接続先には以前の照会がありません。全ての行を改めて照会しました。",
)


def is_another(ledger: Ledger, client: Client, world: str) -> bool:
    """Whether what the ledger knows was asked of another server than this one, whose world generation is given."""
    known, last = ledger.world(), ledger.last_record()
    if not last:
        return False
    if world and known and world != known:
        return True
    try:
        client.inquiries.GetInquiry(GetInquiryRequest(record_id=last))
    except ChukanError as error:
        if error.code != "INQUIRY_UNKNOWN":
            raise
        return True
    return False
