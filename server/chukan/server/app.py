# SPDX-License-Identifier: Apache-2.0
"""Composes the server: the middle servers of many organizations and the network core, in one process or apart.

role all: both in one process and one database; they still talk through the same encoded bytes as over gRPC. role
network: the core alone; it reaches each middle server where that announced itself. role middle: the middle servers
alone; they announce themselves to the network and go on trying until it answers. That the network can't read contents
is true of a separate process only: whoever runs both runs the members' keys too.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

from chukan.durable.dispatcher import RETRY, Backoff, Dispatcher
from chukan.durable.timer import Timer
from chukan.edge.tls import TlsFiles, expiries
from chukan.edge.transport import ChannelTransport, InProcessTransport
from chukan.server.assembly.foundation import lay_foundation
from chukan.server.assembly.later import later_services, unvalidated_messages
from chukan.server.assembly.measuring import measure_middle, measure_network, measure_outbox
from chukan.server.assembly.middle_side import build_middle_side, gave_up_of, handlers_of
from chukan.server.assembly.network_side import EndpointRoutes, LocalRoutes, build_network_side, with_routes
from chukan.server.assembly.rings import core_ring, keys_of_both, member_ring
from chukan.server.crypto.exchange_keys import RingKeys
from chukan.server.domain.exchange import NETWORK
from chukan.server.network.upkeep import run_upkeep
from chukan.server.rpc.network_client import NetworkClient
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from chukan.durable.dispatcher import Handler
    from chukan.durable.image import Image
    from chukan.edge.interposition import Interposer
    from chukan.edge.service import Service
    from chukan.edge.transport import Transport
    from chukan.edge.validation import Validation
    from chukan.monitoring import Metrics
    from chukan.server.assembly.foundation import Foundation
    from chukan.server.assembly.middle_side import MiddleSide
    from chukan.server.config import Config
    from chukan.server.network.core import Core
    from chukan.standard.clock import Clock
    from chukan.standard.ids import Ids

__all__ = ["Given", "ServerApp", "build"]

_ANNOUNCE_EVERY: Final = 2.0
"""Seconds between attempts to announce middle servers to a network that does not answer."""
_ANNOUNCE_AGAIN_EVERY: Final = 30.0
"""Seconds after which all are announced again: a network made anew learns where they are."""
_UPKEEP_EVERY: Final = 60.0
_REPEAT: Final = Backoff(first=0.2, most=60.0, attempts=50_000)
"""A member that is away for days still gets its rows: permits run out by themselves, rows are never given up early."""


class Given(TypedDict, total=False):
    """What is handed to a build instead of being made by it."""

    clock: Clock | None
    ids: Ids | None
    metrics: Metrics | None
    validation: Validation | None
    interposer: Interposer | None
    resting: bool
    send_cap: Callable[[str, str], int]


class _Endpoint:
    """Where this process is reached: known once it listens."""

    def __init__(self) -> None:
        self.address = ""

    def get(self) -> str:
        return self.address


class ServerApp:
    """What `chukan serve` starts: services for one listen port, and what runs behind them.

    network: how others in this process (the integrated address systems) reach the network. announce: tells the network
    about one organization. timers: do what time has made due.
    """

    def __init__(
        self,
        *,
        foundation: Foundation,
        services: list[Service],
        network: Transport,
        dispatcher: Dispatcher,
        timers: Sequence[Timer] = (),
        running: threading.Event | None = None,
        announce: Callable[[str], None] | None = None,
        reached: _Endpoint | None = None,
        closers: Sequence[Callable[[], None]] = (),
    ) -> None:
        self.foundation = foundation
        self.services = services
        self.network = network
        self.dispatcher = dispatcher
        self._timers = timers
        self._announce = announce
        self._reached = reached or _Endpoint()
        self._closers = closers
        self._stopping = threading.Event()
        self._announcing = threading.Thread(target=self._keep_announced, name="chukan-announce", daemon=True)
        self._running = running or threading.Event()

    @property
    def metrics(self) -> Metrics:
        """The registry of everything measured here."""
        return self.foundation.metrics

    @property
    def clock(self) -> Clock:
        """The clock everything here runs by."""
        return self.foundation.clock

    @property
    def unvalidated(self) -> frozenset[str]:
        """Messages the edge need not validate."""
        return unvalidated_messages(self.services)

    def start(self, endpoint: str = "") -> None:
        """Begin to carry on what waits; endpoint: where this process listens, for the network to call back.

        Time is kept by the app itself, unless it is one of many that rest: then by its owner, with `run_due`.
        """
        self._reached.address = self.foundation.config.endpoint or endpoint
        self.dispatcher.start()
        self._running.set()
        if self._announce is not None:
            self._announcing.start()
        if not self.foundation.resting:
            for timer in self._timers:
                timer.start()

    def ready(self) -> bool:
        """Whether inquiries are carried on."""
        return self._running.is_set()

    def run_due(self) -> Counter[str]:
        """Do at once what has become due, after a test moved the clock; return how often, by kind of job."""
        ran = Counter({timer.kind: timer.run_due() for timer in self._timers})
        ran[RETRY] += self.dispatcher.run_due()
        return ran

    def next_due(self) -> datetime | None:
        """Return when the next thing falls due by the clock; None when nothing waits for time."""
        found = [self.dispatcher.next_due(), *(timer.next_due() for timer in self._timers)]
        return min((each for each in found if each is not None), default=None)

    def drain(self, timeout: float | None = None) -> bool:
        """Wait (real seconds) until nothing that is due is left to do; False when the time was over before."""
        return self.dispatcher.drain(timeout)

    def image(self) -> Image:
        """Return everything committed so far, for a world in memory to start from."""
        return self.foundation.image()

    def stop(self, timeout: float = 30.0) -> None:
        """End what runs, commit what waits, close the database. What is left goes on at the next start."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        for timer in self._timers:
            timer.stop()
        if self._running.is_set():
            self._running.clear()
            self.dispatcher.stop(timeout)
        if self._announcing.ident is not None:
            self._announcing.join(timeout)
        for close in self._closers:
            close()
        self.foundation.database.close()

    def _keep_announced(self) -> None:
        everybody = sorted(self.foundation.organizations)
        waiting = everybody
        while not self._stopping.is_set():
            left = [organization for organization in waiting if not self._announced(organization)]
            self._stopping.wait(_ANNOUNCE_EVERY if left else _ANNOUNCE_AGAIN_EVERY)
            waiting = left or everybody

    def _announced(self, organization: str) -> bool:
        if self._stopping.is_set() or self._announce is None:
            return False
        try:
            self._announce(organization)
        except ChukanError as error:
            self.metrics.note_refused(error.code)
            return False
        return True


