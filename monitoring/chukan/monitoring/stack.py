# SPDX-License-Identifier: Apache-2.0
"""Prometheus and Alertmanager beside a server, on loopback, with the shipped rules; nothing of them is left behind.

They are the system's own (Debian: `prometheus`, `prometheus-alertmanager`). The shipped configurations are used with
other addresses and, so that somebody who watches need not wait, shorter intervals; a drill lets all their times pass
faster.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final, Self

from chukan.monitoring.scaling import scale_alertmanager, scale_rules, stretches

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["Stack", "ToolMissingError", "find_tool", "free_address"]

_READY_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.1
_SCRAPES: Final = 4
"""So many scrapes the shortest of the shipped rules waits for: a minute at every 15 seconds."""
_PATIENCE: Final = 10.0
"""Seconds after which a scrape is given up as shipped; where times pass faster it is when the next one is due."""
_NAMES: Final = {
    "prometheus": (("prometheus",), "prometheus"),
    "promtool": (("promtool",), "prometheus"),
    "alertmanager": (("prometheus-alertmanager", "alertmanager"), "prometheus-alertmanager"),
    "amtool": (("amtool",), "prometheus-alertmanager"),
}
"""What each tool may be called, and Debian's package."""


class ToolMissingError(Exception):
    """A tool is not installed. The text says which and how to get it."""


def find_tool(name: str) -> str:
    """Return the path of prometheus, promtool, alertmanager or amtool. Errors: ToolMissingError."""
    names, package = _NAMES[name]
    for each in names:
        if path := shutil.which(each):
            return path
    message = f"{name} was not found; on Debian and Ubuntu: apt-get install --no-install-recommends {package}"
    raise ToolMissingError(message)


class Stack:
    """The two processes; ready when entered, gone when left.

    monitoring: the repository's folder of this name. folder: for data and logs. metrics: host:port of the server's
    /metrics. webhook: where alerts are sent. interval: of scraping and evaluating, in seconds. scale: how many times
    faster than shipped the times of rules and notifications pass.
    alertmanager: its address, for who must name it before it runs.
    """

    def __init__(
        self,
        monitoring: Path,
        folder: Path,
        *,
        metrics: str,
        webhook: str = "http://127.0.0.1:9095/",
        interval: float = 5,
        scale: float = 1,
        alertmanager: str = "",
    ) -> None:
        self._tools = find_tool("prometheus"), find_tool("alertmanager")
        self._monitoring = monitoring
        self._folder = folder
        self._metrics = metrics
        self._webhook = webhook
        self._interval = f"{round(interval * 1_000)}ms"
        self._limits = {"least": interval * _SCRAPES, "patience": _PATIENCE}
        self._scale = scale
        self._processes: list[subprocess.Popen[bytes]] = []
        self.prometheus = free_address()
        self.alertmanager = alertmanager or free_address()

    def __enter__(self) -> Self:
        try:
            self._start_alertmanager()
            self._start_prometheus()
            for address in (self.alertmanager, self.prometheus):
                self._await(address)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def pids(self) -> list[int]:
        """The processes' ids."""
        return [process.pid for process in self._processes]

    def stretches(self) -> dict[str, float]:
        """Return by how many seconds each alert waits longer than its shipped `for` divided by the scale."""
        if self._scale == 1:
            return {}
        found: dict[str, float] = {}
        for file in (self._monitoring / "prometheus" / "rules").glob("*.yml"):
            found |= stretches(file.read_text("utf-8"), self._scale, **self._limits)
        return found

    def _start_alertmanager(self) -> None:
        text = (self._monitoring / "alertmanager" / "alertmanager.yml").read_text("utf-8")
        config = self._folder / "alertmanager.yml"
        text = _put(text, {"http://127.0.0.1:9095/": self._webhook})
        config.write_text(text if self._scale == 1 else scale_alertmanager(text, self._scale), "utf-8")
        self._start(
            "alertmanager",
            self._tools[1],
            f"--config.file={config}",
            f"--storage.path={self._folder / 'alertmanager'}",
            f"--web.listen-address={self.alertmanager.removeprefix('http://')}",
            "--cluster.listen-address=",  # else it listens on every address
        )

    def _start_prometheus(self) -> None:
        folder = self._monitoring / "prometheus"
        config = self._folder / "prometheus.yml"
        changes = {
            "scrape_interval: 15s": f"scrape_interval: {self._interval}",
            "evaluation_interval: 15s": f"evaluation_interval: {self._interval}",
            "- rules/*.yml": f"- {self._rules(folder / 'rules').absolute()}/*.yml",
            "127.0.0.1:9093": self.alertmanager.removeprefix("http://"),
            "127.0.0.1:9464": self._metrics,
        }
        config.write_text(_put((folder / "prometheus.yml").read_text("utf-8"), changes), "utf-8")
        self._start(
            "prometheus",
            self._tools[0],
            f"--config.file={config}",
            f"--storage.tsdb.path={self._folder / 'prometheus'}",
            f"--web.listen-address={self.prometheus.removeprefix('http://')}",
        )

    def _rules(self, shipped: Path) -> Path:
        """Return the folder of the rules: the shipped one, or one of theirs with time running faster."""
        if self._scale == 1:
            return shipped
        scaled = self._folder / "rules"
        scaled.mkdir(exist_ok=True)
        for file in shipped.glob("*.yml"):
            text = scale_rules(file.read_text("utf-8"), self._scale, **self._limits)
            (scaled / file.name).write_text(text, "utf-8")
        return scaled

    def _start(self, name: str, *command: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            # A session of its own: Ctrl-C is for us, who then end it in order.
            self._processes.append(
                subprocess.Popen(  # noqa: S603  # tools found by name
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            )

    def _await(self, address: str) -> None:
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until and all(process.poll() is None for process in self._processes):
            try:
                with urllib.request.urlopen(f"{address}/-/ready", timeout=2):  # noqa: S310  # loopback, our own child
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(_POLL_SECONDS)
        said = "\n".join(path.read_text("utf-8", "replace")[-1000:] for path in sorted(self._folder.glob("*.log")))
        message = f"{address} did not become ready:\n{said}"
        raise OSError(message)

    def _stop(self) -> None:
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _put(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        if old not in text:
            message = f"the shipped configuration has no {old!r}"
            raise ValueError(message)
        text = text.replace(old, new)
    return text


def free_address() -> str:
    """Return an address of this machine at which nothing answers yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
