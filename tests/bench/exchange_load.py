# SPDX-License-Identifier: Apache-2.0
"""Load generator of `exchange`, a process of its own: keeps N inquiries in flight and checks every answer.

One thread drives futures and one watched stream; answers that are ready at the same time are read in one call, as a
client does. The same loop drives the product and its floor. Prints one JSON object: exchanges a second in the measured
window, latencies, this process's CPU in that window. Any error or wrong outcome ends it with a non-zero code.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from collections import deque
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import grpc

from .exchange_wires import ChukanWire, FloorWire

if TYPE_CHECKING:
    from .exchange_wires import Wire

_PATIENCE = 20.0


class Driver:
    """Keeps `flight` inquiries going on one channel."""

    def __init__(self, channel: grpc.Channel, wire: Wire, *, flight: int, first: int) -> None:
        self._wire = wire
        self._flight = flight
        self._next = first
        self._events: queue.SimpleQueue[tuple[str, Any, Any]] = queue.SimpleQueue()
        self._create = channel.unary_unary(wire.create)
        self._results = channel.unary_unary(wire.results)
        self._watching = channel.unary_stream(wire.watch)(wire.watching(), metadata=wire.metadata)
        self._asked: dict[str, tuple[int, float]] = {}
        self._early: set[str] = set()
        self._ready: list[str] = []
        self.latencies: deque[float] = deque()
        threading.Thread(target=self._watch, daemon=True).start()
        time.sleep(0.3)  # "from now on" begins when the server has taken the call

    def run(self, *, warm: float, seconds: float) -> dict[str, Any]:
        """Drive for a while and return the figures of the window after the warm-up."""
        first = self._next
        for _ in range(self._flight):
            self._ask()
        self._until(time.perf_counter() + warm, more=True)
        self.latencies.clear()
        begun, cpu = time.perf_counter(), time.process_time()
        self._until(begun + seconds, more=True)
        done, wall, used = len(self.latencies), time.perf_counter() - begun, time.process_time() - cpu
        spread = sorted(self.latencies)
        self._until(time.perf_counter() + _PATIENCE, more=False)
        self._watching.cancel()
        if self._asked:
            raise AssertionError(f"{len(self._asked)} inquiries were not answered in {_PATIENCE:.0f} s")
        return {
            "per_second": done / wall,
            "n": done,
            "total": self._next - first,
            "load_cpu": used / wall,
            "p50_ms": spread[len(spread) // 2] * 1000,
            "p95_ms": quantiles(spread, n=20)[-1] * 1000,
        }

    def _until(self, end: float, *, more: bool) -> None:
        while (left := end - time.perf_counter()) > 0 and (more or self._asked):
            try:
                self._take(self._events.get(timeout=left), more=more)
                while True:
                    self._take(self._events.get_nowait(), more=more)
            except queue.Empty:
                pass
            if self._ready:
                self._read()

    def _take(self, event: tuple[str, Any, Any], *, more: bool) -> None:
        kind, about, response = event
        if kind == "created":
            receipt = self._wire.receipt(response.result())
            self._asked[receipt] = about
            if receipt in self._early:
                self._early.remove(receipt)
                self._ready.append(receipt)
        elif kind == "watched":
            for receipt in self._wire.finished(response):
                (self._ready.append if receipt in self._asked else self._early.add)(receipt)
        elif kind == "read":
            asked = {receipt: self._asked.pop(receipt) for receipt in about}
            self._wire.check(response.result(), {receipt: serial for receipt, (serial, _) in asked.items()})
            now = time.perf_counter()
            self.latencies.extend(now - begun for _, begun in asked.values())
            for _ in asked if more else ():
                self._ask()
        else:
            raise AssertionError(f"the watch ended: {response}")

    def _ask(self) -> None:
        about = (self._next, time.perf_counter())
        self._next += 1
        call = self._create.future(self._wire.asking(about[0]), timeout=_PATIENCE, metadata=self._wire.metadata)
        call.add_done_callback(lambda done: self._events.put(("created", about, done)))

    def _read(self) -> None:
        receipts, self._ready = self._ready, []
        call = self._results.future(self._wire.reading(receipts), timeout=_PATIENCE, metadata=self._wire.metadata)
        call.add_done_callback(lambda done: self._events.put(("read", receipts, done)))

    def _watch(self) -> None:
        try:
            for response in self._watching:
                self._events.put(("watched", None, response))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.CANCELLED:  # type: ignore[attr-defined]
                self._events.put(("lost", None, error))


def main(plan: dict[str, Any]) -> None:
    """Do what the plan says and print the figures."""
    wire: Wire = FloorWire() if plan["wire"] == "floor" else ChukanWire(Path(plan["world"]), plan["run"])
    ca, key, cert = (Path(path).read_bytes() for path in plan["tls"])
    with grpc.secure_channel(plan["target"], grpc.ssl_channel_credentials(ca, key, cert)) as channel:
        grpc.channel_ready_future(channel).result(10)
        driver = Driver(channel, wire, flight=plan["flight"], first=plan["first"])
        print(json.dumps(driver.run(warm=plan["warm"], seconds=plan["seconds"])))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
