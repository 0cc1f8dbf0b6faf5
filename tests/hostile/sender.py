# SPDX-License-Identifier: Apache-2.0
"""An independent client that keeps a ledger of what it was told is durable: `python -m tests.hostile.sender`.

It registers addressees and replicas and asks inquiries, batch after batch, and sends each batch again until it is
answered. What was answered is appended to the ledger and synced before anything else is sent, so the ledger never says
more than the server did. It ends when the file `<ledger>.stop` is there.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc

from chukan.v1.inquiry_service_pb2 import CreateInquiriesRequest
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from tests.builders import SETAGAYA, SHINJUKU, Body

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS: Final = 5
PATIENCE: Final = 60.0
_AGAIN: Final = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}


def main(target: str, ledger: Path, asked: list[str]) -> None:
    """Send until told to stop."""
    stop = ledger.with_name(f"{ledger.name}.stop")
    with ledger.open("a", encoding="utf-8") as file, grpc.insecure_channel(target) as channel:
        shinjuku, setagaya = Body(SHINJUKU, channel), Body(SETAGAYA, channel)
        turn = 0
        while not stop.exists():
            turn += 1
            numbers = [f"7{turn:010d}{row:04d}" for row in range(ROWS)]
            _until_answered(lambda numbers=numbers, turn=turn: shinjuku.register(numbers, batch_id=f"a-{turn}"))
            _note(file, "addressees", numbers)
            records = [f"c-{turn}-{row}" for row in range(ROWS)]
            _until_answered(
                lambda numbers=numbers, turn=turn, records=records: shinjuku.replicas(
                    numbers, batch_id=f"p-{turn}", record_ids=records
                )
            )
            _note(file, "replicas", list(zip(records, numbers, strict=True)))
            specs = [setagaya.spec(number, record_id=f"q-{turn}-{row}") for row, number in enumerate(asked[:ROWS])]
            request = CreateInquiriesRequest(batch_id=f"i-{turn}", inquiries=specs)
            stub = InquiryServiceStub(channel)
            answer = _until_answered(
                lambda request=request, stub=stub: next(
                    stub.CreateInquiries(iter([request]), metadata=setagaya.metadata, timeout=10)
                )
            )
            _note(
                file,
                "inquiries",
                [[spec.record_id, each] for spec, each in zip(specs, answer.receipt_numbers, strict=True)],
            )


def _until_answered(send: Callable[[], Any]) -> Any:
    """Send the same batch until it is answered; a refusal of a row or of the call ends the process."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            answer = send()
        except grpc.RpcError as error:
            if error.code() not in _AGAIN or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            assert not answer.failures, answer.failures
            return answer


def _note(file: Any, kind: str, what: list[Any]) -> None:
    file.write(json.dumps([kind, what]) + "\n")
    file.flush()
    os.fsync(file.fileno())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
