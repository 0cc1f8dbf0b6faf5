# SPDX-License-Identifier: Apache-2.0
"""Runs cases against a target: one after the other, each with ids and people of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import MessageToDict

from chukan.conformance.calls import call
from chukan.conformance.checks import MISSING, broken_rule, look_up, text_of
from chukan.conformance.contract import find_method
from chukan.conformance.masking import masked, masked_at, masked_text
from chukan.conformance.numbers import dummy_individual_number
from chukan.conformance.results import Result, Trace, Verdict, weigh
from chukan.conformance.template import NameUnknownError, filled, requests_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chukan.cases.v1.case_pb2 import Step
    from chukan.conformance.calls import Answer, Channels
    from chukan.conformance.catalogue import Entry
    from chukan.conformance.contract import Method
    from chukan.conformance.profile import Profile
    from chukan.conformance.results import Known

__all__ = ["Runner"]

_CALL_SECONDS: Final = 20.0
_PAUSE_SECONDS: Final = 0.02


@dataclass
class Runner:
    """What all cases of a run share.

    run: digits that make ids and numbers of this run its own, at most 7. patience: how much of the time a step allows
    is waited; less where a failure is expected.
    """

    channels: Channels
    profile: Profile
    run: str
    known: Mapping[str, Known] = field(default_factory=dict)
    patience: float = 1.0
    _serial: int = 0

    def judge(self, entry: Entry) -> Result:
        """Run one case and return how it ended."""
        why = self._unmet(entry)
        if why:
            return Result(entry, Verdict.SKIPPED, note=why)
        self._serial += 1
        began = time.monotonic()
        result = Result(entry, Verdict.PASSED)
        names = self._names(entry)
        for number, step in enumerate(entry.case.steps, 1):
            faults = self._step(entry, step, names, result.trace)
            if faults:
                result.verdict = Verdict.FAILED
                result.faults = [f"step {number} ({step.call}): {fault}" for fault in faults]
                break
        result.seconds = time.monotonic() - began
        weigh(result, self.known)
        return result

    def _unmet(self, entry: Entry) -> str:
        if self.profile.read_only and not entry.case.read_only:
            return "the profile allows reading only"
        if entry.pair is not None and entry.pair >= len(self.profile.pairs):
            return f"the profile has {len(self.profile.pairs)} prepared people, this case needs number {entry.pair + 1}"
        return ""

    def _names(self, entry: Entry) -> dict[str, str]:
        """Return what `${…}` may stand for in this case."""
        names = {f"org.{role}": code for role, code in self.profile.organizations.items()}
        names |= {"run": self.run, "case": f"k{self.run}-{self._serial}"}
        names["individual"] = dummy_individual_number(int(self.run) * 100 % 10**8 + self._serial % 100)
        width = 15 - len(self.profile.fresh) - len(self.run)
        for number in range(1, 10):
            names[f"fresh.{number}"] = f"{self.profile.fresh}{self.run}{self._serial * 10 + number:0{width}d}"
        if entry.pair is not None:
            pair = self.profile.pairs[entry.pair]
            names |= {"pair.inquirer": pair.inquirer, "pair.provider": pair.provider}
        return names

    def _step(self, entry: Entry, step: Step, names: dict[str, str], trace: list[Trace]) -> list[str]:
        """Make the call, again while it may still come right, and return what was not as expected."""

        def value(name: str) -> str:
            if name not in names:
                raise NameUnknownError(name)
            return names[name]

        method = find_method(step.call, entry.file.service)
        caller = step.caller or entry.case.caller
        metadata = self._metadata(caller, step, value)
        if not all(text.isascii() and text.isprintable() for _, text in metadata):
            return ["a value the target gave before fits no metadata"]
        until = time.monotonic() + step.within_seconds * self.patience
        while True:
            try:
                requests = list(requests_of(step, method, entry.file.templates, value))
            except ValueError:
                return ["a value the target gave before fits no request"]
            answer = call(
                self.channels.of(caller), method, requests, metadata=metadata, seconds=_CALL_SECONDS, take=step.take
            )
            faults = _faults(step, method, answer, value)
            if not faults or answer.gone or time.monotonic() >= until:
                break
            time.sleep(_PAUSE_SECONDS)
        trace.append(_traced(method, caller, dict(metadata), requests, answer))
        if not faults:
            faults = _capture(step, method, answer, names, value)
        return faults

    def _metadata(self, caller: str, step: Step, value: Any) -> list[tuple[str, str]]:  # noqa: ANN401  # a function
        sent = {"chukan-system": "conformance", "chukan-mode": self.profile.mode}
        if caller != "-":
            sent["chukan-organization"] = self.profile.organizations[caller]
        sent |= {key: filled(text, value) for key, text in step.metadata.items()}
        return [(key, text) for key, text in sent.items() if text]


def _document(method: Method, answer: Answer) -> Any:  # noqa: ANN401  # JSON
    if method.response_stream:
        return answer.responses
    return answer.responses[0] if answer.responses else {}


def _at(path: str, document: Any, error: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    if path == "":
        return [document, error]
    if path.startswith("error."):
        return look_up(error, path.removeprefix("error."))
    return look_up(document, path)


def _faults(step: Step, method: Method, answer: Answer, value: Any) -> list[str]:  # noqa: ANN401  # a function
    """Return what is not as the step expects it; no value of a person in it."""
    wanted, reason = step.status or "OK", answer.error.get("reason", "")
    if answer.status != wanted:
        text = masked_text(str(answer.error.get("text", "")))
        return [f"got {answer.status} {reason} {text}".rstrip() + f", expected {wanted} {step.reason}".rstrip()]
    faults = []
    if step.reason and reason != step.reason:
        faults.append(f"got the reason {reason or '(none)'}, expected {step.reason}")
    if step.take and len(answer.responses) < step.take:
        faults.append(f"got {len(answer.responses)} answers and the end of the stream, expected {step.take}")
    document = _document(method, answer)
    for check in step.checks:
        path = filled(check.path, value)
        found = _at(path, document, answer.error)
        expected = broken_rule(check, found, value)
        if expected:
            faults.append(f"{check.path or 'the answer'}: got {_shown(path, found)}, expected {masked_text(expected)}")
    return faults


def _shown(path: str, found: Any) -> str:  # noqa: ANN401  # JSON
    if found is MISSING:
        return "nothing"
    return text_of(masked_at(path, found))[:300] or '""'


def _capture(step: Step, method: Method, answer: Answer, names: dict[str, str], value: Any) -> list[str]:  # noqa: ANN401
    document = _document(method, answer)
    for capture in step.captures:
        found = _at(filled(capture.path, value), document, answer.error)
        if found is MISSING or found == "":
            return [f"{capture.path}: got {'nothing' if found is MISSING else 'an empty text'}, expected a value"]
        names[capture.name] = text_of(found)
    return []


def _traced(method: Method, caller: str, metadata: dict[str, str], requests: list[Any], answer: Answer) -> Trace:
    sent = [MessageToDict(request, preserving_proto_field_name=True) for request in requests]
    status = f"{answer.status} (cancelled by the kit)" if answer.cancelled else answer.status
    return Trace(
        call=method.name,
        caller=caller,
        status=status,
        requests=masked(sent),
        responses=masked(answer.responses),
        error=masked(answer.error),
        metadata=masked(metadata),
    )
