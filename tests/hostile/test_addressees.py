# SPDX-License-Identifier: Apache-2.0
"""Addressees and linkage codes (符号) asked for wrongly or too early, merged in circles, split into nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from chukan.network.v1 import resident_network_service_pb2 as residents
from chukan.network.v1.resident_network_service_pb2_grpc import ResidentNetworkServiceStub
from chukan.standard.numbers import dummy_individual_number
from chukan.v1 import common_pb2
from chukan.v1 import linkage_code_service_pb2 as pb
from chukan.v1.linkage_code_service_pb2_grpc import LinkageCodeServiceStub
from tests.builders import TAX, address_number, fresh_serial
from tests.hostile.world import CANARY, SECONDS, outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.conftest import Stage

FULL_WIDTH: Final = CANARY.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
NUMBERS: Final = {
    "nothing": ("", "NUMBER_MALFORMED"),
    "14 digits": ("9" * 14, "NUMBER_MALFORMED"),
    "16 digits": ("9" * 16, "NUMBER_MALFORMED"),
    "letters": ("9" * 14 + "x", "NUMBER_MALFORMED"),
    "a space before": (" " + "9" * 14, "NUMBER_MALFORMED"),
    "a line end behind": ("9" * 14 + "\n", "NUMBER_MALFORMED"),
    "full-width digits": ("９" * 15, "NUMBER_MALFORMED"),
    "superscripts": ("²" * 15, "NUMBER_MALFORMED"),
    "a sign": ("-" + "9" * 14, "NUMBER_MALFORMED"),
    "70,000 digits": ("9" * 70_000, "NUMBER_MALFORMED"),
    "an individual number": (CANARY, "INDIVIDUAL_NUMBER_REFUSED"),
    "one in full-width digits": (FULL_WIDTH, "INDIVIDUAL_NUMBER_REFUSED"),
    "one with spaces around": (f"  {CANARY} ", "INDIVIDUAL_NUMBER_REFUSED"),
    "one with wide spaces around": (f"　{FULL_WIDTH}　", "INDIVIDUAL_NUMBER_REFUSED"),
    "one as printed": (f"{CANARY[:4]} {CANARY[4:8]} {CANARY[8:]}", "INDIVIDUAL_NUMBER_REFUSED"),
    "one with wide hyphens": (f"{CANARY[:4]}－{CANARY[4:8]}－{CANARY[8:]}", "INDIVIDUAL_NUMBER_REFUSED"),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_integrated_address_number_refuses_its_row_and_no_other(stage: Stage, name: str) -> None:
    number, expected = NUMBERS[name]
    good = address_number(fresh_serial())

    registered = outcome(lambda: stage.shinjuku.register([number, good]))
    stub, metadata = LinkageCodeServiceStub(stage.channel), stage.shinjuku.metadata
    request = pb.BatchRequestCodesRequest(batch_id=stage.shinjuku.batch_id(), integrated_address_numbers=[number, good])
    asked = outcome(lambda: stub.BatchRequestCodes(iter([request]), metadata=metadata, timeout=SECONDS))

    assert registered == asked == f"0 {expected} integrated_address_numbers"


UNARY: Final[dict[str, Callable[[str], Any]]] = {
    "GetAddressee": lambda number: pb.GetAddresseeRequest(integrated_address_number=number),
    "CloseAddressee": lambda number: pb.CloseAddresseeRequest(integrated_address_number=number),
    "RequestCode": lambda number: pb.RequestCodeRequest(integrated_address_number=number),
    "GetLinkageState": lambda number: pb.GetLinkageStateRequest(integrated_address_number=number),
    "MergeAddressees": lambda number: pb.MergeAddresseesRequest(
        merged_integrated_address_number=number, surviving_integrated_address_number="9" * 15
    ),
    "SplitAddressee": lambda number: pb.SplitAddresseeRequest(
        integrated_address_number=number, new_integrated_address_number=address_number(fresh_serial())
    ),
}


def call(stage: Stage, rpc: str, request: Any, *extra: tuple[str, str]) -> str:
    stub = LinkageCodeServiceStub(stage.channel)
    metadata = (*stage.shinjuku.metadata, *extra)
    return outcome(lambda: getattr(stub, rpc)(request, metadata=metadata, timeout=SECONDS))


@pytest.mark.parametrize("rpc", UNARY)
@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "nothing"])
def test_nobody_is_found_by_what_is_no_number(stage: Stage, rpc: str, name: str) -> None:
    number, expected = NUMBERS[name]

    end = call(stage, rpc, UNARY[rpc](number))

    assert end.startswith(f"INVALID_ARGUMENT {expected}")


@pytest.mark.parametrize("rpc", UNARY)
def test_nobody_is_found_who_is_somebody_elses(stage: Stage, rpc: str) -> None:
    """A number of 世田谷区 alone behaves at 新宿区 as one nobody has."""
    number = address_number(fresh_serial())
    stage.setagaya.register([number])

    assert call(stage, rpc, UNARY[rpc](number)).startswith("NOT_FOUND ADDRESSEE_UNKNOWN")


def merge(stage: Stage, merged: str, surviving: str) -> str:
    return call(
        stage,
        "MergeAddressees",
        pb.MergeAddresseesRequest(
            merged_integrated_address_number=merged, surviving_integrated_address_number=surviving
        ),
    )


def split(stage: Stage, number: str, new: str, *keys: common_pb2.ReplicaKey) -> str:
    request = pb.SplitAddresseeRequest(
        integrated_address_number=number, new_integrated_address_number=new, moved_replicas=keys
    )
    return call(stage, "SplitAddressee", request)


def test_nobody_is_merged_into_themselves_in_a_circle_or_twice(stage: Stage) -> None:
    one, two, three = stage.fresh(rows=3)

    assert merge(stage, one, one).startswith("FAILED_PRECONDITION ADDRESSEE_MERGE_REFUSED")
    assert merge(stage, one, two) == "OK"
    assert merge(stage, one, two) == "OK"  # again changes nothing
    assert merge(stage, two, one).startswith("FAILED_PRECONDITION ADDRESSEE_MERGED")
    assert merge(stage, one, three).startswith("FAILED_PRECONDITION ADDRESSEE_MERGED")
    assert merge(stage, three, one).startswith("FAILED_PRECONDITION ADDRESSEE_MERGED")
    assert merge(stage, two, three) == "OK"
    assert merge(stage, three, two).startswith("FAILED_PRECONDITION ADDRESSEE_MERGED")


def test_two_people_with_two_codes_are_not_one(stage: Stage) -> None:
    assert merge(stage, *stage.provided).startswith("FAILED_PRECONDITION CODES_DIFFER")


def test_who_is_merged_is_not_registered_closed_asked_for_or_split(stage: Stage) -> None:
    gone, stays = stage.fresh(rows=2)
    merge(stage, gone, stays)

    ends = {
        "register": outcome(lambda: stage.shinjuku.register([gone])),
        "close": call(stage, "CloseAddressee", UNARY["CloseAddressee"](gone)),
        "code": call(stage, "RequestCode", UNARY["RequestCode"](gone)),
        "split": split(stage, gone, address_number(fresh_serial())),
        "replica": outcome(lambda: stage.shinjuku.replicas([gone])),
        "inquiry": stage.shinjuku.answer(gone, provider=stage.setagaya.organization).reason,
    }

    assert ends["inquiry"] in {"ADDRESSEE_MERGED", "NOT_PERMITTED_PROVIDER"}
    assert all("ADDRESSEE_MERGED" in end for name, end in ends.items() if name != "inquiry"), ends


def test_a_split_into_oneself_into_another_or_of_what_is_not_there_changes_nothing(stage: Stage) -> None:
    number, other = stage.fresh(rows=2)
    new = address_number(fresh_serial())
    nothing = common_pb2.ReplicaKey(information_code=TAX, data_set="0100", record_key="2026")
    stage.shinjuku.replicas([other])

    assert split(stage, number, number).startswith("ALREADY_EXISTS ADDRESSEE_EXISTS")
    assert split(stage, number, other).startswith("ALREADY_EXISTS ADDRESSEE_EXISTS")
    assert split(stage, number, new, nothing).startswith("NOT_FOUND REPLICA_UNKNOWN")
    assert split(stage, other, new, nothing, nothing).startswith("NOT_FOUND REPLICA_UNKNOWN")
    assert split(stage, number, CANARY).startswith("INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED")
    assert call(stage, "GetAddressee", UNARY["GetAddressee"](new)).startswith("NOT_FOUND ADDRESSEE_UNKNOWN")
    assert stage.shinjuku.linkage(other).state == pb.LINKAGE_STATE_NOT_REQUESTED


def test_a_closed_addressee_asks_for_no_code_and_opens_again_when_registered_as_open(stage: Stage) -> None:
    (number,) = stage.fresh()

    assert call(stage, "CloseAddressee", UNARY["CloseAddressee"](number)) == "OK"
    assert call(stage, "CloseAddressee", UNARY["CloseAddressee"](number)) == "OK"
    assert call(stage, "RequestCode", UNARY["RequestCode"](number)).startswith("FAILED_PRECONDITION ADDRESSEE_CLOSED")
    assert outcome(lambda: stage.shinjuku.register([number])) == "OK"
    assert call(stage, "RequestCode", UNARY["RequestCode"](number)).startswith("FAILED_PRECONDITION ADDRESSEE_CLOSED")
    assert outcome(lambda: stage.shinjuku.register([number], closed_rows={})) == "OK"
    assert call(stage, "RequestCode", UNARY["RequestCode"](number)) == "OK"


def test_a_code_is_asked_for_once(stage: Stage) -> None:
    assert call(stage, "RequestCode", UNARY["RequestCode"](stage.provided[0])).startswith(
        "ALREADY_EXISTS CODE_ALREADY_LINKED"
    )
    assert call(stage, "RequestCode", UNARY["RequestCode"](address_number(10**9))).startswith("NOT_FOUND")


FLAGS: Final[dict[str, dict[str, Any]]] = {
    "nondisclosure": {"nondisclosure_rows": {"rows": [1]}},
    "self-information": {"self_information_disabled_rows": {"rows": [2**32 - 1]}},
    "code": {"code_rows": [1]},
    "closed": {"closed_rows": {"rows": [0, 1]}},
    "automatic answers": {"auto_response_disabled": {"entries": [{"information_code": TAX, "rows": [1]}]}},
}


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_for_a_row_there_is_none_of_is_refused_and_nobody_registered(stage: Stage, flag: str) -> None:
    number = address_number(fresh_serial())

    assert outcome(lambda: stage.shinjuku.register([number], **FLAGS[flag])) == "INVALID_ARGUMENT INVALID_FIELD"
    assert call(stage, "GetAddressee", UNARY["GetAddressee"](number)).startswith("NOT_FOUND")


BATCHES: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "nobody": ({"integrated_address_numbers": []}, "INVALID_ARGUMENT INVALID_FIELD"),
    "10,001 people": ({"integrated_address_numbers": ["9" * 15] * 10_001}, "INVALID_ARGUMENT INVALID_FIELD"),
    "no batch id": ({"batch_id": ""}, "INVALID_ARGUMENT INVALID_FIELD"),
    "a batch id too long": ({"batch_id": "x" * 65}, "INVALID_ARGUMENT INVALID_FIELD"),
    "a batch id nobody can read": ({"batch_id": "a\x9bb"}, "INVALID_ARGUMENT INVALID_FIELD"),
    "an individual number as batch id": (
        {"batch_id": FULL_WIDTH},
        "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED batch_id",
    ),
    "a person twice": (
        {"integrated_address_numbers": ["8" * 15] * 2},
        "1 DUPLICATE_IN_BATCH integrated_address_numbers",
    ),
}


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_of_addressees_is_refused_by_its_rule(stage: Stage, name: str) -> None:
    given, expected = BATCHES[name]
    fields = {"batch_id": stage.shinjuku.batch_id(), "integrated_address_numbers": ["8" * 15], **given}
    stub = LinkageCodeServiceStub(stage.channel)

    def send() -> Any:
        requests = iter([pb.RegisterAddresseesRequest(**fields)])
        return stub.RegisterAddressees(requests, metadata=stage.shinjuku.metadata, timeout=SECONDS)

    assert outcome(send) == expected


PROCESSING: Final = {
    "nothing": "",
    "23 digits": "1" * 23,
    "25 digits": "1" * 25,
    "letters": "x" * 24,
    "full-width digits": "１" * 24,
    "one nobody was given": "0" * 24,
    "70,000 digits": "1" * 70_000,
    "an individual number": CANARY,
    "NUL": "1\0",
}


@pytest.mark.parametrize("name", PROCESSING)
def test_a_processing_number_nobody_was_given_links_nobody(stage: Stage, name: str) -> None:
    request = residents.SubmitProcessingNumbersRequest(
        batch_id=stage.shinjuku.batch_id(),
        processing_numbers=[PROCESSING[name]],
        individual_numbers=[dummy_individual_number(4)],
    )
    stub = ResidentNetworkServiceStub(stage.channel)

    end = outcome(lambda: stub.SubmitProcessingNumbers(request, metadata=stage.shinjuku.metadata, timeout=SECONDS))

    assert "PROCESSING_NUMBER" in end or "INDIVIDUAL_NUMBER" in end or "INVALID_FIELD" in end


def test_a_processing_number_is_used_once_and_by_nobody_else(stage: Stage) -> None:
    serials = [fresh_serial(), fresh_serial()]
    numbers = [address_number(serial) for serial in serials]
    stage.shinjuku.register(numbers)
    stage.shinjuku.notify(serials)
    issued = stage.shinjuku.request_codes(numbers)

    stolen = outcome(lambda: stage.setagaya.submit(issued[:1], serials[:1]))
    first = outcome(lambda: stage.shinjuku.submit(issued, serials))
    again = outcome(lambda: stage.shinjuku.submit(issued, serials))

    assert (stolen, first) == ("0 PROCESSING_NUMBER_UNKNOWN processing_numbers", "OK")
    assert "PROCESSING_NUMBER_REUSED" in again or again == "OK"
    assert "OK" in again or again.count("PROCESSING_NUMBER_REUSED") == 2
