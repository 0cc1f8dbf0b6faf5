# SPDX-License-Identifier: Apache-2.0
"""What every server answers beside its services: health, reflection in both versions, and a reason for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, text_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import HealthServicer
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.reflection import ReflectionServicer
from grpc_status.rpc_status import to_status

from chukan.standard.reasons import ChukanError

from .errors import log_unexpected, status_of
from .service import Registers, Service, full_methods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from chukan.monitoring import Metrics

    from .service import Handler

__all__ = ["Health", "UnknownMethods", "built_in_services"]

_HEALTH = "grpc.health.v1.Health"
_REFLECTION_ALPHA = "grpc.reflection.v1alpha.ServerReflection"
_REFLECTION = "grpc.reflection.v1.ServerReflection"
_CHANNELZ = "grpc.channelz.v1.Channelz"


class Health(HealthServicer):
    """Health that asks whether the services are ready instead of being told: never SERVING too early."""

    def __init__(self, ready: Callable[[], bool], names: Sequence[str]) -> None:
        super().__init__()
        self._ready = ready
        self._names = ("", *names)
        self._said: bool | None = None
        self._say(ready=False)

    def Check(self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext) -> object:  # noqa: N802
        """Answer for this moment."""
        self.refresh()
        return super().Check(request, context)

    def refresh(self) -> None:
        """Look again; who watches is told of a change. Who can't say whether it is ready is not."""
        try:
            ready = self._ready()
        except Exception as error:  # noqa: BLE001  # whatever keeps the services from knowing
            log_unexpected(error, method=f"/{_HEALTH}/Check", organization="")
            ready = False
        if ready is not self._said:
            self._say(ready=ready)

    def _say(self, *, ready: bool) -> None:
        status = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for name in self._names:
            self.set(name, status)
        self._said = ready


class UnknownMethods(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # not subscriptable at run time
    """Answers what no service has: a method of a newer contract, or a wrong address."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler:
        """Return a stream, so that it can be answered without waiting for a message."""

        def refuse(_requests: object, context: grpc.ServicerContext) -> NoReturn:
            self._metrics.note_refused("FEATURE_NOT_AVAILABLE")
            error = ChukanError("FEATURE_NOT_AVAILABLE", feature=handler_call_details.method[:128])
            context.abort_with_status(to_status(status_of(error)))

        return grpc.stream_stream_rpc_method_handler(refuse)


def built_in_services(health: Health, names: Sequence[str], *, channelz: bool) -> Iterator[Service]:
    """Yield the services every server has; their RPCs run where nothing of ours can hold them up."""
    _publish_reflection_v1()
    shown = [*names, _HEALTH, _REFLECTION, _REFLECTION_ALPHA, *([_CHANNELZ] if channelz else [])]
    reflection = ReflectionServicer(shown)
    yield Service(health, health_pb2_grpc.add_HealthServicer_to_server, _HEALTH, "main")
    yield Service(
        reflection, reflection_pb2_grpc.add_ServerReflectionServicer_to_server, _REFLECTION_ALPHA, "reflection"
    )
    yield Service(reflection, _add_reflection_v1, _REFLECTION, "reflection")
    if channelz:
        from grpc_channelz.v1 import channelz_pb2_grpc  # noqa: PLC0415  # only the control port has it
        from grpc_channelz.v1._servicer import ChannelzServicer  # noqa: PLC0415  # its public module has no types for it

        yield Service(ChannelzServicer(), channelz_pb2_grpc.add_ChannelzServicer_to_server, _CHANNELZ, "main")


def _add_reflection_v1(servicer: object, server: Registers) -> None:
    """Add v1alpha's handlers as v1: the messages are the same but for the package, and the library ships no v1."""
    alpha = Service(servicer, reflection_pb2_grpc.add_ServerReflectionServicer_to_server, _REFLECTION_ALPHA)
    methods = {method.rpartition("/")[2]: handler for method, handler in full_methods(alpha).items()}
    server.add_registered_method_handlers(_REFLECTION, methods)


def _publish_reflection_v1() -> None:
    """Let reflection describe v1 as well, or tools that describe every service fail on it."""
    pool = descriptor_pool.Default()
    try:
        pool.FindFileByName("grpc/reflection/v1/reflection.proto")
    except KeyError:
        alpha = descriptor_pb2.FileDescriptorProto.FromString(reflection_pb2.DESCRIPTOR.serialized_pb)
        text = text_format.MessageToString(alpha).replace("v1alpha", "v1")
        pool.AddSerializedFile(text_format.Parse(text, descriptor_pb2.FileDescriptorProto()).SerializeToString())
