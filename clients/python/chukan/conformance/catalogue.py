# SPDX-License-Identifier: Apache-2.0
"""The cases: read from TOML, checked as far as they can be without a target, selected."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf.json_format import ParseDict, ParseError

from chukan.cases.v1.case_pb2 import LEVEL_UNSPECIFIED, CaseFile, Level
from chukan.conformance.checks import broken_path
from chukan.conformance.contract import find_method
from chukan.conformance.problem import KitError
from chukan.conformance.profile import ROLES
from chukan.conformance.template import filled, requests_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from chukan.cases.v1.case_pb2 import Case, Check, Step

__all__ = [
    "LEVELS",
    "STATUSES",
    "Entry",
    "broken",
    "gather",
    "path_faults",
    "pattern_faults",
    "people_needed",
    "read_cases",
    "select",
    "wanted",
    "where",
]

LEVELS: Final = tuple(name.removeprefix("LEVEL_") for name in Level.keys()[1:])

_ID: Final = re.compile(r"[A-Z]{3}-[0-9]+/[0-9]+")
_GIVEN: Final = re.compile(r"run|case|individual|org\.(inquirer|provider|bystander)|fresh\.[1-9]")
_KEY: Final = re.compile(r"[a-z][a-z0-9-]*")
STATUSES: Final = frozenset(status.name for status in grpc.StatusCode if status is not grpc.StatusCode.OK)
_PAIR: Final = re.compile(r"pair\.(inquirer|provider)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A case and the file it stands in. pair: which prepared person it uses, counted over all cases; None: none."""

    case: Case
    file: CaseFile
    pair: int | None = None

    @property
    def level(self) -> str:
        """MUST, SHOULD or INFERRED."""
        return Level.Name(self.case.level).removeprefix("LEVEL_")

    @property
    def clause(self) -> str:
        """The clause of docs/spec."""
        return self.case.id.partition("/")[0]

    @property
    def service(self) -> str:
        """The service's name without its package."""
        return self.file.service.rpartition(".")[2]


def read_cases(folder: Path | None = None) -> list[Entry]:
    """Return all cases for servers of a folder (by default the kit's own), file by file. Errors: KitError."""
    place = files("chukan.conformance").joinpath("cases") if folder is None else folder
    entries, pairs = [], 0
    for name, file, case in gather(place):
        uses = _check(name, file, case)
        entries.append(Entry(case, file, pairs if uses else None))
        pairs += uses
    return entries


def gather(place: Any) -> list[tuple[str, CaseFile, Case]]:  # noqa: ANN401  # a Path or a package's resource
    """Return all cases of a folder with their files, no id twice; what is common to all kinds of cases is checked."""
    try:
        paths = sorted((path for path in place.iterdir() if path.name.endswith(".toml")), key=lambda path: path.name)
    except OSError as error:
        raise broken(str(place), f"can't be read ({error.strerror})") from None
    parsed = [(path.name, _file(path)) for path in paths]
    found = [(name, file, case) for name, file in parsed for case in file.cases]
    if not found:
        raise broken(str(place), "holds no cases")
    twice = [case_id for case_id, count in Counter(case.id for _, _, case in found).items() if count > 1]
    if twice:
        raise broken(str(place), f"has the id {twice[0]} twice")
    for name, file, case in found:
        if not _ID.fullmatch(case.id):
            raise broken(where(name, case), "has an id unlike FGU-1/1")
        if case.level == LEVEL_UNSPECIFIED or not (case.title and case.title_ja and file.source):
            raise broken(where(name, case), "lacks level, title, title_ja or the file's source")
    return found


def where(name: str, case: Case) -> str:
    """Return where a fault is: file and case."""
    return f"{name}, case {case.id or '(no id)'}"


def people_needed(entries: Sequence[Entry]) -> int:
    """Return how many prepared people the cases use."""
    return max((entry.pair + 1 for entry in entries if entry.pair is not None), default=0)