def build(config: Config, *, image: Image | None = None, **given: Unpack[Given]) -> ServerApp:
    """Build the role the settings name; nothing listens or runs yet. Given: see `lay_foundation`."""
    foundation = lay_foundation(config, image=image, **given)
    try:
        if config.role == "network":
            return _network_alone(foundation)
        return _middle_alone(foundation) if config.role == "middle" else _both(foundation)
    except BaseException:
        foundation.database.close()
        raise


def _both(foundation: Foundation) -> ServerApp:
    hosted = foundation.organizations
    keys, core_keys = keys_of_both(foundation)
    masters = foundation.masters(foundation.world_generation(draw=True))
    core, _ = build_network_side(foundation, masters, core_keys, hosted=hosted)
    inside = InProcessTransport(metrics=foundation.metrics, validation=foundation.validation)
    network = with_routes(core, LocalRoutes(hosted, inside, foundation.way_to))
    to_network = foundation.way_to(NETWORK, inside)
    running = threading.Event()
    middle = build_middle_side(foundation, masters, keys, NetworkClient(to_network, keys), dispatching=running.is_set)
    inside.add([*network.services, middle.member_service])
    handlers = {**network.deliveries.handlers(), **handlers_of(middle)}
    app = ServerApp(
        foundation=foundation,
        services=[
            *_of_one_mode(network.services, foundation),
            middle.member_service,
            *_for_members(foundation, middle),
        ],
        network=to_network,
        dispatcher=_dispatcher(foundation, handlers, gave_up_of(middle)),
        timers=[middle.exchange.timer, middle.upkeep, _upkeep(core)],
        running=running,
    )
    return _measure(app, handlers, middle=middle, core=core)


