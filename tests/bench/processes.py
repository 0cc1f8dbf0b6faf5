# SPDX-License-Identifier: Apache-2.0
"""Servers and load generators as processes of their own: started, watched (CPU, memory), ended."""

from __future__ import annotations

import compileall
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chukan.client.tls import ClientTls
from chukan.edge.pki import make_development_pki
from chukan.standard.clock import SystemClock

from .seed import INQUIRER, PROVIDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parents[2]
_SOURCES = ("protos", "server", "adapter", "clients/python", "monitoring")
_TICKS = os.sysconf("SC_CLK_TCK")
_STARTING_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Pki:
    """The development PKI of one bench: the folder `chukan serve --tls` takes, and each body's client files."""

    folder: Path
    clients: dict[str, ClientTls]

    @classmethod
    def make(cls, folder: Path) -> Pki:
        """Make certificates for a server on this machine and the bodies that take part."""
        made = make_development_pki(folder, [INQUIRER, PROVIDER], clock=SystemClock())
        clients = {
            code: ClientTls(ca=files.ca, cert=files.cert, key=files.key) for code, files in made.organizations.items()
        }
        return cls(folder, clients)


@dataclass(slots=True)
class Process:
    """A running process and what it used."""

    popen: subprocess.Popen[bytes]
    ready: dict[str, Any] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Where it listens."""
        return str(self.ready["listen"])

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def rss_mb(self) -> float:
        """Resident memory now."""
        return _status(self.popen.pid, "VmRSS")

    def peak_rss_mb(self) -> float:
        """Highest resident memory so far."""
        return _status(self.popen.pid, "VmHWM")


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def serving(arguments: Sequence[str], ready_file: Path, *, log: Path, look_every: float = 0.01) -> Iterator[Process]:
    """Run a server that writes a ready file; end it as a user would and insist on a clean end."""
    ready_file.unlink(missing_ok=True)
    with log.open("ab") as output:
        popen = subprocess.Popen(arguments, cwd=ROOT, stdout=output, stderr=output)
    process = Process(popen)
    try:
        process.ready = _await_ready(popen, ready_file, log, look_every)
        yield process
    finally:
        popen.terminate()
        try:
            popen.wait(30)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()


def _await_ready(popen: subprocess.Popen[bytes], ready_file: Path, log: Path, look_every: float) -> dict[str, Any]:
    until = time.monotonic() + _STARTING_SECONDS
    while time.monotonic() < until:
        if popen.poll() is not None:
            raise RuntimeError(f"a server ended with {popen.returncode}: {_tail(log)}")
        if ready_file.exists():
            ready: dict[str, Any] = json.loads(ready_file.read_text("utf-8"))
            return ready
        time.sleep(look_every)
    raise RuntimeError(f"a server was not ready in {_STARTING_SECONDS:.0f} s: {_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text("utf-8", "replace")[-2000:]


def chukan(*arguments: str) -> list[str]:
    """Return the product's command line."""
    return [str(Path(sys.executable).with_name("chukan")), *arguments]


def emulator(folder: Path, pki: Pki | None) -> list[str]:
    """Return the command line of an emulator with its data in a folder, as a user starts it."""
    tls = ["--tls", str(pki.folder)] if pki else []
    return chukan(
        "serve",
        *("--data", str(folder / "data")),
        *("--listen", "127.0.0.1:0"),
        *("--control", ""),
        *("--metrics", ""),
        *("--ready-file", str(folder / "ready.json")),
        *tls,
    )


def module(name: str, *arguments: str) -> list[str]:
    """Return the command line of a module of the benchmarks."""
    return [sys.executable, "-m", f"tests.bench.{name}", *arguments]


def run(arguments: Sequence[str], *, timeout: float = 600.0) -> dict[str, Any]:
    """Run a load generator to its end and return the JSON object it prints last."""
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments[:6])} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.decode().strip().splitlines()[-1])
    return result


def compile_sources() -> None:
    """Compile our modules, as pip has compiled a floor's; where Python may not write, every process would do it."""
    for folder in _SOURCES:
        compileall.compile_dir(ROOT / folder, quiet=1)


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ran to its end."""

    seconds: float
    cpu_seconds: float
    peak_rss_mb: float
    output: str


def timed(arguments: Sequence[str], *, timeout: float = 1800.0) -> Finished:
    """Run a command to its end, insisting on exit code 0, and return what it used."""
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        popen = subprocess.Popen(arguments, cwd=ROOT, stdout=output, stderr=errors)
        killer = threading.Timer(timeout, popen.kill)
        killer.start()
        _, status, usage = os.wait4(popen.pid, 0)
        killer.cancel()
        seconds = time.perf_counter() - begun
        popen.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        text = output.read().decode()
        if popen.returncode != 0:
            told = (text + errors.read().decode())[-2000:]
            raise RuntimeError(f"{' '.join(arguments[:5])} ended with {popen.returncode}: {told}")
    return Finished(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)
