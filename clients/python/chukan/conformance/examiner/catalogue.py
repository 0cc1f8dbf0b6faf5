# SPDX-License-Identifier: Apache-2.0
"""The cases for clients: read as those for servers are, and checked as far as they can be without a client."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from google.protobuf.json_format import ParseError

from chukan.conformance.catalogue import STATUSES, Entry, broken, gather, path_faults, pattern_faults, wanted, where
from chukan.conformance.checks import parts_of
from chukan.conformance.contract import find_method
from chukan.conformance.examiner.paths import methods_meant, unknown_of_call, unknown_of_request, unknown_of_row
from chukan.conformance.examiner.play import built
from chukan.conformance.examiner.profile import TASKS
from chukan.conformance.template import NameUnknownError, document_of, filled, laid_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from chukan.cases.v1.case_pb2 import Answer, Case, CaseFile, Check, Demand
    from chukan.conformance.contract import Method

__all__ = ["given_names", "read_client_cases"]

_GIVEN: Final = re.compile(r"organization|mode|individual\.[1-9]")
_OF_REQUEST: Final = re.compile(r"(request|row)\..+|at")
_REASON: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_LONGEST: Final = 600
_TABLES: Final = ("results", "rejects")


def given_names(organization: str, mode: str, individuals: Iterable[str]) -> dict[str, str]:
    """Return what `${…}` may stand for before the client has called."""
    numbered = {f"individual.{at}": number for at, number in enumerate(individuals, 1)}
    return {"organization": organization, "mode": mode} | numbered


def read_client_cases(folder: Path | None = None) -> list[Entry]:
    """Return all cases for clients of a folder (by default the kit's own), file by file. Errors: KitError."""
    place = files("chukan.conformance.examiner").joinpath("cases") if folder is None else folder
    found = gather(place)
    for name, file, case in found:
        for fault in _faults(file, case):
            raise broken(where(name, case), fault)
    return [Entry(case, file) for _, file, case in found]


def _faults(file: CaseFile, case: Case) -> Iterator[str]:
    script = case.script
    yield from _task_faults(file, case)
    answers = [*script.answers, *file.answers]
    kept = {name for each in answers for name in chain(each.keep, *(row.keep for row in each.rows))}
    yield from (
        f"kills at {each.kill_at}, which is never kept" for each in script.tasks if each.kill_at not in {"", *kept}
    )

    def value(name: str) -> str:
        if name in kept or _GIVEN.fullmatch(name) or _OF_REQUEST.fullmatch(name):
            return "1"
        raise NameUnknownError(name)

    tasks = len(script.tasks)
    for number, answer in enumerate(answers, 1):
        if answer.task > tasks and number <= len(script.answers):
            yield f"answer {number} ({answer.call}) is for task {answer.task} of {tasks}"
        yield from (f"answer {number} ({answer.call}) {fault}" for fault in _answer_faults(file, answer, value))
    for number, demand in enumerate(script.demands, 1):
        yield from (f"demand {number} {fault}" for fault in _demand_faults(demand, value, tasks))
    for written in script.written:
        if written.file not in _TABLES or not written.checks:
            yield f"looks at the file {written.file!r} in vain"
        yield from _check_faults(written.checks, value)
        yield from (f"looks at {each.path} of a file" for each in written.checks if parts_of(each.path)[:1] != ["rows"])
    if not (script.demands or script.written):
        yield "demands nothing, so it could not fail"
    yield from (f"is about {each}, which there is not" for each in script.about if not _known(each))


def _task_faults(file: CaseFile, case: Case) -> Iterator[str]:
    script = case.script
    if case.steps or not script.tasks:
        yield "judges servers: give it to `chukan conformance server`" if case.steps else "lacks tasks"
    yield from (f"has the unknown task {each.name!r}" for each in script.tasks if each.name not in TASKS)
    names = {str(PurePosixPath(path)) for path in chain(file.files, script.files)}
    for path in chain(file.files, script.files):
        place = PurePosixPath(path)
        if place.is_absolute() or ".." in place.parts or not place.parts or "\0" in path:
            yield f"has the file {path!r}, which is not below the input folder"
        if any(str(each) in names for each in list(place.parents)[:-1]):
            yield f"has the file {path!r} below another file"


def _answer_faults(file: CaseFile, answer: Answer, value: Callable[[str], str]) -> Iterator[str]:
    if not _known(answer.call) or answer.call.endswith("*"):
        yield "answers what there is not"
        return
    if answer.template and answer.template not in file.templates:
        yield f"has the unknown template {answer.template}"
        return
    yield from _end_faults(answer)
    yield from _check_faults(chain(answer.when, *(row.when for row in answer.rows)), value)
    method = find_method(answer.call, "")
    yield from _when_faults(answer, method)
    watch = method.response_stream and not method.request_stream
    if len(answer.responses) > 1 and not watch:
        yield "has several responses for a method that gives one"
    try:
        under = document_of(file.templates[answer.template], value) if answer.template else {}
        built(method, [laid_over(under, document_of(text, value)) for text in answer.responses or ["{}"]], answer)
        for row in answer.rows:
            entries = {name: [json.loads(filled(text, value))] for name, text in row.entries.items()}
            built(method, [entries], answer)
        for text in chain(answer.keep.values(), *(row.keep.values() for row in answer.rows)):
            filled(text, value)
    except NameUnknownError as error:
        yield f"names something that there is not: {error}"
    except (ParseError, ValueError) as error:
        yield f"has a response that is none: {error}"


def _when_faults(answer: Answer, method: Method) -> Iterator[str]:
    yield from unknown_of_request((each.path for each in answer.when), method)
    of_rows = [each.path for row in answer.rows for each in row.when]
    if answer.rows_of and answer.rows_of not in method.request().DESCRIPTOR.fields_by_name:
        yield f"has rows of {answer.rows_of}, which is no field of its request"
    elif answer.rows_of:
        yield from unknown_of_row(of_rows, method, answer.rows_of)
    else:
        yield from unknown_of_request(of_rows, method)


def _end_faults(answer: Answer) -> Iterator[str]:
    if answer.reason and not _REASON.fullmatch(answer.reason):
        yield f"has the reason {answer.reason!r}, which is none"
    if answer.status and (answer.status not in STATUSES or answer.status == "OK"):
        yield f"ends with the status {answer.status}, which there is not"
    for name in ("delay", "retry_after", "seconds"):
        number = getattr(answer, name)
        if not 0 <= number <= _LONGEST:
            yield f"has a {name} of {number}, expected 0 to {_LONGEST} seconds"
    if (answer.pushback or answer.retry_after) and not (answer.status and answer.reason):
        yield "names a delay, but no refusal with a reason that could bear it"
    if answer.pushback and not answer.retry_after:
        yield "has a pushback without a delay"


def _demand_faults(demand: Demand, value: Callable[[str], str], tasks: int) -> Iterator[str]:
    yield from (
        f"is about {each}, which there is not" for each in (demand.call, demand.after) if each and not _known(each)
    )
    yield from _check_faults(chain(demand.when, demand.each, demand.later, demand.after_when), value)
    yield from path_faults(chain(demand.same, demand.distinct))
    checks = [each.path for each in chain(demand.when, demand.each, demand.later)]
    yield from unknown_of_call(chain(checks, demand.same, demand.distinct), methods_meant(demand.call))
    yield from unknown_of_call((each.path for each in demand.after_when), methods_meant(demand.after))
    for check in chain(demand.when, demand.each, demand.later, demand.after_when):
        if check.path == "task" and check.equals not in map(str, range(1, tasks + 1)):
            yield f"is about task {wanted(check)} of {tasks}"
    rules = (demand.at_least, demand.HasField("at_most"), demand.each, demand.later, demand.same, demand.distinct)
    if not (any(rules) or demand.after):
        yield "demands nothing, so it could not fail"


def _check_faults(checks: Iterable[Check], value: Callable[[str], str]) -> Iterator[str]:
    for check in checks:
        yield from path_faults([check.path])
        yield from pattern_faults([check])
        try:
            filled(check.path, value)
            filled(wanted(check), value)
        except NameUnknownError as error:
            yield f"names something that there is not: {error}"
        except ValueError as error:
            yield f"has {error}"


def _known(call: str) -> bool:
    """Whether a call is a method's full name, or the beginning of one."""
    if call.endswith("*"):
        return bool(methods_meant(call)) if "/" in call else call.startswith("chukan.")
    try:
        find_method(call, "")
    except LookupError:
        return False
    return "/" in call
