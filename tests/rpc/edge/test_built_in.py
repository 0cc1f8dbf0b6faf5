# SPDX-License-Identifier: Apache-2.0
"""Every server says whether it is ready, describes itself, drains, and can be asked about its connections."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from chukan.edge import EdgeConfig, unimplemented_service
from chukan.edge.errors import error_of_call
from chukan.standard.reasons import ChukanError
from tests.rpc.edge.servers import FULL_NAME, METADATA, Edge, Start

if TYPE_CHECKING:
    from types import SimpleNamespace

SERVING, NOT_SERVING = 1, 2


def reflect(edge: Edge, version: str, **question: str) -> Any:
    method = edge.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    return next(method(iter([reflection_pb2.ServerReflectionRequest(**question)]), timeout=5))


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_answers_in_both_versions_without_a_caller(edge: Edge, version: str) -> None:
    listed = [service.name for service in reflect(edge, version, list_services="").list_services_response.service]

    assert listed == sorted(
        [
            FULL_NAME,
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
        ]
    )
    for name in listed:
        answer = reflect(edge, version, file_containing_symbol=name).file_descriptor_response
        files = [FileDescriptorProto.FromString(data) for data in answer.file_descriptor_proto]
        assert name in {f"{file.package}.{service.name}" for file in files for service in file.service}


def test_health_says_serving_once_the_services_are_ready(start: Start) -> None:
    ready = threading.Event()
    edge = start(ready=ready.is_set)
    health = health_pb2_grpc.HealthStub(edge.channel)
    watch = health.Watch(health_pb2.HealthCheckRequest())

    for name in ("", FULL_NAME):
        assert health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5).status == NOT_SERVING
    assert next(watch).status == NOT_SERVING
    ready.set()
    for name in ("", FULL_NAME):
        assert health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5).status == SERVING
    assert next(watch).status == SERVING
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=5)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_who_watches_health_is_told_without_anybody_asking(start: Start) -> None:
    ready = threading.Event()
    edge = start(ready=ready.is_set)
    watch = health_pb2_grpc.HealthStub(edge.channel).Watch(health_pb2.HealthCheckRequest(), timeout=5)
    assert next(watch).status == NOT_SERVING

    ready.set()

    assert next(watch).status == SERVING


def test_a_server_that_cannot_say_whether_it_is_ready_is_not(start: Start) -> None:
    def unreachable() -> bool:
        raise OSError

    health = health_pb2_grpc.HealthStub(start(ready=unreachable).channel)

    assert health.Check(health_pb2.HealthCheckRequest(), timeout=5).status == NOT_SERVING


def test_a_stopping_server_says_so_and_lets_running_calls_end(start: Start, echo: SimpleNamespace) -> None:
    edge = start()
    health = health_pb2_grpc.HealthStub(edge.channel)
    watch = health.Watch(health_pb2.HealthCheckRequest())
    assert next(watch).status in {SERVING, NOT_SERVING}
    running = edge.stub.Say.future(echo.SayRequest(text="last", what="block"), metadata=METADATA)
    assert edge.behaviour.entered.acquire(timeout=5)

    stopping = threading.Thread(target=edge.server.stop, args=(5,))
    stopping.start()
    assert [answer.status for answer in _until_not_serving(watch)][-1] == NOT_SERVING
    edge.behaviour.gate.set()

    assert running.result(5).text == "last"
    watch.cancel()
    stopping.join(5)
    assert not stopping.is_alive()
    assert not edge.server.wait(0.1)
    with pytest.raises(grpc.RpcError) as caught:
        edge.stub.Say(echo.SayRequest(), metadata=METADATA, timeout=5)
    assert error_of_call(caught.value).code == "PEER_UNREACHABLE"


def _until_not_serving(watch: Any) -> list[Any]:
    seen = []
    for answer in watch:
        seen.append(answer)
        if answer.status == NOT_SERVING:
            break
    return seen


def test_stopping_with_open_watches_does_not_hang(start: Start, echo: SimpleNamespace) -> None:
    edge = start()
    watches = [edge.stub.Watch(echo.SayRequest(), metadata=METADATA) for _ in range(10)]
    for watch in watches:
        next(watch)

    begun = time.monotonic()
    edge.server.stop(0.2)

    assert time.monotonic() - begun < 3


def test_channelz_answers_on_the_control_port_only(start: Start, edge: Edge) -> None:
    control = start(EdgeConfig("127.0.0.1:0", channelz=True))

    servers = channelz_pb2_grpc.ChannelzStub(control.channel).GetServers(channelz_pb2.GetServersRequest(), timeout=5)
    assert servers.server

    with pytest.raises(grpc.RpcError) as caught:
        channelz_pb2_grpc.ChannelzStub(edge.channel).GetServers(channelz_pb2.GetServersRequest(), timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_service_of_a_later_version_refuses_each_rpc_with_its_feature(echo: SimpleNamespace) -> None:
    servicer = unimplemented_service(echo.Servicer, "echoes", {"Say": "saying"})

    for method, feature in {"Say": "saying", "Pour": "echoes", "Watch": "echoes"}.items():
        with pytest.raises(ChukanError) as caught:
            getattr(servicer, method)(None, None)
        assert (caught.value.code, caught.value.feature) == ("FEATURE_NOT_AVAILABLE", feature)
