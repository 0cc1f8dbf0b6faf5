# SPDX-License-Identifier: Apache-2.0
"""What a case demands of the calls the kit got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chukan.conformance.checks import MISSING, broken_rule, look_up, text_of
from chukan.conformance.masking import masked_at, masked_text
from chukan.conformance.template import NameUnknownError, filled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from chukan.cases.v1.case_pb2 import Check, Demand
    from chukan.conformance.examiner.received import Received

__all__ = ["broken_demands", "called", "unmet"]


def called(call: str, wanted: str) -> bool:
    """Whether a call is one of those meant: "full.Service/Method", "*" at its end for any that begin so."""
    if wanted.endswith("*"):
        return call.startswith(wanted[:-1])
    return not wanted or call == wanted


def broken_demands(demands: Iterable[Demand], calls: Sequence[Received], value: Callable[[str], str]) -> Iterator[str]:
    """Yield what is not as demanded; no value of a person in it."""
    for demand in demands:
        name = demand.call.rpartition(".")[2] or "every call"
        if demand.when:
            name += f" ({', '.join(_condition(check, value) for check in demand.when)})"
        chosen = [each for each in calls if called(each.path, demand.call) and _holds(demand.when, each, value)]
        yield from (f"{name}: {fault}" for fault in _faults(demand, chosen, calls, value))


def _faults(
    demand: Demand, chosen: Sequence[Received], calls: Sequence[Received], value: Callable[[str], str]
) -> Iterator[str]:
    if len(chosen) < demand.at_least:
        yield f"got {len(chosen)} calls, expected at least {demand.at_least}"
    if demand.HasField("at_most") and len(chosen) > demand.at_most:
        yield f"got {len(chosen)} calls, expected at most {demand.at_most}"
    documents = [each.document(before) for each, before in zip(chosen, [None, *chosen], strict=False)]
    yield from _of_each(demand.each, documents, 1, value)
    yield from _of_each(demand.later, documents[1:], 2, value)
    for path in demand.same:
        if len({text_of(look_up(each, path)) for each in documents}) > 1:
            yield f"{path} differs among {len(documents)} calls, expected the same in all"
    for path in demand.distinct:
        seen: list[str] = []
        for found in (look_up(each, path) for each in documents):
            seen += [text_of(one) for one in (found if isinstance(found, list) else [found]) if one is not MISSING]
        if len(set(seen)) < len(seen):
            yield f"{path}: got one of {len(seen)} twice, expected each once"
    if demand.after and chosen and not _answered_before(demand, chosen[0], calls, value):
        condition = ", ".join(_condition(check, value) for check in demand.after_when)
        where = f" ({condition})" if condition else ""
        yield f"came before {demand.after.rpartition('.')[2]}{where} had been answered, expected after it"


def _of_each(
    checks: Iterable[Check], documents: Sequence[dict[str, Any]], first: int, value: Callable[[str], str]
) -> Iterator[str]:
    for check in checks:
        for number, document in enumerate(documents, first):
            fault = unmet(check, document, value)
            if fault:
                yield f"call {number}: {fault}"
                break


def _answered_before(demand: Demand, first: Received, calls: Sequence[Received], value: Callable[[str], str]) -> bool:
    return any(
        each.status == "OK" and each.answered_at is not None and each.answered_at <= first.at
        for each in calls
        if called(each.path, demand.after) and _holds(demand.after_when, each, value)
    )


def _holds(checks: Iterable[Check], call: Received, value: Callable[[str], str]) -> bool:
    return not any(unmet(check, call.document(None), value) for check in checks)


def unmet(check: Check, document: Any, value: Callable[[str], str]) -> str:  # noqa: ANN401  # JSON
    """Return what is not as a check wants it, "" if it is. A value that was never kept is told."""
    try:
        path = filled(check.path, value)
        found = look_up(document, path)
        expected = broken_rule(check, found, value)
    except NameUnknownError as error:
        return f"{check.path}: expected {error}, which never came up"
    if not expected:
        return ""
    shown = "nothing" if found is MISSING else text_of(masked_at(path, found))[:300] or '""'
    return f"{path or 'all of it'}: got {shown}, expected {masked_text(expected)}"


def _condition(check: Check, value: Callable[[str], str]) -> str:
    rule = str(check.WhichOneof("rule"))
    try:
        wanted = filled(str(getattr(check, rule)), value)
    except NameUnknownError as error:
        wanted = str(error)
    return f"{check.path.removeprefix('request.')} {rule} {masked_text(wanted)}"
