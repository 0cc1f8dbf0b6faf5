# SPDX-License-Identifier: Apache-2.0
"""Runs the server until it is told to stop: settings, composition, ready file, signals, exit code."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chukan.command.failures import FAILED, INTERRUPTED, USAGE, tell
from chukan.command.language import Language, Text, language_of
from chukan.standard.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from chukan.composition.running import Running
    from chukan.server.config import Config

__all__ = ["serve"]

_OF_DATA: Final = frozenset({"DATABASE_IN_USE", "MASTER_KEY_WRONG", "DATABASE_VERSION", "DATABASE_DAMAGED"})
MEMORY: Final = ":memory:"
_OF_CLIENTS: Final = frozenset({"CHUKAN_TARGET", "CHUKAN_NETWORK_TARGET", "CHUKAN_ORGANIZATION"})
"""Variables for commands that call a server; no settings of one."""


def serve(flags: Mapping[str, str]) -> int:
    """Serve until SIGINT or SIGTERM and return the exit code."""
    begun = time.perf_counter()
    stop = _Stop()
    own = {name: flags.get(name, "") for name in ("config", "tls", "ready_file", "json", "lang")}
    if own["lang"] not in {"", *Language}:
        print(f"--lang: got {own['lang']}, expected ja, en or both", file=sys.stderr)
        return USAGE
    language = Language(own["lang"]) if own["lang"] else language_of()
    config = _config({name: value for name, value in flags.items() if name not in own}, own)
    if config is None:
        return USAGE
    new = config.data is not None and not config.data.exists()
    running = _started(config, own, language)
    if isinstance(running, int):
        return running
    try:
        _tell_ready(running, own, language, new=new, seconds=time.perf_counter() - begun)
        running.prepare()
        stop.wait()
    except OSError as error:
        return tell(storage_error(error), language=language)
    finally:
        running.stop()
        if own["ready_file"]:
            _remove(Path(own["ready_file"]))
    if not own["json"]:
        print("\n".join(Text("chukan serve: stopped", "chukan serve: 停止しました").lines(language)), flush=True)
    return INTERRUPTED if stop.by == signal.SIGINT else 0


def _config(settings: dict[str, str], own: Mapping[str, str]) -> Config | None:
    from chukan.server.config import Config, ConfigError

    flags: dict[str, object] = {**settings}
    if flags.get("data") == MEMORY:
        flags["data"] = ""
    if own["tls"]:
        folder = Path(own["tls"])
        for setting, file in (("tls_cert", "server.pem"), ("tls_key", "server.key"), ("tls_ca", "ca.pem")):
            flags.setdefault(setting, folder / file)
    environment = {name: value for name, value in os.environ.items() if name not in _OF_CLIENTS}
    try:
        return Config.load(file=Path(own["config"]) if own["config"] else None, environment=environment, flags=flags)
    except ConfigError as error:
        print("\n".join(f"chukan serve: {fault}" for fault in error.faults), file=sys.stderr)
        return None


def _started(config: Config, own: Mapping[str, str], language: Language) -> Running | int:
    from chukan.composition.running import calm_collector, start
    from chukan.edge import EdgeConfigError
    from chukan.standard.reasons import ChukanError

    try:
        for setting in ("listen", "control", "metrics", "console"):
            _check_free(setting, str(getattr(config, setting) or ""))
        running = start(config, tls_folder=Path(own["tls"]) if own["tls"] else None)
    except ChukanError as error:
        if error.code in _OF_DATA and config.data is not None:
            error.params["data"] = str(config.data.absolute())
        return tell(error, language=language)
    except OSError as error:
        return tell(storage_error(error), language=language)
    except (EdgeConfigError, ValueError) as error:
        print(f"chukan serve: {error}", file=sys.stderr)
        return FAILED
    calm_collector()
    return running


def _check_free(setting: str, address: str) -> None:
    """Look whether an address is free before anything is made for it. Errors: ADDRESS_NOT_FREE."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or port == "0":
        return
    from chukan.standard.reasons import ChukanError

    host = host.strip("[]")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, int(port)))
    except socket.gaierror:
        return  # a name only gRPC can read
    except OSError as error:
        params = {"address": address, "cause": errno.errorcode.get(error.errno or 0, str(error))}
        raise ChukanError("ADDRESS_NOT_FREE", field=f"--{setting}", params=params) from error


def _remove(path: Path) -> None:
    with suppress(OSError):  # a folder that can't be written to
        path.unlink(missing_ok=True)


def _tell_ready(running: Running, own: Mapping[str, str], language: Language, *, new: bool, seconds: float) -> None:
    document = running.document()
    if own["ready_file"]:
        write_whole(Path(own["ready_file"]), json.dumps(document) + "\n")
    if own["json"]:
        print(json.dumps(document), flush=True)
        return
    head = Text(f"chukan serve: ready after {seconds:.2f} s", f"chukan serve: 起動しました({seconds:.2f}秒)")
    tail = Text("Ctrl-C stops it.", "Ctrl-C で停止します。")
    memory = Text("in memory, gone afterwards", "メモリ上のみ(終了すると消えます)")
    lines = [*head.lines(language)]
    lines += [f"  {name:9}{document[name]}" for name in ("listen", "control", "metrics", "console") if document[name]]
    made = f" {Text('(new)', '(新規作成)').word(language)}" if new else ""
    data = f"{Path(document['data']).absolute()}{made}" if document["data"] else memory.word(language)
    lines.append(f"  {'data':9}{data}")
    print("\n".join([*lines, *tail.lines(language)]), flush=True)


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


class _Stop:
    """Waits for SIGINT or SIGTERM. A second one ends the process at once."""

    def __init__(self) -> None:
        self.by = 0
        self._event = threading.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self._told)

    def wait(self) -> None:
        self._event.wait()

    def _told(self, number: int, _frame: FrameType | None) -> Any:  # noqa: ANN401  # as signal.signal types it
        self.by = number
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        self._event.set()
