# SPDX-License-Identifier: Apache-2.0
"""`exchange`: single inquiries at 1, 16 and 64 in flight, CreateInquiry until the opened answer is read."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from . import seed
from .floors.exchange import PEOPLE
from .processes import Pki, emulator, module, run, serving
from .report import BOTTLENECK, Row, VoidRunError, median, ratio_row

if TYPE_CHECKING:
    from chukan.client.tls import ClientTls

    from .processes import Process
    from .report import Context

__all__ = ["bench"]

_SERIALS_PER_RUN = 100_000


@dataclass(frozen=True, slots=True)
class _Side:
    """One server under load."""

    wire: str
    process: Process


def bench(context: Context) -> list[Row]:
    """Alternate the floor and the product, the same load generator on both."""
    flights = (1, 16) if context.quick else (1, 16, 64)
    pki = Pki.make(context.folder / "tls")
    floor, product = context.below("floor"), context.below("product")
    with ExitStack() as stack:
        floor_server = stack.enter_context(
            serving(module("floors.exchange", str(floor), str(pki.folder)), floor / "ready.json", log=floor / "log")
        )
        server = stack.enter_context(serving(emulator(product, pki), product / "ready.json", log=product / "log"))
        world = context.folder / "world.json"
        world.write_text(json.dumps(asdict(seed.seed(server.target, PEOPLE, tls=pki.clients))), encoding="utf-8")
        sides = (_Side("floor", floor_server), _Side("chukan", server))
        got: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for turn in range(context.runs):
            for flight in flights:
                for side in sides:
                    figures = _one(context, side, flight=flight, turn=turn, tls=pki.clients[seed.INQUIRER])
                    got.setdefault((side.wire, flight), []).append(figures)
        return _rows(got, flights, server.peak_rss_mb())


def _one(context: Context, side: _Side, *, flight: int, turn: int, tls: ClientTls) -> dict[str, Any]:
    plan = {
        "wire": side.wire,
        "run": f"bench-{turn}-{flight}",
        "world": str(context.folder / "world.json"),
        "target": side.process.target,
        "flight": flight,
        "first": (turn * 100 + flight) * _SERIALS_PER_RUN,
        "warm": 0.1 if context.quick else 0.4,
        "seconds": 0.5 if context.quick else 1.5,
        "tls": [str(tls.ca), str(tls.key), str(tls.cert)],
    }
    before = side.process.cpu_seconds()
    figures = run(module("exchange_load", json.dumps(plan)), timeout=60)
    cpu_ms = (side.process.cpu_seconds() - before) / figures["total"] * 1000
    context.say(
        f"exchange {side.wire:6} {flight:2} in flight: {figures['per_second']:7.1f}/s, median"
        f" {figures['p50_ms']:6.1f} ms, 95 % {figures['p95_ms']:6.1f} ms; load generator {figures['load_cpu']:4.0%} of"
        f" a core, server {cpu_ms:.1f} ms CPU each, {side.process.rss_mb():.0f} MB"
    )
    if figures["load_cpu"] > BOTTLENECK:
        raise VoidRunError(f"the load generator was the bottleneck: {figures['load_cpu']:.0%} of a core")
    return figures


def _rows(got: dict[tuple[str, int], list[dict[str, Any]]], flights: tuple[int, ...], peak: float) -> list[Row]:
    rates = {key: [each["per_second"] for each in figures] for key, figures in got.items()}
    rows = [
        ratio_row(
            f"exchange@{flight}",
            "exchanges/s",
            values=rates["chukan", flight],
            floors=rates["floor", flight],
            peak_rss_mb=round(peak, 1),
            n=int(median([each["n"] for each in got["chukan", flight]])),
        )
        for flight in flights
    ]
    most = flights[-1]
    rows.append(
        ratio_row(
            f"exchange.{most}_to_1",
            "exchanges/s",
            values=rates["chukan", most],
            floors=rates["chukan", 1],
            peak_rss_mb=round(peak, 1),
            n=rows[-1].n,
        )
    )
    return rows