def select(
    entries: Sequence[Entry], *, only: Sequence[str] = (), levels: Sequence[str] = (), services: Sequence[str] = ()
) -> list[Entry]:
    """Return those whose id meets a pattern, of these levels, of these services; nothing given means all."""
    for level in levels:
        if level not in LEVELS:
            raise KitError(
                f"got the level {level}, expected one of {', '.join(LEVELS)}",
                f"レベル {level} はありません。{', '.join(LEVELS)} のいずれかです",
            )
    for pattern in only:
        if not any(_meets(entry, pattern) for entry in entries):
            raise KitError(f"no case or clause is called {pattern}", f"{pattern} に当たるケースも条項もありません")
    chosen = [
        entry
        for entry in entries
        if (not only or any(_meets(entry, pattern) for pattern in only))
        and (not levels or entry.level in levels)
        and (not services or entry.service in services or entry.file.service in services)
    ]
    if not chosen:
        raise KitError("no case is selected by these options", "この指定に当たるケースがありません")
    return chosen


def _meets(entry: Entry, pattern: str) -> bool:
    return fnmatchcase(entry.case.id, pattern) or entry.clause == pattern


def _file(path: Any) -> CaseFile:  # noqa: ANN401  # a Path or a package's resource
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        return ParseDict(document, CaseFile())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise broken(path.name, f"is not TOML: {error}") from None
    except ParseError as error:
        raise broken(path.name, f"is not a file of cases: {error}") from None
    except OSError as error:
        raise broken(path.name, f"can't be read ({error.strerror})") from None


def _check(name: str, file: CaseFile, case: Case) -> bool:
    """Refuse what could never run, or never fail; say whether the case needs a prepared person."""
    if case.HasField("script"):
        raise broken(where(name, case), "judges clients: give it to `chukan conformance client`")
    if not case.steps:
        raise broken(where(name, case), "lacks steps")
    known: set[str] = set()
    used: set[str] = set()
    for number, step in enumerate(case.steps, 1):
        for fault in _faults(file, case, step, known, used):
            raise broken(f"{where(name, case)}, step {number}", fault)
        known |= {capture.name for capture in step.captures}
    return any(_PAIR.fullmatch(each) for each in used)


def _faults(file: CaseFile, case: Case, step: Step, known: set[str], used: set[str]) -> Iterator[str]:
    def value(name: str) -> str:
        if not (name in known or _GIVEN.fullmatch(name) or _PAIR.fullmatch(name)):
            raise LookupError(name)
        used.add(name)
        return "1"

    yield from _plain_faults(file, case, step)
    paths = [*(check.path for check in step.checks), *(capture.path for capture in step.captures)]
    yield from path_faults(paths)
    try:
        method = find_method(step.call, file.service)
        requests = list(requests_of(step, method, file.templates, value))
        for text in (*paths, *step.metadata.values(), *(wanted(check) for check in step.checks)):
            filled(text, value)
    except LookupError as error:
        yield f"names something that there is not: {error}"
    except ValueError as error:
        yield f"has a request or check that is none: {error}"
    else:
        if len(requests) > 1 and not method.request_stream:
            yield "has several requests for a method that takes one"


def _plain_faults(file: CaseFile, case: Case, step: Step) -> Iterator[str]:
    caller = step.caller or case.caller
    if caller not in (*ROLES, "-"):
        yield f"has the caller {caller!r}, expected one of {', '.join(ROLES)} or -"
    if step.template and step.template not in file.templates:
        yield f"has the unknown template {step.template}"
    if step.status and step.status not in STATUSES:
        yield f"expects the status {step.status}, which there is not"
    yield from (f"has the metadata key {key!r}, which is none" for key in step.metadata if not _KEY.fullmatch(key))
    yield from pattern_faults(step.checks)
    if not (step.checks or step.status or step.captures):
        yield "expects nothing, so it could not fail"


def path_faults(paths: Iterable[str]) -> Iterator[str]:
    """Say which paths are none."""
    yield from (f"has the path {path}, which is none" for path in paths if broken_path(path))


def pattern_faults(checks: Iterable[Check]) -> Iterator[str]:
    """Say which patterns are none."""
    for check in checks:
        try:
            re.compile(check.matches)
        except re.error as error:
            yield f"has a pattern that is none: {error}"


def wanted(check: Check) -> str:
    """Return what a check wants, as text. Errors: ValueError (it has no rule)."""
    rule = check.WhichOneof("rule")
    if rule is None:
        raise ValueError(f"a check of {check.path or 'the answer'} without a rule")
    return str(getattr(check, rule))


def broken(place: str, english: str) -> KitError:
    """Return the error of a file of cases that can't be used."""
    return KitError(f"the cases can't be used: {place} {english}", f"ケースを読み込めません: {place}: {english}")
