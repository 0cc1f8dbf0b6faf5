# SPDX-License-Identifier: Apache-2.0
"""The options of `chukan serve`: every setting of the server, and a few of the command's own; declared once.

Read without the command-line library, so that a server starts faster. What is not plainly `--option value` (help,
a misspelt option) is left to that library, which has the same options and says what is wrong.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from chukan.server.config import settings

__all__ = ["OWN", "Option", "options", "parsed"]


class Option(NamedTuple):
    """One option; its name is the setting's, with - for _. metavar "" for a switch."""

    name: str
    metavar: str
    default: str
    help: str

    @property
    def flag(self) -> str:
        """As it is written."""
        return f"--{self.name.replace('_', '-')}"


OWN: Final = (
    Option("config", "FILE", "", "Settings in TOML; environment CHUKAN_* and options go before it."),
    Option("tls", "DIR", "", "Mutual TLS by the files of this folder; in the emulator profile they are made there."),
    Option(
        "ready_file",
        "FILE",
        "",
        "Written as JSON (listen, control, metrics, console, pid) once an inquiry can be answered.",
    ),
    Option("json", "", "", "Print the same JSON on stdout instead of sentences."),
    Option("lang", "ja|en|both", "", "Language; by default the environment's."),
)
_METAVARS: Final = {
    "data": "DIR",
    "listen": "ADDR",
    "control": "ADDR",
    "metrics": "ADDR",
    "console": "ADDR",
    "alertmanager": "URL",
    "network": "ADDR",
}


def options() -> tuple[Option, ...]:
    """Return every option in order of `--help`."""
    of_server = [
        Option(each.name, _METAVARS.get(each.name, each.name.rpartition("_")[2].upper()), each.default, each.help)
        for each in settings()
    ]
    return (*of_server, *OWN)


def parsed(arguments: list[str]) -> dict[str, str] | None:
    """Return the options given; None if there is anything but known options with values."""
    known = {option.flag: option for option in options()}
    given: dict[str, str] = {}
    rest = list(reversed(arguments))
    while rest:
        flag, equals, value = rest.pop().partition("=")
        option = known.get(flag)
        if option is None or (equals and not option.metavar):
            return None
        if option.metavar and not equals:
            if not rest or rest[-1].startswith("--"):
                return None
            value = rest.pop()
        given[option.name] = value if option.metavar else "yes"
    return given
