# SPDX-License-Identifier: Apache-2.0
"""What `chukan serve` puts into one process.

Middle servers, network and address systems answer on one port, the control port and /metrics stand beside it.
"""

from __future__ import annotations

import gc
import os
import secrets
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from chukan.composition.console import console_of
from chukan.composition.emulation import Emulation
from chukan.composition.world import build_world
from chukan.edge import EdgeConfig, EdgeServer, build_server, make_development_pki
from chukan.edge.tls import TlsFiles
from chukan.monitoring import MetricsServer
from chukan.server.assembly.later import control_services, unvalidated_messages
from chukan.standard.clock import SystemClock
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import NoReturn

    from chukan.composition.world import World
    from chukan.server.app import ServerApp
    from chukan.server.config import Config

__all__ = ["Running", "calm_collector", "start"]

CONTROL_TOKEN_FILE: Final = "control.token"  # noqa: S105  # a file's name
_GRACE: Final = 5.0
_TOKEN_BYTES: Final = 32
_YOUNG_OBJECTS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A process's parts, all answering."""

    config: Config
    listen: str
    control: str
    metrics: str
    console: str
    version: str
    prepare: Callable[[], None]
    """Loads what the first call would wait for, when nobody waits for the start any more."""
    stops: tuple[Callable[[], object], ...]
    control_token: str = field(default="", repr=False)
    """What callers of the control port send; for who started this in its own process, where it is in no file."""

    def document(self) -> dict[str, Any]:
        """Return where it is reached, as the ready file has it."""
        return {
            "listen": self.listen,
            "control": self.control,
            "metrics": self.metrics,
            "console": self.console,
            "pid": os.getpid(),
            "role": self.config.role,
            "profile": self.config.profile,
            "tls": self.config.tls_cert is not None,
            "data": str(self.config.data) if self.config.data else "",
            "version": self.version,
        }

    def stop(self) -> None:
        """Stop taking calls, let running ones end, commit, close."""
        for each in self.stops:
            each()


def start(config: Config, *, tls_folder: Path | None = None, seed_people: int = 0) -> Running:
    """Start everything. Errors: ChukanError, EdgeConfigError, OSError; nothing keeps running after one.

    seed_people: see `Emulation`.
    """
    stops: list[Callable[[], object]] = []
    try:
        return _start(config, tls_folder, stops, seed_people)
    except BaseException:
        for each in reversed(stops):
            each()
        raise


def calm_collector() -> None:
    """Let Python's collector leave alone what lives as long as the process, and look at batches of rows less often.

    For a process that is there for a server alone. A batch of 1,000 rows makes tens of thousands of objects that
    reference counting frees; at the usual threshold the collector goes through all of them dozens of times (10 to 20 %
    of the time of registering). It is not run first: that takes 60 ms of a start and frees a few hundred kilobytes.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
    gc.enable()


def _start(config: Config, tls_folder: Path | None, stops: list[Callable[[], object]], seed_people: int) -> Running:
    if tls_folder is not None and config.profile == "emulator":
        _make_certificates(config, tls_folder)
    console = console_of(config)
    emulated = config.profile == "emulator" and bool(config.control)
    emulation = Emulation(config, seed_people=seed_people) if emulated else None
    world = _world(config, emulation)
    stops.append(world.stop)
    server = world.server
    services = world.services
    if emulation is not None:
        services = emulation.around(world)
        stops.append(emulation.stop)
    edge = build_server(
        EdgeConfig(
            listen=config.listen,
            tls=_tls(config),
            profile=config.profile,
            unvalidated=server.unvalidated,
            worlds=emulation is not None,
        ),
        services,
        metrics=server.metrics,
        clock=server.clock,
        ready=server.ready,
        interposer=emulation.arriving if emulation else None,
    )
    stops.append(lambda: edge.stop(_GRACE))
    token = _control_token(config) if config.control else ""
    control = _control(config, server, emulation, token)
    if control:
        stops.append(lambda: control.stop(0))
    metrics = MetricsServer(config.metrics, server.metrics.registry) if config.metrics else None
    if metrics:
        stops.append(metrics.close)
    listen = _at(config.listen, edge.port)
    installed = version("chukan")
    server.metrics.note_build(version=installed, profile=config.profile)
    world.start(listen)
    edge.start()
    if control:
        control.start()
    pages = console(listen, world) if console else None
    if pages:
        stops.append(pages.close)
    return Running(
        config=config,
        listen=listen,
        control=_at(config.control, control.port) if control else "",
        metrics=f"http://{_at(config.metrics, metrics.port)}/metrics" if metrics else "",
        console=pages.url if pages else "",
        version=installed,
        prepare=edge.prepare,
        stops=tuple(reversed(stops)),
        control_token=token,
    )


def _world(config: Config, emulation: Emulation | None) -> World:
    if emulation is None:
        return build_world(config)
    return build_world(config, interposer=emulation.leaving, send_cap=emulation.send_cap)


def _control(config: Config, server: ServerApp, emulation: Emulation | None, token: str) -> EdgeServer | None:
    if not config.control:
        return None
    services = control_services(emulation.servicer if emulation else _refuse)
    return build_server(
        EdgeConfig(
            listen=config.control,
            tls=_tls(config),
            profile=config.profile,
            control_token=token,
            channelz=True,
            unvalidated=unvalidated_messages(services),
        ),
        services,
        metrics=server.metrics,
        clock=server.clock,
        ready=server.ready,
    )


def _refuse() -> NoReturn:
    """Answer the control port's calls in the production profile."""
    raise ChukanError("PROFILE_REFUSES")


def _control_token(config: Config) -> str:
    """Return the token that callers of the control port read from the data directory; drawn once."""
    if config.data is None:
        return secrets.token_urlsafe(_TOKEN_BYTES)
    path = config.data / CONTROL_TOKEN_FILE
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    with os.fdopen(file, "w", encoding="ascii") as opened:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        opened.write(token + "\n")
    return token


def _make_certificates(config: Config, folder: Path) -> None:
    """Make the development CA and a certificate for this server and each organization, where there are none."""
    from chukan.standard.organizations import all_organizations

    served = config.organizations or tuple(each.code for each in all_organizations())
    if (folder / "ca.pem").exists() and not (folder / "ca.key").exists():
        return
    make_development_pki(folder, served, clock=SystemClock())


def _tls(config: Config) -> TlsFiles | None:
    if config.tls_cert is None or config.tls_key is None or config.tls_ca is None:
        return None
    return TlsFiles(cert=config.tls_cert, key=config.tls_key, ca=config.tls_ca)


def _at(asked: str, port: int) -> str:
    """Return the address asked for with the port that was chosen."""
    return f"{asked.rpartition(':')[0]}:{port}"
