# SPDX-License-Identifier: Apache-2.0
"""Callers who say wrongly, twice or not at all who they are, or how long they wait."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from chukan.v1 import inquiry_service_pb2 as pb
from chukan.v1.inquiry_service_pb2_grpc import InquiryServiceStub
from tests.builders import SETAGAYA, SHINJUKU
from tests.hostile.world import CANARY, SECONDS, outcome

if TYPE_CHECKING:
    from tests.hostile.world import World

ORGANIZATION: Final = ("chukan-organization", SHINJUKU)
UNKNOWN: Final = "UNAUTHENTICATED CALLER_UNKNOWN chukan-organization"
INVALID: Final = "INVALID_ARGUMENT CALLER_METADATA_INVALID"
NUMBER: Final = "INVALID_ARGUMENT INDIVIDUAL_NUMBER_REFUSED"

CASES: Final[dict[str, tuple[tuple[tuple[str, Any], ...], str]]] = {
    "nothing": ((), UNKNOWN),
    "empty organization": ((("chukan-organization", ""),), UNKNOWN),
    "two organizations": ((ORGANIZATION, ("chukan-organization", SETAGAYA)), f"{INVALID} chukan-organization"),
    "the same organization twice": ((ORGANIZATION, ORGANIZATION), f"{INVALID} chukan-organization"),
    "15 digits": ((("chukan-organization", SHINJUKU[:-1]),), f"{INVALID} chukan-organization"),
    "17 digits": ((("chukan-organization", SHINJUKU + "0"),), f"{INVALID} chukan-organization"),
    "letters": ((("chukan-organization", "022011310410170A"),), f"{INVALID} chukan-organization"),
    "a municipality code": ((("chukan-organization", "131041"),), f"{INVALID} chukan-organization"),
    "a space inside": ((("chukan-organization", "02201131 4101700"),), f"{INVALID} chukan-organization"),
    "5,000 digits": ((("chukan-organization", "0" * 5_000),), f"{INVALID} chukan-organization"),
    "nobody's code": (
        (("chukan-organization", "9" * 16),),
        "UNAUTHENTICATED CALLER_ORGANIZATION_UNKNOWN chukan-organization",
    ),
    "a binary organization": ((("chukan-organization-bin", SHINJUKU.encode()),), UNKNOWN),
    "an unknown mode": ((ORGANIZATION, ("chukan-mode", "real")), f"{INVALID} chukan-mode"),
    "a mode in capitals": ((ORGANIZATION, ("chukan-mode", "TEST")), f"{INVALID} chukan-mode"),
    "two modes": ((ORGANIZATION, ("chukan-mode", "test"), ("chukan-mode", "production")), f"{INVALID} chukan-mode"),
    "a world nobody made": ((ORGANIZATION, ("chukan-world", "w")), "NOT_FOUND WORLD_UNKNOWN chukan-world"),
    "two users": ((ORGANIZATION, ("chukan-user", "a"), ("chukan-user", "b")), f"{INVALID} chukan-user"),
    "a long user": ((ORGANIZATION, ("chukan-user", "a" * 129)), f"{INVALID} chukan-user"),
    "a long request id": ((ORGANIZATION, ("chukan-request-id", "a" * 129)), f"{INVALID} chukan-request-id"),
    "two request ids": (
        (ORGANIZATION, ("chukan-request-id", "a"), ("chukan-request-id", "a")),
        f"{INVALID} chukan-request-id",
    ),
    "an individual number as request id": (
        (ORGANIZATION, ("chukan-request-id", CANARY)),
        f"{NUMBER} chukan-request-id",
    ),
    "one as user": ((ORGANIZATION, ("chukan-user", f" {CANARY} ")), f"{NUMBER} chukan-user"),
    "one as system": ((ORGANIZATION, ("chukan-system", CANARY)), f"{NUMBER} chukan-system"),
    "one as terminal": ((ORGANIZATION, ("chukan-terminal", CANARY)), f"{NUMBER} chukan-terminal"),
    "one as department, as printed": (
        (ORGANIZATION, ("chukan-department", f"{CANARY[:4]}-{CANARY[4:8]}-{CANARY[8:]}")),
        f"{NUMBER} chukan-department",
    ),
    "one as organization": ((("chukan-organization", CANARY),), f"{NUMBER} chukan-organization"),
    "what is not ours": ((ORGANIZATION, ("x-anything", "1"), ("chukan-later", "1")), "OK"),
    "what is not ours, in bytes": ((ORGANIZATION, ("x-anything-bin", bytes(range(256)))), "OK"),
    "forty keys": ((ORGANIZATION, *((f"x-{at}", "v" * 100) for at in range(40))), "OK"),
    "an empty user": ((ORGANIZATION, ("chukan-user", "")), "OK"),
}


def look(world: World, metadata: tuple[tuple[str, Any], ...], timeout: float = SECONDS) -> str:
    stub = InquiryServiceStub(world.channel)
    return outcome(lambda: stub.ListInquiries(pb.ListInquiriesRequest(), metadata=metadata, timeout=timeout))


@pytest.mark.parametrize("name", CASES)
def test_a_caller_is_taken_for_nobody_they_did_not_clearly_say(world: World, name: str) -> None:
    metadata, expected = CASES[name]

    assert look(world, metadata) == expected


@pytest.mark.parametrize("size", [20_000, 200_000])
def test_metadata_that_are_too_large_end_the_call_and_nothing_else(world: World, size: int) -> None:
    assert look(world, (ORGANIZATION, ("x-large", "v" * size))).startswith("RESOURCE_EXHAUSTED")
    assert look(world, (ORGANIZATION,)) == "OK"


@pytest.mark.parametrize("timeout", [-1.0, 1e-9, 1e-6])
def test_a_deadline_that_is_over_ends_the_call_at_once(world: World, timeout: float) -> None:
    begun = time.monotonic()

    end = look(world, (ORGANIZATION,), timeout)

    assert end.startswith("DEADLINE_EXCEEDED") or (timeout > 0 and end == "OK")  # it may be answered in time
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("timeout", [1e6, 3e9])
def test_a_deadline_in_centuries_is_none(world: World, timeout: float) -> None:
    assert look(world, (ORGANIZATION,), timeout) == "OK"
