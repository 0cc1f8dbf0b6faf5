# SPDX-License-Identifier: Apache-2.0
"""Settings of `chukan serve`: one TOML file, environment CHUKAN_*, flags; the later ones win.

What is wrong is said at once, a sentence each: an unknown setting, a value that can't be read, settings that don't fit
together. A plain dataclass on purpose: pydantic-settings costs 0.3 s of the one second a start may take
(docs/decisions, "Settings without pydantic").
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

from chukan.standard.loopback import is_loopback
from chukan.standard.numbers import is_integrated_address_number
from chukan.standard.organizations import resolve_provider
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Config", "ConfigError", "Setting", "settings"]

PREFIX: Final = "CHUKAN_"
_ROLES: Final = ("all", "network", "middle")
_PROFILES: Final = ("emulator", "production")
_MODES: Final = ("test", "production")
_FIRST_NUMBERS: Final = "organization=number, each number 15 digits"
_SYNCHRONOUS: Final = ("FULL", "NORMAL", "OFF")
_HIGHEST_PORT: Final = 65_535


class ConfigError(ValueError):
    """The settings can't be used; `faults` says why, a sentence each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class _BadValueError(ValueError):
    """A value that can't be read; the text says what was expected."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _BadValueError("a text")
    return value


def _one_of(*allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in allowed:
            raise _BadValueError(f"one of {', '.join(allowed)}")
        return str(value)

    return read


def _path(value: object) -> Path | None:
    if isinstance(value, Path) or value is None:
        return value
    if not isinstance(value, str):
        raise _BadValueError("a path")
    return Path(value).expanduser() if value else None


def _address(value: object) -> str:
    host, _, port = str(value).rpartition(":")
    if not isinstance(value, str) or not host or not port.isdecimal() or int(port) > _HIGHEST_PORT:
        raise _BadValueError("host:port, port 0 for a free one")
    return value


def _optional_address(value: object) -> str:
    return _address(value) if value else ""


def _is_web(value: str) -> bool:
    try:
        parts = urlsplit(value)
        named = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:  # no port, or half an address
        return False
    return named and re.fullmatch(r"https?://[^/\s]+(/\S*)?", value) is not None


def _web_address(value: object) -> str:
    if value and not (isinstance(value, str) and _is_web(value)):
        raise _BadValueError("an address of the web, such as http://127.0.0.1:9093")
    return str(value or "")


def _days(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        days = float(cast("str", value))
    except (TypeError, ValueError):
        raise _BadValueError("a number of days") from None
    if not 0 < days < 3660:  # noqa: PLR2004 ten years
        raise _BadValueError("a number of days above 0, at most 3660")
    return timedelta(days=days)


def _count(value: object) -> int:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _BadValueError("a whole number above 0")
    return value


def _organizations(value: object) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise _BadValueError("organization codes")
    try:
        return tuple(resolve_provider(text).code for item in items if (text := str(item).strip()))
    except ChukanError:
        raise _BadValueError("codes of organizations (16 digits) or municipalities (5 or 6)") from None


def _first_numbers(value: object) -> tuple[tuple[str, int], ...]:
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise _BadValueError(_FIRST_NUMBERS)
    pairs = [item if isinstance(item, tuple) else str(item).partition("=")[::2] for item in items if item]
    firsts = [str(number).strip() for _, number in pairs]
    if not all(is_integrated_address_number(first) and int(first) for first in firsts):
        raise _BadValueError(_FIRST_NUMBERS)
    codes = _organizations([code for code, _ in pairs])
    return tuple(zip(codes, map(int, firsts), strict=True))


def _about(read: Callable[[object], Any], text: str) -> dict[str, Any]:
    return {"read": read, "help": text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings. Each is a TOML key, an environment variable CHUKAN_<NAME> and a flag --<name>."""

    data: Path | None = field(
        default=None, metadata=_about(_path, "Directory of databases and keys; empty keeps everything in memory.")
    )
    listen: str = field(default="127.0.0.1:50051", metadata=_about(_address, "Address of the services."))
    control: str = field(
        default="127.0.0.1:50052", metadata=_about(_optional_address, "Address of the control port; empty for none.")
    )
    metrics: str = field(
        default="127.0.0.1:9464", metadata=_about(_optional_address, "Address of /metrics, loopback; empty for none.")
    )
    console: str = field(
        default="",
        metadata=_about(
            _optional_address, "Address of the web console, loopback, which only reads; empty for none. Emulator only."
        ),
    )
    alertmanager: str = field(
        default="",
        metadata=_about(_web_address, "Base address of the Alertmanager whose alerts the web console shows."),
    )
    role: str = field(
        default="all",
        metadata=_about(_one_of(*_ROLES), "all, network (the core alone) or middle (the middle servers alone)."),
    )
    network: str = field(default="", metadata=_about(_optional_address, "With role middle: address of the network."))
    endpoint: str = field(
        default="", metadata=_about(_optional_address, "With role middle: address the network reaches this server at.")
    )
    authority: Path | None = field(
        default=None,
        metadata=_about(_path, "With role network, at its first start: key directory of the members' authority."),
    )
    keys: Path | None = field(
        default=None, metadata=_about(_path, "Directory of the members' keys; by default DATA/keys.")
    )
    master_key: Path | None = field(
        default=None, metadata=_about(_path, "File of the vault's master key; by default KEYS/master.key.")
    )
    profile: str = field(default="emulator", metadata=_about(_one_of(*_PROFILES), "emulator or production."))
    mode: str = field(
        default="test", metadata=_about(_one_of(*_MODES), "Mode organizations are set to: test or production.")
    )
    production_organizations: tuple[str, ...] = field(
        default=(), metadata=_about(_organizations, "Organizations set to mode production.")
    )
    first_integrated_numbers: tuple[tuple[str, int], ...] = field(
        default=(),
        metadata=_about(
            _first_numbers,
            "First integrated address number (団体内統合宛名番号) of organizations whose migrated numbers lie in the"
            " shipped range, as organization=number; new numbers ascend from there.",
        ),
    )
    organizations: tuple[str, ...] = field(
        default=(),
        metadata=_about(
            _organizations,
            "Codes of organizations or municipalities whose middle servers are served; empty for all shipped ones.",
        ),
    )
    tls_cert: Path | None = field(default=None, metadata=_about(_path, "Certificate chain of this server, PEM."))
    tls_key: Path | None = field(default=None, metadata=_about(_path, "Its key, PEM."))
    tls_ca: Path | None = field(default=None, metadata=_about(_path, "Authority callers are believed under, PEM."))
    synchronous: str = field(
        default="FULL",
        metadata=_about(
            _one_of(*_SYNCHRONOUS), "SQLite's synchronous; less than FULL gives up that acknowledged means durable."
        ),
    )
    workers: int = field(default=8, metadata=_about(_count, "Threads that carry exchanges on."))
    processing_number_days: timedelta = field(
        default=timedelta(days=7), metadata=_about(_days, "Days a processing number counts.")
    )
    permit_days: timedelta = field(default=timedelta(days=31), metadata=_about(_days, "Days a permit counts at most."))

    @classmethod
    def load(
        cls,
        *,
        file: Path | None = None,
        environment: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
    ) -> Config:
        """Read the settings; ConfigError says everything that is wrong. Flags that are None are not given."""
        faults: list[str] = []
        raw: dict[str, tuple[object, str]] = {}
        if file is not None:
            raw.update(_of_file(file, faults))
        raw.update(_of_environment(os.environ if environment is None else environment))
        given = {name: value for name, value in (flags or {}).items() if value is not None}
        raw.update({name: (value, f"flag --{name.replace('_', '-')}") for name, value in given.items()})
        values = _read(raw, faults)
        if faults:
            raise ConfigError(faults)
        config = cls(**values)
        faults = config.faults()
        if faults:
            raise ConfigError(faults)
        return config

    def faults(self) -> list[str]:
        """Return what doesn't fit together, a sentence each."""
        faults = []
        if self.role == "middle" and not self.network:
            faults.append("role middle needs the setting network: the address of the network core")
        if self.role != "middle" and self.network:
            faults.append(f"the setting network is for role middle only, and the role is {self.role}")
        first = self.network_keys_directory is not None and not self.network_keys_directory.exists()
        if self.role == "network" and first and self.authority is None:
            faults.append("role network needs the setting authority at its first start: the members' key directory")
        if self.role != "network" and self.authority is not None:
            faults.append(f"the setting authority is for role network only, and the role is {self.role}")
        tls = (self.tls_cert, self.tls_key, self.tls_ca)
        if any(tls) and not all(tls):
            faults.append("TLS needs all of tls_cert, tls_key and tls_ca")
        if self.profile == "production" and not all(tls):
            faults.append("the production profile refuses plaintext: give tls_cert, tls_key and tls_ca")
        if self.profile == "production" and self.data is None:
            faults.append("the production profile keeps nothing in memory only: give the setting data")
        return faults + self._console_faults()

    def _console_faults(self) -> list[str]:
        if not self.console:
            return (
                ["the setting alertmanager is for the console: give the setting console"] if self.alertmanager else []
            )
        faults = []
        if not is_loopback(self.console.rpartition(":")[0]):
            faults.append(
                f"the console is served on loopback only: got {self.console}, expected 127.0.0.1:PORT or localhost:PORT"
            )
        if self.profile == "production":
            faults.append("the console asks nobody who they are, so the production profile has none: leave it out")
        if self.role == "network":
            faults.append("the console shows middle servers, and the role network has none: leave it out")
        return faults

    @property
    def keys_directory(self) -> Path | None:
        """Where the members' keys are; None in memory."""
        return self.keys or (None if self.data is None else self.data / "keys")

    @property
    def network_keys_directory(self) -> Path | None:
        """Where the network core's key is, apart from the members'."""
        own = self.keys if self.role == "network" else None
        return own or (None if self.data is None else self.data / "network-keys")

    @property
    def master_key_file(self) -> Path | None:
        """Where the vault's master key is."""
        directory = self.network_keys_directory if self.role == "network" else self.keys_directory
        return self.master_key or (None if directory is None else directory / "master.key")


