# SPDX-License-Identifier: Apache-2.0
"""`register`: people numbered with their codes, then four kinds of replicas each, from CP932 CSV through the adapter.

Reported apart: people, replicas, memory of server and adapter at N people against a tenth of N, and `resync` (the same
extracts again, 1 % of the rows changed: only these may be sent).
"""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .processes import Pki, chukan, emulator, module, serving, timed
from .report import Row, VoidRunError, people_count, ratio_row
from .seed import PROVIDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .processes import Finished, Process
    from .report import Context

__all__ = ["bench"]

_MUNICIPALITY = "131041"


@dataclass(frozen=True, slots=True)
class _Load:
    """What one load took, in the product or the floor."""

    people_rows: int
    people_seconds: float
    replica_rows: int
    replica_seconds: float
    server_mb: float
    adapter_mb: float


def bench(context: Context) -> list[Row]:
    """Alternate the floor and the product on the same extracts, each time on a fresh database."""
    count = people_count(quick=context.quick)
    pki = Pki.make(context.folder / "tls")
    large, small = context.folder / "large", context.folder / "small"
    for folder, people in ((large, count), (small, count // 10)):
        _generate(folder, people)
    with _product(context, pki, "product-small") as server:
        little = _loaded(context, server, pki, small)
    loads: list[_Load] = []
    floors: list[_Load] = []
    resyncs: list[tuple[float, float, int]] = []
    for turn in range(context.runs):
        with _floor(context, pki, f"floor-{turn}") as floor:
            floors.append(_floored(context, floor, pki, large))
        with _product(context, pki, f"product-{turn}") as server:
            loads.append(_loaded(context, server, pki, large))
            if turn == context.runs - 1:
                resyncs.append(_resynced(context, server, pki, large))
    return [*_rates(loads, floors), *_memory(loads, little, count), *_resync_rows(resyncs, loads)]


def _generate(folder: Path, people: int) -> None:
    timed(
        chukan(
            *("people", "generate", "--count", str(people), "--seed", "1", "--municipality", _MUNICIPALITY),
            *("--dense", "--movers", "0", "--encoding", "cp932", "--out", str(folder), "--json"),
        )
    )


@contextmanager
def _product(context: Context, pki: Pki, name: str) -> Iterator[Process]:
    folder = context.below(name)
    with serving(emulator(folder, pki), folder / "ready.json", log=folder / "log") as server:
        yield server


@contextmanager
def _floor(context: Context, pki: Pki, name: str) -> Iterator[Process]:
    folder = context.below(name)
    command = module("floors.register_server", str(folder), str(pki.folder))
    with serving(command, folder / "ready.json", log=folder / "log") as server:
        yield server


def _adapter(server: Process, pki: Pki, source: Path, *what: str) -> tuple[Finished, dict[str, Any]]:
    done = timed(
        chukan(
            *("adapter", "load", *what, "--state", str(source / f"state-{server.popen.pid}")),
            *("--target", server.target, "--organization", _MUNICIPALITY, "--tls", str(pki.folder), "--json"),
        )
    )
    report: dict[str, Any] = json.loads(done.output)
    if not report["complete"] or report["codes"]["open"] or report["codes"]["failed"]:
        raise VoidRunError(f"a load was not complete: {report['codes']}")
    return done, report


def _loaded(context: Context, server: Process, pki: Pki, source: Path) -> _Load:
    people, told = _adapter(server, pki, source, "--people", str(source / "residents.csv"))
    people_rows, held = _numbered(told, _rows(source / "residents.csv"))
    replicas, told = _adapter(server, pki, source, "--extracts", str(source / "extracts"))
    for lane in told["lanes"]:
        _insist_on_every_row(lane, held)
    replica_rows = sum(lane["written"] for lane in told["lanes"])
    load = _Load(
        people_rows,
        people.seconds,
        replica_rows,
        replicas.seconds,
        server.peak_rss_mb(),
        max(people.peak_rss_mb, replicas.peak_rss_mb),
    )
    _tell(context, "chukan", load, people.cpu_seconds + replicas.cpu_seconds, server.cpu_seconds())
    return load


def _numbered(told: dict[str, Any], rows: int) -> tuple[int, int]:
    """Return how many people were gone through and how many are held for a person to decide, as dummies are meant."""
    (lane,) = told["lanes"]
    sound = lane["written"] + lane["held_for_a_person"] == lane["rows"] == rows and not lane["refused"]
    if not sound or told["codes"]["linked"] != told["codes"]["asked"]:
        raise VoidRunError(f"got {lane} and {told['codes']}, expected {rows} people, all linked")
    return rows, lane["held_for_a_person"]


def _insist_on_every_row(lane: dict[str, Any], held: int) -> None:
    """Refuse a run in which a row is not accounted for: those without a number are not provided, those held unknown."""
    unknown = lane["reasons"].get("LOCAL_NUMBER_UNKNOWN", 0)
    if lane["refused"] != unknown or unknown > held:
        raise VoidRunError(f"got refusals {lane['reasons']}, expected at most {held} people held")
    if lane["written"] + lane["not_provided_no_individual_number"] + lane["refused"] != lane["rows"]:
        raise VoidRunError(f"rows are not accounted for: {lane}")


def _floored(context: Context, server: Process, pki: Pki, source: Path) -> _Load:
    arguments = (server.target, str(pki.folder), PROVIDER)
    people = timed(module("floors.register_load", *arguments, str(source / "residents.csv")))
    replicas = timed(module("floors.register_load", *arguments, str(source / "extracts")))
    expected = sum(_rows(path) for path in (source / "extracts").glob("*.csv"))
    if (int(people.output), int(replicas.output)) != (_rows(source / "residents.csv"), expected):
        raise VoidRunError("the floor lost rows")
    load = _Load(
        int(people.output),
        people.seconds,
        int(replicas.output),
        replicas.seconds,
        server.peak_rss_mb(),
        max(people.peak_rss_mb, replicas.peak_rss_mb),
    )
    _tell(context, "floor", load, people.cpu_seconds + replicas.cpu_seconds, server.cpu_seconds())
    return load


def _resynced(context: Context, server: Process, pki: Pki, source: Path) -> tuple[float, float, int]:
    """Change 1 % of the tax rows and load all extracts again; return seconds, the floor's seconds, rows sent."""
    changed = _change(source / "extracts" / "local_tax.csv")
    floor = timed(["sha256sum", *map(str, sorted((source / "extracts").glob("*.csv")))])
    again, told = _adapter(server, pki, source, "--extracts", str(source / "extracts"))
    sent = sum(lane["sent"] for lane in told["lanes"])
    if not 0 < sent <= changed:
        raise VoidRunError(f"got {sent} rows sent again, expected at most the {changed} that were changed")
    context.say(f"resync chukan: {again.seconds:.1f} s, {sent:,} rows sent; hashing {floor.seconds:.2f} s")
    return again.seconds, floor.seconds, sent


def _change(path: Path) -> int:
    with path.open(encoding="cp932", newline="") as file:
        header, *rows = csv.reader(file)
    column = header.index("均等割額")
    for row in rows[::100]:
        row[column] = str(int(row[column] or 0) + 100)
    with path.open("w", encoding="cp932", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows([header, *rows])
    return len(rows[::100])


def _rows(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file) - 1


def _tell(context: Context, side: str, load: _Load, adapter_cpu: float, server_cpu: float) -> None:
    context.say(
        f"register {side:6}: {load.people_rows:,} people {load.people_seconds:6.1f} s"
        f" ({load.people_rows / load.people_seconds:7,.0f}/s), {load.replica_rows:,} replicas"
        f" {load.replica_seconds:6.1f} s ({load.replica_rows / load.replica_seconds:7,.0f}/s); CPU adapter"
        f" {adapter_cpu:.1f} s, server {server_cpu:.1f} s; memory {load.adapter_mb:.0f} and {load.server_mb:.0f} MB"
    )


def _rates(loads: list[_Load], floors: list[_Load]) -> list[Row]:
    peak = round(max(load.server_mb for load in loads), 1)
    return [
        ratio_row(
            "register.people",
            "people/s",
            values=[load.people_rows / load.people_seconds for load in loads],
            floors=[load.people_rows / load.people_seconds for load in floors],
            peak_rss_mb=peak,
            n=loads[0].people_rows,
        ),
        ratio_row(
            "register.replicas",
            "replicas/s",
            values=[load.replica_rows / load.replica_seconds for load in loads],
            floors=[load.replica_rows / load.replica_seconds for load in floors],
            peak_rss_mb=peak,
            n=loads[0].replica_rows,
        ),
    ]


def _memory(loads: list[_Load], little: _Load, count: int) -> list[Row]:
    return [
        ratio_row(
            f"register.{name}_memory",
            "MB",
            values=[getattr(load, f"{name}_mb") for load in loads],
            floors=[getattr(little, f"{name}_mb")],
            peak_rss_mb=round(max(getattr(load, f"{name}_mb") for load in loads), 1),
            n=count,
        )
        for name in ("server", "adapter")
    ]


def _resync_rows(resyncs: list[tuple[float, float, int]], loads: list[_Load]) -> list[Row]:
    return [
        ratio_row(
            "resync",
            "s",
            values=[each[0] for each in resyncs],
            floors=[each[1] for each in resyncs],
            peak_rss_mb=round(max(load.adapter_mb for load in loads), 1),
            n=loads[0].replica_rows,
        )
    ]
