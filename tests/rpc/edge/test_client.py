# SPDX-License-Identifier: Apache-2.0
"""The client says who calls, sets a deadline, repeats what may be repeated, and fails with the server's own error."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status.rpc_status import to_status

from chukan.client import Client
from chukan.edge import EdgeConfig, PoolSize, PoolSizes
from chukan.standard.ids import SeededIds
from chukan.standard.reasons import ChukanError
from chukan.v1.inquiry_service_pb2 import GetInquiryRequest
from tests.rpc.edge import retry_policy
from tests.rpc.edge.servers import METADATA, ORGANIZATION, OTHER_ORGANIZATION, Edge, Start, finished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import SimpleNamespace

SERVICES = {
    "linkage_codes": "chukan.v1.LinkageCodeService",
    "replicas": "chukan.v1.ReplicaService",
    "inquiries": "chukan.v1.InquiryService",
    "provisions": "chukan.v1.ProvisionService",
    "disclosure": "chukan.v1.DisclosureService",
    "exchange_records": "chukan.v1.ExchangeRecordService",
    "in_house": "chukan.v1.InHouseService",
    "security": "chukan.v1.SecurityService",
    "access": "chukan.v1.AccessService",
    "operation": "chukan.v1.OperationService",
    "self_information": "chukan.v1.SelfInformationService",
    "notices": "chukan.v1.NoticeService",
    "staff": "chukan.v1.StaffService",
    "network": "chukan.network.v1.NetworkService",
    "resident_network": "chukan.network.v1.ResidentNetworkService",
    "member": "chukan.network.v1.MemberService",
    "address": "chukan.address.v1.AddressService",
    "emulator": "chukan.emulator.v1.EmulatorService",
    "health": "grpc.health.v1.Health",
}


@pytest.fixture
def client(edge: Edge) -> Iterator[Client]:
    with Client(edge.target, organization=ORGANIZATION, system="s", department="d", user="u") as opened:
        yield opened


def stub_of(client: Client, echo: SimpleNamespace) -> Any:
    return echo.Stub(client.calls())


def test_every_call_says_who_calls_and_has_a_request_id_and_a_deadline(edge: Edge, echo: SimpleNamespace) -> None:
    with Client(
        edge.target, organization=ORGANIZATION, system="s", terminal="t", department="d", user="u", ids=SeededIds(1)
    ) as client:
        text = stub_of(client, echo).Say(echo.SayRequest(what="caller")).text

    expected = SeededIds(1).next("request")
    for part in ("system='s'", "terminal='t'", "department='d'", "user='u'", "mode='test'", f"request_id='{expected}'"):
        assert part in text
    assert "deadline=None" not in text


def test_a_calls_own_metadata_replaces_the_clients(client: Client, echo: SimpleNamespace) -> None:
    metadata = (("chukan-organization", OTHER_ORGANIZATION), ("chukan-request-id", "mine"))

    answer, call = stub_of(client, echo).Say.with_call(echo.SayRequest(what="caller"), metadata=metadata)

    assert f"organization='{OTHER_ORGANIZATION}'" in answer.text
    assert "request_id='mine'" in answer.text
    assert call.code() is grpc.StatusCode.OK


def test_an_error_is_the_servers_own_whatever_the_shape_of_the_rpc(client: Client, echo: SimpleNamespace) -> None:
    stub = stub_of(client, echo)
    request = echo.SayRequest(what="refuse")
    calls = {
        "call": lambda: stub.Say(request),
        "with_call": lambda: stub.Say.with_call(request),
        "future": lambda: stub.Say.future(request).result(),
        "watch": lambda: next(stub.Watch(request)),
        "pour": lambda: next(stub.Pour(iter([request]))),
    }
    for call in calls.values():
        with pytest.raises(ChukanError) as caught:
            call()

        error = caught.value
        assert (error.code, error.field, error.params, error.retry_after) == (
            "ADDRESSEE_UNKNOWN",
            "number",
            {"row": "3"},
            1.5,
        )
        assert isinstance(error.__cause__, grpc.RpcError)


def test_streams_can_be_read_and_left(client: Client, echo: SimpleNamespace) -> None:
    stub = stub_of(client, echo)
    requests = [echo.SayRequest(text=str(n)) for n in range(3)]

    assert [answer.text for answer in stub.Pour(iter(requests))] == ["0", "1", "2"]
    assert stub.Gather(iter(requests)).text == "0,1,2"
    watch = stub.Watch(requests[0])
    next(watch)
    watch.cancel()
    with pytest.raises(ChukanError) as caught:
        next(watch)
    assert caught.value.code == "CALL_CANCELLED"


def test_a_deadline_that_passes_and_a_server_that_is_away_are_said_so(edge: Edge, echo: SimpleNamespace) -> None:
    with Client(edge.target, organization=ORGANIZATION, timeout=0.1) as client, pytest.raises(ChukanError) as caught:
        stub_of(client, echo).Say(echo.SayRequest(what="sleep"))
    assert caught.value.code == "DEADLINE_EXCEEDED"

    with Client("localhost:1", organization=ORGANIZATION) as client:
        with pytest.raises(ChukanError) as caught:
            stub_of(client, echo).Say(echo.SayRequest())
        assert caught.value.code == "PEER_UNREACHABLE"
        with pytest.raises(ChukanError) as caught:
            client.wait_until_reachable(0.1)
        assert caught.value.code == "PEER_UNREACHABLE"


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_of_the_contract_has_a_property(client: Client, name: str) -> None:
    """No server of the test has them, so each call ends with the name of what is not there."""
    stub = getattr(client, name)
    assert getattr(client, name) is stub
    if name == "health":
        return
    descriptor = descriptor_pool.Default().FindServiceByName(SERVICES[name])
    method = next(method for method in descriptor.methods if not method.client_streaming)
    request = method.input_type._concrete_class()

    with pytest.raises(ChukanError) as caught:
        finished(getattr(stub, method.name)(request))

    assert caught.value.feature == f"/{SERVICES[name]}/{method.name}"


def test_no_service_of_the_contract_is_forgotten() -> None:
    declared = set()
    for path in (retry_policy.ROOT / "protos" / "chukan").rglob("*.proto"):
        text = path.read_text("utf-8")
        package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)
        assert package is not None
        declared |= {f"{package[1]}.{name}" for name in re.findall(r"^service (\w+)", text, re.MULTILINE)}

    assert declared == set(SERVICES.values()) - {"grpc.health.v1.Health"}


def test_generated_code_is_imported_only_when_its_service_is_used() -> None:
    program = "import sys, chukan.client; print([name for name in sys.modules if name.endswith('_pb2_grpc')])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_the_published_retry_policy_is_what_the_contract_says() -> None:
    """`python -m tests.rpc.edge.retry_policy` writes both files anew."""
    assert retry_policy.PUBLISHED.read_text("utf-8") == retry_policy.expected()
    assert retry_policy.PACKAGED.read_text("utf-8") == retry_policy.expected()


def test_only_what_reads_or_is_idempotent_is_repeated_and_only_when_unavailable() -> None:
    config = json.loads(retry_policy.PUBLISHED.read_text("utf-8"))
    names = {f"{name['service']}/{name['method']}" for name in config["methodConfig"][0]["name"]}

    assert config["methodConfig"][0]["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert "chukan.v1.InquiryService/GetInquiry" in names
    assert "chukan.v1.InquiryService/CancelInquiry" in names
    for never in ("ReplicaService/RegisterReplicas", "StaffService/SignIn", "SecurityService/RotateKey"):
        assert f"chukan.v1.{never}" not in names


def test_the_retry_policy_is_one_grpc_accepts(edge: Edge, echo: SimpleNamespace) -> None:
    """GRPC refuses a channel's calls when its service config is wrong."""
    with Client(edge.target, organization=ORGANIZATION, retries=True) as client:
        assert stub_of(client, echo).Say(echo.SayRequest(text="t")).text == "t"


