# SPDX-License-Identifier: Apache-2.0
"""The shipped rules with time running faster: every duration and every age waited for, divided by one factor.

A drill can't wait for hours. Divided are ranges (`[1h]`), offsets, subquery steps, `for` and its like, and the numbers
that the ages of `AGES` are compared with. Anything else stays: ratios, counts, how long a call may take (calls don't
become quicker), the hour at which a day begins. Alertmanager's waits and intervals are divided as well.

A `for` is never made shorter than `least`: as shipped it lasts for some scrapes, and one that a busy machine does late
must not ring here either. That of a rule which asks for `up` is never made shorter than `patience`: such a rule rings
when scrapes are given up, as shipped after ten seconds, and a scrape every half second is given up after half a second,
which a machine at other work takes for several in a row. By how much either made a `for` longer is said by `stretches`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AGES", "scale_alertmanager", "scale_rules", "seconds_of", "stretches"]

AGES: Final = (
    "chukan_oldest_unsent_seconds",
    "chukan_oldest_open_inquiry_seconds",
    "chukan_oldest_pending_code_seconds",
    "chukan_lane_held_seconds",
    "chukan_lane_stuck_seconds",
    "chukan_certificate_expiry_timestamp_seconds",
    "chukan:replica_silence:seconds",
)
"""What grows, or shrinks, by a second each second."""
_MILLISECONDS: Final = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
_DURATION: Final = r"(?:[0-9]+(?:ms|[smhdwy]))+"
_PART: Final = re.compile(r"([0-9]+)(ms|[smhdwy])")
_RANGE: Final = re.compile(rf"(?<=\[)({_DURATION})(?=[\]:])|(?<=:)({_DURATION})(?=\])|(?<=\boffset )({_DURATION})")
_FOR: Final = re.compile(rf"^(\s*for: )({_DURATION})(?=\s|$)")
_FIELD: Final = re.compile(rf"^(\s*(?:- )?(?:keep_firing_for|interval): )({_DURATION})(?=\s|$)")
_ALERT: Final = re.compile(r"^\s*- alert: (\w+)")
_UP: Final = re.compile(r"\bup\{")
_WAIT: Final = re.compile(
    rf"^(\s*(?:- )?(?:group_wait|group_interval|repeat_interval|resolve_timeout): )({_DURATION})(?=\s|$)"
)
_NUMBER: Final = r"[0-9]+(?:\.[0-9]+)?"
_AGE: Final = re.compile(
    rf"\b((?:{'|'.join(AGES)})(?:\{{[^}}]*\}})?(?: - time\(\))? [<>]=? )({_NUMBER}(?: \* {_NUMBER})*)"
)


def scale_rules(text: str, factor: float, *, least: float = 0.0, patience: float = 0.0) -> str:
    """Return a rules file whose times pass `factor` times as fast.

    No `for` is shorter than `least` seconds, none that waits for a scrape to come shorter than `patience`.
    """
    lines = []
    for line, limit in _limited(text, least, patience):
        if line.lstrip().startswith("#"):
            lines.append(line)
            continue
        waits = _FOR.match(line)
        divided = _FOR.sub(f"{waits[1]}{_divided(waits[2], factor, limit)}", line) if waits else line
        divided = _FIELD.sub(lambda found: found[1] + _divided(found[2], factor), divided)
        divided = _RANGE.sub(lambda found: _divided(found[0], factor), divided)
        lines.append(_AGE.sub(lambda found: f"{found[1]}{_over(found[2], factor)}", divided))
    return "".join(lines)


def stretches(text: str, factor: float, *, least: float, patience: float = 0.0) -> dict[str, float]:
    """Return the seconds by which a limit made each alert of a shipped rules file wait longer than divided."""
    found, alert = {}, ""
    for line, limit in _limited(text, least, patience):
        if named := _ALERT.match(line):
            alert = named[1]
            found[alert] = 0.0
        elif waits := _FOR.match(line):
            found[alert] = max(0.0, limit - seconds_of(waits[2]) / factor)
    return found


def _limited(text: str, least: float, patience: float) -> Iterator[tuple[str, float]]:
    """Yield each line, and what a `for` in it is not to be shorter than."""
    limit = least
    for line in text.splitlines(keepends=True):
        if _ALERT.match(line):
            limit = least
        elif _UP.search(line):
            limit = max(least, patience)
        yield line, limit


def scale_alertmanager(text: str, factor: float) -> str:
    """Return an Alertmanager configuration whose waits and intervals pass `factor` times as fast."""
    lines = text.splitlines(keepends=True)
    return "".join(_WAIT.sub(lambda found: found[1] + _divided(found[2], factor), line) for line in lines)


def seconds_of(duration: str) -> float:
    """Return the length of a duration as Prometheus writes it, such as 1h30m."""
    if not re.fullmatch(_DURATION, duration):
        message = f"got {duration!r}, expected a duration such as 15m"
        raise ValueError(message)
    return sum(int(count) * _MILLISECONDS[unit] for count, unit in _PART.findall(duration)) / 1_000


def _divided(duration: str, factor: float, least: float = 0.0) -> str:
    return f"{max(1, round(max(least, seconds_of(duration) / factor) * 1_000))}ms"


def _over(number: str, factor: float) -> str:
    return number if float(number.split(" ", maxsplit=1)[0]) == 0 else f"{number} / {factor:.10g}"