def _network_alone(foundation: Foundation) -> ServerApp:
    masters = foundation.masters(foundation.world_generation(draw=True))
    core, directory = build_network_side(foundation, masters, RingKeys(core_ring(foundation, None)), hosted=frozenset())
    routes = EndpointRoutes(directory, _tls(foundation.config), foundation.way_to)
    network = with_routes(core, routes)
    app = ServerApp(
        foundation=foundation,
        services=_of_one_mode(network.services, foundation),
        network=InProcessTransport(network.services, metrics=foundation.metrics),
        dispatcher=_dispatcher(foundation, network.deliveries.handlers()),
        timers=[_upkeep(core)],
        closers=[routes.close],
    )
    return _measure(app, network.deliveries.handlers(), core=core)


def _middle_alone(foundation: Foundation) -> ServerApp:
    masters = foundation.masters(foundation.world_generation(draw=False))
    keys = RingKeys(member_ring(foundation))
    channel = ChannelTransport(foundation.config.network, tls=_tls(foundation.config))
    transport = foundation.way_to(NETWORK, channel)
    reached = _Endpoint()

    def learned(generation: str) -> None:
        if generation != foundation.world_generation(draw=False):
            foundation.keep_world_generation(generation)
        masters.learn_world_generation(generation)

    client = NetworkClient(transport, keys, endpoint=reached.get, learned=learned)
    running = threading.Event()
    middle = build_middle_side(foundation, masters, keys, client, dispatching=running.is_set)
    app = ServerApp(
        foundation=foundation,
        services=[middle.member_service, *_for_members(foundation, middle)],
        network=transport,
        dispatcher=_dispatcher(foundation, handlers_of(middle), gave_up_of(middle)),
        timers=[middle.exchange.timer, middle.upkeep],
        running=running,
        announce=client.announce,
        reached=reached,
        closers=[transport.close],
    )
    return _measure(app, handlers_of(middle), middle=middle)


def _for_members(foundation: Foundation, middle: MiddleSide) -> list[Service]:
    """Return the services for the organizations served here, and let nobody else call them."""
    services = [*middle.services, *later_services()]
    return [replace(service, callers=foundation.organizations) for service in _of_one_mode(services, foundation)]


def _of_one_mode(services: Iterable[Service], foundation: Foundation) -> list[Service]:
    """Let an organization call these in the mode it is set to only."""
    return [replace(service, mode_of=foundation.mode_of) for service in services]


def _measure(
    app: ServerApp, kinds: Iterable[str], *, middle: MiddleSide | None = None, core: Core | None = None
) -> ServerApp:
    """Let each scrape ask what waits and how everything stands, of a world somebody scrapes."""
    if app.foundation.resting:
        return app
    files = _tls(app.foundation.config)
    app.metrics.read_certificates(lambda: expiries(files) if files else {})
    measure_outbox(app.metrics, app.dispatcher, kinds)
    if middle is not None:
        measure_middle(app.foundation, middle)
    if core is not None:
        measure_network(app.foundation, core)
    return app


def _dispatcher(
    foundation: Foundation, handlers: Mapping[str, Handler], gave_up: Mapping[str, Handler] | None = None
) -> Dispatcher:
    return Dispatcher(
        foundation.database,
        foundation.outbox,
        handlers,
        foundation.clock,
        workers=foundation.config.workers,
        backoff=_REPEAT,
        gave_up=gave_up,
        on_demand=foundation.resting,
        note_failed=foundation.metrics.note_failed_attempt,
    )


def _upkeep(core: Core) -> Timer:
    return Timer("tidy_network", lambda: run_upkeep(core), seconds=_UPKEEP_EVERY)


def _tls(config: Config) -> TlsFiles | None:
    if config.tls_cert is None or config.tls_key is None or config.tls_ca is None:
        return None
    return TlsFiles(cert=config.tls_cert, key=config.tls_key, ca=config.tls_ca)
