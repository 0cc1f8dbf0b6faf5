# SPDX-License-Identifier: Apache-2.0
"""The contract's rules are checked before a handler sees a message; a broken one is named, its value is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from chukan.edge import EdgeConfig
from chukan.edge.errors import error_of_call
from chukan.edge.validation import Validation
from chukan.standard.reasons import ChukanError
from chukan.v1.inquiry_service_pb2 import CreateInquiryRequest
from tests.rpc.edge.servers import METADATA, Edge, Start

if TYPE_CHECKING:
    from types import SimpleNamespace

CANARY = "123456789018"


def test_every_broken_rule_is_named_by_path_and_no_value_is_shown(edge: Edge, echo: SimpleNamespace) -> None:
    request = echo.SayRequest(
        text=CANARY * 4, parts=[echo.Part(code="1"), echo.Part(code=f"x{CANARY}")], labels={CANARY: CANARY}
    )
    before = edge.behaviour.calls

    with pytest.raises(grpc.RpcError) as caught:
        edge.stub.Say(request, metadata=METADATA, timeout=5)

    error = error_of_call(caught.value)
    assert (caught.value.code(), error.code) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert [path for path, _ in error.violations] == ["text", "parts[1].code", "labels[*]"]
    assert dict(error.violations)["text"] == "must be at most 40 characters"
    assert CANARY not in str(error) + str(caught.value.trailing_metadata())
    assert edge.behaviour.calls == before


def test_a_bad_message_ends_a_stream_after_the_good_ones(edge: Edge, echo: SimpleNamespace) -> None:
    requests = [echo.SayRequest(text="good"), echo.SayRequest(text="x" * 41), echo.SayRequest(text="never")]
    answers = edge.stub.Pour(iter(requests), metadata=METADATA, timeout=5)

    assert next(answers).text == "good"
    with pytest.raises(grpc.RpcError) as caught:
        next(answers)

    assert error_of_call(caught.value).violations == (("text", "must be at most 40 characters"),)


@pytest.mark.parametrize("value", [CANARY, f" {CANARY}\n", "".join(chr(ord(digit) + 0xFEE0) for digit in CANARY)])
def test_a_text_that_is_an_individual_number_is_refused_and_not_shown(
    edge: Edge, echo: SimpleNamespace, value: str
) -> None:
    before = edge.behaviour.calls

    with pytest.raises(grpc.RpcError) as caught:
        edge.stub.Say(echo.SayRequest(text=value), metadata=METADATA, timeout=5)

    error = error_of_call(caught.value)
    assert (error.code, error.field) == ("INDIVIDUAL_NUMBER_REFUSED", "text")
    assert CANARY not in str(error) + str(caught.value.trailing_metadata())
    assert edge.behaviour.calls == before


def test_a_type_the_server_is_told_to_skip_is_not_checked(start: Start, echo: SimpleNamespace) -> None:
    edge = start(EdgeConfig("127.0.0.1:0", unvalidated=frozenset({"chukan_test.v1.SayRequest"})))

    assert edge.stub.Say(echo.SayRequest(text="x" * 41), metadata=METADATA, timeout=5).text == "x" * 41


def test_a_type_without_rules_never_reaches_the_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    validation = Validation()
    monkeypatch.setattr(validation, "_validator", _never)

    for _ in range(2):
        validation.check(StringValue(value="x"))


def _never() -> Any:
    pytest.fail("the validator was made")


def test_the_contracts_own_rules_are_found() -> None:
    with pytest.raises(ChukanError) as caught:
        Validation().check(CreateInquiryRequest())

    assert caught.value.code == "INVALID_FIELD"
