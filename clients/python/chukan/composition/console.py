# SPDX-License-Identifier: Apache-2.0
"""The web console beside a server: its libraries are imported, and complained about, only where it was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable

    from chukan.composition.world import World
    from chukan.server.config import Config
    from chukan.server.console import ConsoleServer

__all__ = ["console_of"]

_EVERYWHERE = frozenset({"", "0.0.0.0", "[::]"})  # noqa: S104  # what is replaced by this machine's own name


def console_of(config: Config) -> Callable[[str, World], ConsoleServer] | None:
    """Return what starts the console once the services answer; None without the setting.

    Called before anything else is made, so that a missing library is told first. Errors: CONSOLE_NOT_INSTALLED.
    """
    if not config.console:
        return None
    try:
        from chukan.server.console import ConsoleServer, ConsoleSettings
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("chukan"):
            raise
        raise ChukanError("CONSOLE_NOT_INSTALLED", field="--console", params={"package": error.name or ""}) from None

    def start(listen: str, world: World) -> ConsoleServer:
        foundation = world.server.foundation
        settings = ConsoleSettings(
            target=_target(listen),
            organizations=_in_order(foundation.organizations),
            network=config.network,
            modes={code: foundation.mode_of(code) for code in foundation.organizations},
            certificates=config.tls_cert.parent if config.tls_cert else None,
            alertmanager=config.alertmanager,
        )
        return ConsoleServer(config.console, settings, clock=world.server.clock)

    return start


def _target(listen: str) -> str:
    """Return an address the server can be called at from here, and that its certificate names."""
    host, _, port = listen.rpartition(":")
    return f"localhost:{port}" if host in _EVERYWHERE else listen


def _in_order(organizations: frozenset[str]) -> tuple[str, ...]:
    """Return the codes in the order of the list of organizations, others behind."""
    from chukan.standard.organizations import all_organizations

    listed = [each.code for each in all_organizations() if each.code in organizations]
    return (*listed, *sorted(organizations.difference(listed)))
