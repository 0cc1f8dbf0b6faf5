# SPDX-License-Identifier: Apache-2.0
"""Bytes no client of ours would send, to every RPC there is: each call ends with a reason, none with a surprise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor as Field

from tests.builders import SHINJUKU
from tests.hostile.world import CANARY, SECONDS, Rpc, outcome, rpcs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hostile.conftest import Stage
    from tests.hostile.world import World

CALLER: Final = (("chukan-organization", SHINJUKU), ("chukan-system", "hostile"))
ALL: Final = rpcs()
WATCH_SECONDS: Final = 0.15
"""A watch that is let in stays; this is how long it is looked at."""


def nested(depth: int) -> bytes:
    """Return field 1 in field 1 in field 1 …."""
    data = b""
    for _ in range(depth):
        data = b"\x0a" + varint(len(data)) + data
    return data


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


UNREADABLE: Final = {
    "text": "個人番号".encode(),
    "noise": b"\xff\xff\xff\xff\xff",
    "length beyond the end": b"\x0a\x7f12",
    "length of four gigabytes": b"\x0a\xff\xff\xff\xff\x0f",
    "number without end": b"\x08" + b"\xff" * 11,
    "groups without end": b"\x0b\x0b\x0b",
    "end of no group": b"\x0c",
    "wire type 6": b"\x0e\x01",
    "wire type 7": b"\x0f\x01",
    "unknown field cut off": b"\xfa\x7f\x05abc",
    "JSON": b'{"batch_id":"1"}',
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_is_no_message_is_refused_as_unreadable_by_every_rpc(world: World, what: str) -> None:
    ends = {rpc.path: world.call(rpc, UNREADABLE[what], CALLER) for rpc in ALL}

    assert set(ends.values()) == {"INVALID_ARGUMENT REQUEST_UNREADABLE"}, ends


def test_a_field_of_a_later_version_changes_nothing(world: World) -> None:
    later = b"\xfa\x7f\x03abc"

    for rpc in ALL:
        seconds = WATCH_SECONDS if rpc.method.name.startswith("Watch") else SECONDS
        assert world.call(rpc, later, CALLER, seconds) == world.call(rpc, b"", CALLER, seconds), rpc.path


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\x03\xe3\x81\xff",
        b"\x0a\x03\xed\xa0\x80",
        b"\x0a\x02\xc0\x80",
        b"\x0a\x01\x82",
        b"\x0a\x04\xf5\x80\x80\x80",
    ],
    ids=["cut", "lone surrogate", "overlong NUL", "CP932", "beyond Unicode"],
)
def test_a_text_that_is_no_utf_8_is_refused_as_unreadable(world: World, data: bytes) -> None:
    texts = [rpc for rpc in ALL if _first(rpc) is not None and _first(rpc).type == Field.TYPE_STRING]  # type: ignore[union-attr]

    ends = {rpc.path: world.call(rpc, data, CALLER) for rpc in texts}

    assert len(texts) > 40
    assert set(ends.values()) == {"INVALID_ARGUMENT REQUEST_UNREADABLE"}, ends


def _first(rpc: Rpc) -> Field | None:
    return rpc.method.input_type.fields_by_number.get(1)


@pytest.mark.parametrize("depth", [50, 150, 5_000])
def test_no_depth_of_nesting_surprises(world: World, depth: int) -> None:
    for rpc in ALL:
        seconds = WATCH_SECONDS if rpc.method.name.startswith("Watch") else SECONDS
        assert world.call(rpc, nested(depth), CALLER, seconds)


TEXTS: Final = {
    "an individual number": CANARY,
    "one in full-width digits": CANARY.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}),
    "one as it is printed": f"{CANARY[:4]} {CANARY[4:8]} {CANARY[8:]}",
    "70,000 characters": "あ" * 70_000,
    "NUL": "1\0002",
    "controls": "\x1b[2J\x1f\x1e\x1d\r\n",
    "bidi override": "\u202e12345\u202c",
    "private use": "\ue000\U0010fffd",
    "no characters": "\uffff\ufdd0",
    "variation selector": "葛\U000e0100\ufe0f",
    "marks alone": "\u0301\u3099",
    "SQL": "'; DROP TABLE replica; --",
    "formats": "{0}{number}%s%n${jndi:ldap://x}",
    "path": "../../../../etc/passwd",
    "digits of another script": "٠١٢٣٤٥٦٧٨٩²³",
    "a date that is none": "20250230",
}
NUMBERS: Final = (-1, 0, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63), 2**64 - 1)


def _requests(rpc: Rpc, values: tuple[Any, ...], types: frozenset[int]) -> Iterator[bytes]:
    """Yield requests that bear one of the values in one field each, through two levels of messages."""
    message = message_factory.GetMessageClass(rpc.method.input_type)
    for path in _paths(rpc.method.input_type, types, 2):
        for value in values:
            whole = message()
            here = whole
            for field in path[:-1]:
                inner = getattr(here, field.name)
                here = inner.add() if field.is_repeated else inner
            try:
                if path[-1].is_repeated:
                    getattr(here, path[-1].name).append(value)
                else:
                    setattr(here, path[-1].name, value)
            except (ValueError, OverflowError):  # not of this type
                continue
            yield whole.SerializeToString()


def _paths(descriptor: Any, types: frozenset[int], depth: int) -> Iterator[tuple[Any, ...]]:
    for field in descriptor.fields:
        if field.type in types:
            yield (field,)
        elif field.message_type is not None and depth:
            yield from ((field, *rest) for rest in _paths(field.message_type, types, depth - 1))


def _send(world: World, values: tuple[Any, ...], types: frozenset[int]) -> int:
    sent = 0
    for rpc in OFFERED:
        seconds = WATCH_SECONDS if rpc.method.name.startswith("Watch") else SECONDS
        for data in _requests(rpc, values, types):
            sent += 1
            world.call(rpc, data, CALLER, seconds)
    return sent


OFFERED: Final = [rpc for rpc in ALL if not rpc.path.startswith("/chukan.v1.OperationService/")]


@pytest.mark.parametrize("what", TEXTS)
def test_no_text_in_any_field_of_any_rpc_surprises_the_server_or_brings_an_individual_number_back(
    world: World, what: str
) -> None:
    assert _send(world, (TEXTS[what],), frozenset({Field.TYPE_STRING})) > 200


def test_no_number_in_any_field_of_any_rpc_surprises_the_server(world: World) -> None:
    types = {Field.TYPE_INT32, Field.TYPE_INT64, Field.TYPE_UINT32, Field.TYPE_UINT64, Field.TYPE_ENUM}

    assert _send(world, NUMBERS, frozenset(types)) > 150


def test_no_bytes_in_any_field_of_any_rpc_surprise_the_server(world: World) -> None:
    assert _send(world, (b"", b"\0", b"x" * 32, b"x" * 100_000), frozenset({Field.TYPE_BYTES})) > 20


@pytest.mark.parametrize("path", ["/chukan.v1.InquiryService/Nothing", "/nobody.v1.Nothing/Get", "/x", "/"])
def test_a_method_there_is_none_of_is_refused_with_a_reason(world: World, path: str) -> None:
    def call() -> Any:
        return world.channel.unary_unary(path, None, None)(b"", metadata=CALLER, timeout=SECONDS)

    assert outcome(call) == "UNIMPLEMENTED FEATURE_NOT_AVAILABLE"


def test_a_batch_of_five_megabytes_is_judged_row_by_row(stage: Stage) -> None:
    answer = stage.shinjuku.register(["9" * 600] * 8_000 + [stage.provided[0]] * 2_000)

    assert len(answer.failures) == 9_999


def test_a_message_over_the_limit_is_refused_and_the_connection_goes_on(stage: Stage) -> None:
    def send() -> Any:
        return stage.shinjuku.register(["9" * 6_000] * 3_000)

    assert outcome(send).startswith("RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE")
    assert stage.shinjuku.linkage(stage.provided[0]).link_time