def retrying(edge: Edge, echo: SimpleNamespace) -> Any:
    """Return a stub that repeats as the published policy says, whatever language its client were in."""
    policy = json.loads(retry_policy.PUBLISHED.read_text("utf-8"))["methodConfig"][0]["retryPolicy"]
    config = {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
    return echo.Stub(grpc.insecure_channel(edge.target, options=[("grpc.service_config", json.dumps(config))]))


def test_grpcs_own_retries_wait_as_long_as_the_server_says(start: Start, echo: SimpleNamespace) -> None:
    edge = start()
    edge.behaviour.refusals = [ChukanError("SHUTTING_DOWN", retry_after=1.2)]

    answer = retrying(edge, echo).Say(echo.SayRequest(text="t"), metadata=METADATA, timeout=10)

    first, second = edge.behaviour.times
    assert answer.text == "t"
    assert second - first >= 1.2


def test_grpcs_own_retries_do_not_wait_beyond_the_deadline_of_the_call(start: Start, echo: SimpleNamespace) -> None:
    edge = start()
    edge.behaviour.refusals = [ChukanError("SHUTTING_DOWN", retry_after=600)]
    begun = time.monotonic()

    with pytest.raises(grpc.RpcError) as caught:
        retrying(edge, echo).Say(echo.SayRequest(), metadata=METADATA, timeout=5)

    assert time.monotonic() - begun < 2
    assert (caught.value.code(), edge.behaviour.calls) == (grpc.StatusCode.UNAVAILABLE, 1)  # type: ignore[attr-defined]


def test_a_reason_of_a_newer_server_keeps_its_delay_and_its_status() -> None:
    status = Status(code=8, message="later")
    status.details.add().Pack(ErrorInfo(reason="BUSY_OF_ANOTHER_VERSION", domain="chukan.example"))
    status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=3)))

    def refuse(_: object, context: grpc.ServicerContext) -> None:
        context.abort_with_status(to_status(status))

    handler = grpc.unary_unary_rpc_method_handler(refuse)
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_registered_method_handlers("chukan.v1.InquiryService", {"GetInquiry": handler})
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Client(f"127.0.0.1:{port}", organization=ORGANIZATION) as client, pytest.raises(ChukanError) as caught:
            client.inquiries.GetInquiry(GetInquiryRequest(record_id="r"))
    finally:
        server.stop(None)

    error = caught.value
    assert (error.code, error.retry_after) == ("PEER_ANSWER_INVALID", 3.0)
    assert error.params == {"reason": "BUSY_OF_ANOTHER_VERSION", "status": "RESOURCE_EXHAUSTED"}


def test_refusals_of_a_full_server_say_when_to_come_back(start: Start, echo: SimpleNamespace) -> None:
    edge = start(EdgeConfig("127.0.0.1:0", pools=PoolSizes(unary=PoolSize(1, 0))))
    with Client(edge.target, organization=ORGANIZATION) as client:
        held = stub_of(client, echo).Say.future(echo.SayRequest(what="block"))
        assert edge.behaviour.entered.acquire(timeout=5)

        with pytest.raises(ChukanError) as caught:
            stub_of(client, echo).Say(echo.SayRequest())

        assert (caught.value.code, caught.value.retry_after) == ("OVERLOADED", 1.0)
        edge.behaviour.gate.set()
        held.result()
