# SPDX-License-Identifier: Apache-2.0
"""A dummy person whose linkage code (符号) is asked for and does not come until the processing number is submitted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from chukan.network.v1 import resident_network_service_pb2 as residents
from chukan.standard.numbers import dummy_individual_number
from chukan.standard.reasons import ChukanError
from chukan.v1 import linkage_code_service_pb2 as linkage

if TYPE_CHECKING:
    from chukan.client import Client

__all__ = ["Newcomer"]

_SERIAL: Final = 90_000_000
"""Far from the numbers of the people who are loaded."""
_ISSUE_SECONDS: Final = 15.0
_POLL_SECONDS: Final = 0.05


class Newcomer:
    """Client: the body's own. serial: another one for each person."""

    def __init__(self, client: Client, serial: int) -> None:
        self._client = client
        self._batch = f"newcomer-{serial}"
        self._integrated = f"9{_SERIAL + serial:014d}"
        self._individual = dummy_individual_number(_SERIAL + serial)
        self._record_code = f"999{_SERIAL + serial:08d}"

    def expect_code(self) -> None:
        """Register the person and ask for the code, as the address system does; submit nothing."""
        notice = residents.NotifyResidentsRequest(
            batch_id=self._batch,
            individual_numbers=[self._individual],
            resident_record_codes=[self._record_code],
            names=["訓練 用"],
            birth_dates=["19800102"],
            sexes=["1"],
            residential_addresses=["東京都新宿区西新宿"],
        )
        next(iter(self._client.resident_network.NotifyResidents(iter([notice]))))
        person = linkage.RegisterAddresseesRequest(batch_id=self._batch, integrated_address_numbers=[self._integrated])
        next(iter(self._client.linkage_codes.RegisterAddressees(iter([person]))))
        self._client.linkage_codes.RequestCode(linkage.RequestCodeRequest(integrated_address_number=self._integrated))

    def submit(self) -> None:
        """Submit the processing number (処理通番), upon which the code comes. Errors: PEER_UNREACHABLE."""
        until = time.monotonic() + _ISSUE_SECONDS
        while not (number := self._processing_number()):
            if time.monotonic() > until:
                raise ChukanError("PEER_UNREACHABLE", params={"peer": "network"})
            time.sleep(_POLL_SECONDS)
        self._client.resident_network.SubmitProcessingNumbers(
            residents.SubmitProcessingNumbersRequest(
                batch_id=self._batch, processing_numbers=[number], individual_numbers=[self._individual]
            )
        )

    def _processing_number(self) -> str:
        request = linkage.GetLinkageStateRequest(integrated_address_number=self._integrated)
        status = self._client.linkage_codes.GetLinkageState(request).linkage_status
        return str(status.processing_number)
