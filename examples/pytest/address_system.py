# SPDX-License-Identifier: Apache-2.0
"""A very small address system (統合宛名システム): as much of one as a middle server sees. Put yours in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.standard.reasons import ChukanError
from chukan.v1.inquiry_service_pb2 import CreateInquiryRequest, GetInquiryResultsRequest, InquirySpec
from chukan.v1.replica_service_pb2 import ItemColumn, RegisterReplicasRequest, ResumeLaneRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from chukan.client import Client

CARE_INSURANCE, DATA_SET, EDITION = "TM00000000000015", "0101", "0801"  # 介護保険関係情報
AFFAIR, PROCEDURE = "JM99000000009400", "JT99000000009401"
INSURED, INSURER, KIND, SINCE = (f"TK9001501010000{item}" for item in range(1, 5))


class AddressSystem:
    """Sends replicas, asks other bodies, and doesn't lose or double anything on the way."""

    def __init__(self, client: Client, today: Callable[[], date]) -> None:
        self._client = client
        self._today = today

    def publish(self, insured: Sequence[tuple[str, str]]) -> None:
        """Send integrated address numbers with their insured-person numbers; fewer at once where that is too many."""
        size = len(insured)
        while insured:
            request = self._batch(insured[:size])
            (answer,) = self._client.replicas.RegisterReplicas(iter([request]))
            refused = {failure.reason for failure in answer.failures}
            if refused == {"SEND_CAP_EXCEEDED"} and size > 1:
                self._client.replicas.ResumeLane(ResumeLaneRequest(information_code=CARE_INSURANCE))
                size = (size + 1) // 2
                continue
            if refused:
                raise ValueError(f"refused: {', '.join(sorted(refused))}")
            insured = insured[size:]

    def ask(self, record_id: str, number: str, provider: str) -> str:
        """Ask about somebody and return the receipt number; the same request again while its answer does not come."""
        spec = InquirySpec(record_id=record_id, integrated_address_number=number, provider_code=provider)
        spec.affair_code, spec.procedure_code, spec.information_code = AFFAIR, PROCEDURE, CARE_INSURANCE
        for tries_left in (2, 1, 0):
            try:
                request = CreateInquiryRequest(inquiry=spec)
                named = (("chukan-request-id", f"ask-{record_id}"),)
                return self._client.inquiries.CreateInquiry(request, metadata=named).inquiry.receipt_number
            except ChukanError as error:
                if error.code != "PEER_UNREACHABLE" or not tries_left:
                    raise
        raise AssertionError  # the last try returns or raises

    def answer(self, receipt: str) -> str | None:
        """Return the insured-person number that was answered; "" if there is none, None while no answer is there."""
        request = GetInquiryResultsRequest(receipt_numbers=[receipt])
        for result in self._client.inquiries.GetInquiryResults(request).results:
            found = [item.value for record in result.records for item in record.items if item.item_code == INSURED]
            return found[0] if found else ""
        return None

    def _batch(self, rows: Sequence[tuple[str, str]]) -> RegisterReplicasRequest:
        keys, since = [insured for _, insured in rows], f"{self._today():%Y%m%d}"
        columns = {INSURED: keys, INSURER: ["999999"] * len(rows), KIND: ["1"] * len(rows), SINCE: [since] * len(rows)}
        return RegisterReplicasRequest(
            batch_id=f"care-{keys[0]}-{len(keys)}",
            information_code=CARE_INSURANCE,
            data_set=DATA_SET,
            edition=EDITION,
            record_ids=[f"care-{key}" for key in keys],
            integrated_address_numbers=[number for number, _ in rows],
            record_keys=keys,
            start_dates=[since] * len(rows),
            items=[ItemColumn(item_code=code, values=values) for code, values in columns.items()],
        )
