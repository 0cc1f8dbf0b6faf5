# SPDX-License-Identifier: Apache-2.0
"""`exchange_batch`: a DAT file of 10,000 inquiries becomes a result file, through `chukan adapter inquire`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import seed
from .processes import Pki, chukan, emulator, module, serving, timed
from .report import VoidRunError, ratio_row

if TYPE_CHECKING:
    from pathlib import Path

    from .processes import Process
    from .report import Context, Row

__all__ = ["bench"]

_ROWS = 10_000
_PEOPLE = 1_000


def bench(context: Context) -> list[Row]:
    """Alternate the floor and the product, each run with a file of its own."""
    rows, people = (200, 100) if context.quick else (_ROWS, _PEOPLE)
    pki = Pki.make(context.folder / "tls")
    floor, product = context.below("floor"), context.below("product")
    floor_command = module("floors.batch", "serve", str(floor), str(pki.folder))
    values: list[float] = []
    floors: list[float] = []
    with (
        serving(floor_command, floor / "ready.json", log=floor / "log") as floor_server,
        serving(emulator(product, pki), product / "ready.json", log=product / "log") as server,
    ):
        seed.seed(server.target, people, tls=pki.clients)
        for turn in range(context.runs):
            folder = context.below(f"run-{turn}")
            source = folder / f"P640R110_20261124090000_{turn + 1:04d}.DAT"
            _write(source, rows, people, turn)
            floors.append(_floored(context, floor_server, pki, source, rows))
            values.append(_inquired(context, server, pki, source, rows))
        peak = round(server.peak_rss_mb(), 1)
    return [ratio_row("exchange_batch", "inquiries/s", values=values, floors=floors, peak_rss_mb=peak, n=rows)]


def _write(path: Path, rows: int, people: int, turn: int) -> None:
    """Write the 18 fields; the people are those of `seed`, each asked about at several times."""
    with path.open("w", encoding="ascii", newline="") as file:
        for row in range(rows):
            fields = (
                *(
                    "01",
                    f"02{row % people:013d}",
                    "",
                    f"20261124{9 + turn % 10:02d}{row // 60_000:02d}{row // 1_000 % 60:02d}{row % 1_000:03d}",
                    "131120101",
                    "DUMMY0001",
                    seed.INQUIRER,
                    "1",
                ),
                *(seed.AFFAIR, seed.PROCEDURE, "", "", "131041", seed.INFORMATION, "0", "0", *seed.PERIOD),
            )
            file.write(",".join(fields) + "\r\n")


def _floored(context: Context, server: Process, pki: Pki, source: Path, rows: int) -> float:
    out = source.with_suffix(".floor")
    done = timed(module("floors.batch", "load", server.target, str(pki.folder), str(source), str(out)))
    if out.read_bytes().count(b"\r\n") != rows:
        raise VoidRunError("the floor lost rows")
    context.say(f"exchange_batch floor : {rows:,} in {done.seconds:.2f} s ({rows / done.seconds:,.0f}/s)")
    return rows / done.seconds


def _inquired(context: Context, server: Process, pki: Pki, source: Path, rows: int) -> float:
    before = server.cpu_seconds()
    done = timed(
        chukan(
            *("adapter", "inquire", "--file", str(source), "--out", str(source.with_suffix(".csv"))),
            *("--state", str(source.parent / "state"), "--target", server.target, "--organization", "131121"),
            *("--tls", str(pki.folder), "--wait", "--json"),
        )
    )
    report = json.loads(done.output)
    if (report["rows"], report["values"], report["is_complete"]) != (rows, rows, True):
        raise VoidRunError(f"got {report['values']} answers of {report['rows']} rows, expected {rows}")
    context.say(
        f"exchange_batch chukan: {rows:,} in {done.seconds:.2f} s ({rows / done.seconds:,.0f}/s); CPU adapter"
        f" {done.cpu_seconds:.1f} s, server {server.cpu_seconds() - before:.1f} s; adapter {done.peak_rss_mb:.0f} MB"
    )
    return rows / done.seconds
