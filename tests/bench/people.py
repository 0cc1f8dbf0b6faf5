# SPDX-License-Identifier: Apache-2.0
"""`people`: deterministic dummy people with their business extracts, streamed to files. It has no floor."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from .processes import chukan, timed
from .report import Row, median, people_count

if TYPE_CHECKING:
    from .report import Context

__all__ = ["bench"]


def bench(context: Context) -> list[Row]:
    """Generate N people a few times, and a tenth of them once to see whether memory grows."""
    count = people_count(quick=context.quick)
    little = _generated(context, count // 10)
    done = [_generated(context, count) for _ in range(context.runs)]
    seconds, memory = median([each[0] for each in done]), max(each[1] for each in done)
    return [
        Row("people", round(seconds, 3), "s", None, None, len(done), round(memory, 1), count),
        Row(
            "people.memory",
            round(memory, 1),
            "MB",
            round(little[1], 1),
            round(memory / little[1], 3),
            len(done),
            round(memory, 1),
            count,
        ),
    ]


def _generated(context: Context, count: int) -> tuple[float, float]:
    out = context.folder / "people"
    done = timed(
        chukan(
            *("people", "generate", "--count", str(count), "--seed", "1"),
            *("--municipality", "131041", "--out", str(out), "--json"),
        )
    )
    written = sum(1 for _ in (out / "residents.csv").open("rb")) - 1
    if written != count:
        raise AssertionError(f"got {written} people, expected {count}")
    shutil.rmtree(out)
    context.say(f"people: {count:,} in {done.seconds:.1f} s ({count / done.seconds:,.0f}/s), {done.peak_rss_mb:.0f} MB")
    return done.seconds, done.peak_rss_mb
