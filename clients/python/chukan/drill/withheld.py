# SPDX-License-Identifier: Apache-2.0
"""A dummy person about whom staff decide (自動応答不可): what is asked of them waits until two people have decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1 import provision_service_pb2 as provisions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chukan.client import Client

__all__ = ["Withheld"]


class Withheld:
    """Somebody the load keeps asking after. Client: the provider's own. serial: another one for each."""

    def __init__(self, client: Client, serial: int) -> None:
        self._client = client
        self._serial = serial
        answered = provisions.ListProvisionsRequest(states=[provisions.PROVISION_STATE_PROVIDED], page_size=1)
        self._provision = client.provisions.ListProvisions(answered).provisions[0]

    def withhold(self) -> None:
        """Let no answer about the person go by itself any more."""
        information = self._provision.information_code
        self._register("withheld", [linkage.AutoResponseDisabledRows(information_code=information, rows=[0])])

    def release(self) -> None:
        """Let answers go by themselves again."""
        self._register("released", [])

    def decide(self, first: Client, second: Client) -> None:
        """Approve what waits, and confirm it as another person; the clients call in the name of one each."""
        waiting = provisions.ListProvisionsRequest(states=[provisions.PROVISION_STATE_WAITING])
        while found := self._client.provisions.ListProvisions(waiting).provisions:
            for each in found:
                first.provisions.ApproveProvision(provisions.ApproveProvisionRequest(provision_id=each.provision_id))
                second.provisions.ConfirmProvision(provisions.ConfirmProvisionRequest(provision_id=each.provision_id))

    def _register(self, name: str, disabled: Sequence[linkage.AutoResponseDisabledRows]) -> None:
        person = linkage.RegisterAddresseesRequest(
            batch_id=f"{name}-{self._serial}",
            integrated_address_numbers=[self._provision.integrated_address_number],
            auto_response_disabled=linkage.AutoResponseDisabledSet(entries=disabled),
        )
        next(iter(self._client.linkage_codes.RegisterAddressees(iter([person]))))