class Setting(NamedTuple):
    """One setting, for the generated reference and `--help`."""

    name: str
    default: str
    help: str


def settings() -> list[Setting]:
    """Return every setting in order."""
    return [Setting(each.name, _shown(each.default), each.metadata["help"]) for each in dataclasses.fields(Config)]


def _shown(default: object) -> str:
    if default is None or default == ():
        return ""
    return f"{default.total_seconds() / 86_400:g}" if isinstance(default, timedelta) else str(default)


def _readers() -> dict[str, Callable[[object], Any]]:
    return {each.name: each.metadata["read"] for each in dataclasses.fields(Config)}


def _of_file(file: Path, faults: list[str]) -> dict[str, tuple[object, str]]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError:
        faults.append(f"the settings file {file} can't be read")
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(f"the settings file {file} is not TOML: {error}")
        return {}
    return {name: (value, f"{file}: {name}") for name, value in content.items()}


def _of_environment(environment: Mapping[str, str]) -> dict[str, tuple[object, str]]:
    return {
        name.removeprefix(PREFIX).lower(): (value, f"environment {name}")
        for name, value in environment.items()
        if name.startswith(PREFIX)
    }


def _read(raw: Mapping[str, tuple[object, str]], faults: list[str]) -> dict[str, Any]:
    readers = _readers()
    values: dict[str, Any] = {}
    for name, (value, source) in raw.items():
        if name not in readers:
            near = get_close_matches(name, readers, n=1)
            faults.append(f"{source}: there is no such setting" + (f"; did you mean {near[0]}?" if near else ""))
            continue
        try:
            values[name] = readers[name](value)
        except _BadValueError as error:
            faults.append(f"{source}: got {value!r}, expected {error}")
    return values
