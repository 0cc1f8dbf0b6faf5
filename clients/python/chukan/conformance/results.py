# SPDX-License-Identifier: Apache-2.0
"""What a run came to: one result per case, and how known failures count."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from chukan.conformance.problem import FAILED, PASSED, KitError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from chukan.conformance.catalogue import Entry

__all__ = ["Known", "Result", "Run", "Trace", "Verdict", "read_known", "weigh"]


class Verdict(StrEnum):
    """How one case ended."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN = "known failure"
    SURPRISE = "unexpected pass"
    SKIPPED = "not run"


@dataclass(slots=True)
class Trace:
    """One step, or one call a client made, as it went, masked."""

    call: str
    caller: str
    status: str
    requests: Any
    responses: Any
    error: Any
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Result:
    """One case. faults: what was not as expected, in English, masked."""

    entry: Entry
    verdict: Verdict
    faults: list[str] = field(default_factory=list)
    trace: list[Trace] = field(default_factory=list)
    seconds: float = 0.0
    note: str = ""

    @property
    def bad(self) -> bool:
        """Whether it spoils the run."""
        return self.verdict in (Verdict.FAILED, Verdict.SURPRISE)


@dataclass(frozen=True, slots=True)
class Known:
    """A failure that is known: why it stands, where it is followed up, until when it may."""

    link: str
    expires: str
    note: str = ""


@dataclass(slots=True)
class Run:
    """All results and what they were got with. target: where a server is, or where the kit was called by a client."""

    target: str
    profile: str
    began: str
    version: str
    side: str = "server"
    results: list[Result] = field(default_factory=list)

    @property
    def counts(self) -> Counter[Verdict]:
        """How many of each verdict."""
        return Counter(result.verdict for result in self.results)

    @property
    def judged(self) -> int:
        """How many cases were really run."""
        return len(self.results) - self.counts[Verdict.SKIPPED]

    @property
    def exit_code(self) -> int:
        """0 only if something was judged and nothing was bad."""
        return PASSED if self.judged and not any(result.bad for result in self.results) else FAILED


def weigh(result: Result, known: Mapping[str, Known]) -> None:
    """Let a known failure count as one, and a pass that is none of the known as an error."""
    standing = known.get(result.entry.case.id)
    if standing is None or result.verdict is Verdict.SKIPPED:
        return
    result.note = f"known until {standing.expires}: {standing.link}"
    if result.verdict is Verdict.FAILED:
        result.verdict = Verdict.KNOWN
    else:
        result.verdict = Verdict.SURPRISE
        result.faults = ["passed, although it is among the known failures: take it out there"]


def read_known(path: Path, ids: set[str], today: str) -> dict[str, Known]:
    """Read known failures; each names its case, a link and a day (yyyy-mm-dd) after which it counts again."""
    try:
        rows = tomllib.loads(path.read_text("utf-8")).get("known", [])
    except OSError as error:
        raise _wrong(path, f"can't be read ({error.strerror})", f"読めません({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _wrong(path, f"is not TOML: {error}", f"TOML ではありません: {error}") from None
    found = {}
    for row in rows if isinstance(rows, list) else [rows]:
        given = row if isinstance(row, dict) else {}
        case, link, expires = (str(given.get(name, "")) for name in ("id", "link", "expires"))
        if case not in ids:
            raise _wrong(path, f"names the case {case!r}, which there is not", f"{case!r} というケースはありません")
        if not link or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", expires):
            raise _wrong(
                path, f"gives no link or no day of expiry for {case}", f"{case} に link か expires がありません"
            )
        if expires < today:
            raise _wrong(
                path, f"lets {case} stand until {expires}, which is over", f"{case} の期限 {expires} は過ぎています"
            )
        found[case] = Known(link, expires, str(given.get("note", "")))
    return found


def _wrong(path: Path, english: str, japanese: str) -> KitError:
    return KitError(f"the known failures {path} {english}", f"既知の不適合 {path}: {japanese}")
