# SPDX-License-Identifier: Apache-2.0
"""Where the demo plays: a folder of its own and a server as a child process; nothing of either is left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["ServerProcess", "Stage"]

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.02
_LAST_LINES: Final = 15


class ServerProcess:
    """`chukan serve` on free ports, as a child process; ready when this returns."""

    def __init__(self, folder: Path, *, options: tuple[str, ...] = ()) -> None:
        self._ready = folder / "ready.json"
        self._data = folder / "data"
        self._options = options
        self.log = folder / "server.log"
        self._start("127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0")

    def _start(self, listen: str, control: str, metrics: str) -> None:
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "chukan.command", "serve", "--data", str(self._data)]
        command += ["--listen", listen, "--control", control, "--metrics", metrics]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHUKAN_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                [*command, "--ready-file", str(self._ready), *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        try:
            self.where = self._wait()
        except BaseException:
            self.stop()
            raise

    def restart(self) -> None:
        """Start it again, when it has ended, at the same addresses and with the same data."""
        self._start(self.target, self.control, self.metrics)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def target(self) -> str:
        """Where its services are."""
        return str(self.where["listen"])

    @property
    def control(self) -> str:
        """Where its control port is."""
        return str(self.where["control"])

    @property
    def metrics(self) -> str:
        """Where its metrics are: host:port."""
        return str(self.where["metrics"]).removeprefix("http://").removesuffix("/metrics")

    @property
    def token(self) -> str:
        """What its control port wants to see."""
        return (self._data / "control.token").read_text("ascii").strip()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end and return its exit code."""
        return self._process.wait(_STOP_SECONDS)

    def stop(self) -> int:
        """Ask it to stop, wait, and kill it if it doesn't; return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        """Return the end of its output."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-_LAST_LINES:])

    def _wait(self) -> dict[str, Any]:
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if self._ready.exists():
                document: dict[str, Any] = json.loads(self._ready.read_text("utf-8"))
                return document
            if self._process.poll() is not None:
                break
            time.sleep(_POLL_SECONDS)
        raise ChukanError("NOT_READY", params={"server": self.last_words()})


@dataclass(slots=True)
class Stage:
    """A folder (removed at the end unless it is to be kept) and the server playing in it."""

    keep: Path | None = None
    folder: Path = field(init=False)
    server: ServerProcess | None = None

    def __enter__(self) -> Self:
        if self.keep is not None:
            self.folder = self.keep.absolute()
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(self.folder.iterdir()):
                raise ChukanError("FOLDER_NOT_EMPTY", field="--keep", params={"folder": str(self.folder)})
        else:
            self.folder = Path(tempfile.mkdtemp(prefix="chukan-demo-"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.server is not None:
                self.server.stop()
        finally:
            if self.keep is None:
                shutil.rmtree(self.folder, ignore_errors=True)

    def serve(self) -> ServerProcess:
        """Start the server."""
        self.server = ServerProcess(self.folder)
        return self.server
