# SPDX-License-Identifier: Apache-2.0
"""A client that registers people and asks again and again how far their codes are, with a pause or without any.

`registering_client.py PEOPLE TARGET ORGANIZATION PAUSE`: a resident extract, and seconds between two questions.
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path
from typing import Final

import grpc

from chukan.address.v1 import address_service_pb2 as address
from chukan.address.v1.address_service_pb2_grpc import AddressServiceStub
from chukan.v1 import linkage_code_service_pb2 as linkage
from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub

__all__ = ["main"]

_PATIENCE: Final = 20.0


def main(people: str, target: str, organization: str, pause: str) -> int:
    """Register everybody, and hand over each processing number as soon as it is there."""
    options = {"metadata": [("chukan-organization", organization)], "timeout": _PATIENCE}
    with Path(people).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with grpc.insecure_channel(target) as channel:
        addresses, codes = AddressServiceStub(channel), LinkageCodeServiceStub(channel)
        batch = address.RegisterPeopleRequest(
            batch_id="people",
            number_system="01",
            local_address_numbers=[row["宛名番号"] for row in rows],
            individual_numbers=[row["個人番号"] for row in rows],
        )
        (answer,) = addresses.RegisterPeople(iter([batch]), **options)
        numbers = list(answer.integrated_address_numbers)
        asked = linkage.RegisterAddresseesRequest(
            batch_id="codes", integrated_address_numbers=numbers, code_rows=range(len(numbers))
        )
        list(codes.RegisterAddressees(iter([asked]), **options))
        for number in numbers:
            until = time.monotonic() + _PATIENCE
            while time.monotonic() < until:
                request = linkage.GetLinkageStateRequest(integrated_address_number=number)
                found = codes.GetLinkageState(request, **options).linkage_status
                if found.processing_number:
                    break
                time.sleep(float(pause))
            addresses.SubmitProcessingNumbers(
                address.SubmitProcessingNumbersRequest(
                    batch_id=f"of-{number}",
                    integrated_address_numbers=[number],
                    processing_numbers=[found.processing_number],
                ),
                **options,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
