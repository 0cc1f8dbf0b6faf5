# SPDX-License-Identifier: Apache-2.0
"""The only builder of gRPC servers.

Every server gets: bounded pools per class of RPC, the guard around every handler, health, reflection (v1 and v1alpha),
mutual TLS or loopback, message and keep-alive limits. What is wrong with a set-up is said in sentences before anything
listens.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc

from chukan.standard.loopback import is_loopback

from .builtin import Health, UnknownMethods, built_in_services
from .channel import MAX_MESSAGE_BYTES
from .guard import Guard
from .identity import Identity
from .pools import Pools, PoolSizes
from .service import service_faults
from .tls import TlsFiles, server_credentials, tls_faults
from .validation import Validation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chukan.monitoring import Metrics
    from chukan.standard.clock import Clock

    from .interposition import Interposer
    from .service import Handler, Registers, Service

__all__ = ["EdgeConfig", "EdgeConfigError", "EdgeServer", "build_server"]

#: How often readiness is looked at for those who watch health; who asks gets the present answer.
_READINESS_SECONDS = 1.0

_OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A dead peer is found within 80 s, so its streams give their threads back; clients may ping every 10 s.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)


class EdgeConfigError(ValueError):
    """The server can't be built; the text is one sentence per fault."""


@dataclass(frozen=True, slots=True)
class EdgeConfig:
    """How one server listens and whom it believes.

    worlds: the services serve more than the default world. control_token: asked of every call (control port).
    channelz: tell about connections (control port). unvalidated: message types whose handlers check them themselves.
    """

    listen: str
    tls: TlsFiles | None = None
    profile: str = "emulator"
    pools: PoolSizes = field(default_factory=PoolSizes)
    worlds: bool = False
    control_token: str = field(default="", repr=False)
    channelz: bool = False
    unvalidated: frozenset[str] = frozenset()

    def faults(self, clock: Clock) -> list[str]:
        """Say what is wrong, in one sentence each."""
        faults = []
        production = self.profile == "production"
        host, _, port = self.listen.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004  # the highest port
            faults.append(f"got listen address {self.listen}, expected host:port (port 0 takes a free one)")
        elif self.tls is None and not is_loopback(host):
            faults.append(
                f"{self.listen} can be reached from other machines, and without TLS every caller would be believed: "
                "give TLS files or listen on 127.0.0.1"
            )
        if self.profile not in {"emulator", "production"}:
            faults.append(f"got profile {self.profile}, expected emulator or production")
        if production and self.tls is None:
            faults.append("the production profile refuses plaintext: give TLS files")
        if production and self.worlds:
            faults.append("the production profile has no worlds")
        if self.tls is not None:
            faults += tls_faults(self.tls, now=clock.now(), production=production)
        return faults


class EdgeServer:
    """A server that is bound to its port and starts answering with `start`."""

    def __init__(self, server: grpc.Server, *, port: int, pools: Pools, health: Health, validation: Validation) -> None:
        self._server = server
        self._pools = pools
        self._health = health
        self._validation = validation
        self._stopping = threading.Event()
        self.port = port

    def start(self) -> None:
        """Answer calls; health says SERVING once the services are ready."""
        self._server.start()
        threading.Thread(target=self._look_after_health, name="chukan-health", daemon=True).start()

    def prepare(self) -> None:
        """Load now what the first call would wait for; it answers without this, too."""
        self._validation.prepare()

    def stop(self, grace: float | None = None) -> None:
        """Say NOT_SERVING, take no new calls, let running ones end within `grace` seconds, and wait for that."""
        self._stopping.set()
        self._health.enter_graceful_shutdown()
        self._server.stop(grace).wait()
        self._pools.close()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the server has stopped; True if the time was over before."""
        return self._server.wait_for_termination(timeout)

    def _look_after_health(self) -> None:
        self._health.refresh()
        while not self._stopping.wait(_READINESS_SECONDS):
            self._health.refresh()


def build_server(
    config: EdgeConfig,
    services: Sequence[Service],
    *,
    metrics: Metrics,
    clock: Clock,
    ready: Callable[[], bool],
    interposer: Interposer | None = None,
) -> EdgeServer:
    """Build a server and bind its port; EdgeConfigError says what is wrong, all of it.

    interposer: looks at every call of the services given, never at health and reflection.
    """
    faults = config.faults(clock) + [fault for service in services for fault in service_faults(service)]
    if faults:
        raise EdgeConfigError("; ".join(faults))
    pools = Pools(config.pools)
    health = Health(ready, [service.full_name for service in services])
    server = grpc.server(pools.main, handlers=[UnknownMethods(metrics)], options=_OPTIONS)
    validation = Validation(skip=config.unvalidated)
    identity = Identity(tls=config.tls is not None, worlds=config.worlds, token=config.control_token)
    guard = Guard(metrics=metrics, identity=identity, validation=validation, interposer=interposer)
    open_guard = Guard(metrics=metrics, identity=None, validation=validation)
    names = [service.full_name for service in services]
    registers: Any = server  # its stubs lack add_registered_method_handlers
    for service in services:
        _serve(registers, service, guard.handlers(service, pools))
    for service in built_in_services(health, names, channelz=config.channelz):
        _serve(registers, service, open_guard.handlers(service, pools))
    try:
        port = _bind(server, config)
    except RuntimeError:
        pools.close()
        message = f"cannot listen on {config.listen}: the address is in use or not one of this machine"
        raise EdgeConfigError(message) from None
    return EdgeServer(server, port=port, pools=pools, health=health, validation=validation)


def _serve(server: Registers, service: Service, handlers: dict[str, Handler]) -> None:
    by_name = {method.rpartition("/")[2]: handler for method, handler in handlers.items()}
    server.add_registered_method_handlers(service.full_name, by_name)


def _bind(server: grpc.Server, config: EdgeConfig) -> int:
    if config.tls is None:
        return server.add_insecure_port(config.listen)
    return server.add_secure_port(config.listen, server_credentials(config.tls))
