# SPDX-License-Identifier: Apache-2.0
"""One case being played: which answer fits a call, and what has been kept of the calls before."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.json_format import ParseDict

from chukan.conformance.calls import plain
from chukan.conformance.checks import MISSING, broken_rule, look_up, text_of
from chukan.conformance.template import NameUnknownError, document_of, filled, laid_over

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from google.protobuf.message import Message

    from chukan.cases.v1.case_pb2 import Answer, Check, RowAnswer
    from chukan.conformance.contract import Method
    from chukan.conformance.examiner.received import Received

__all__ = ["Play", "Reply", "built"]

_UNKNOWN_FIELD: Final = b"\x80\xe2\x09\x01"
"""Field 20,000 with the value 1, as no message of the contract has it."""


@dataclass(slots=True)
class Reply:
    """What is said to one request. pending: responses of a watch that wait for a value, and those behind them."""

    answer: Answer
    responses: list[Message]
    pending: list[str] = field(default_factory=list)


class Play:
    """The state of a case while the client works: values kept, answers used up, calls received. case: its id."""

    def __init__(
        self, case: str, answers: Sequence[Answer], templates: Mapping[str, str], given: Mapping[str, str]
    ) -> None:
        self.case = case
        self.task = 0
        self.calls: list[Received] = []
        self.names = dict(given)
        self.changed = Condition()
        self._answers = answers
        self._templates = templates
        self._used: dict[int, int] = {}
        self._began: dict[int, float] = {}

    def begin(self, task: int) -> None:
        """Go on to a task, counted from 1."""
        with self.changed:
            self.task = task

    def note(self, call: Received) -> None:
        """Take a call into the books."""
        with self.changed:
            self.calls.append(call)
            self.changed.notify_all()

    def kept(self, name: str) -> bool:
        """Whether a value has been kept."""
        with self.changed:
            return name in self.names

    def reply(self, method: Method, request: Message) -> Reply | None:
        """Return what the first answer that fits says; None if none does."""
        document = plain(request)
        with self.changed:
            for number, answer in enumerate(self._answers):
                if not self._fits(number, answer, method, document):
                    continue
                try:
                    found = self._made(answer, method, document)
                except NameUnknownError:
                    continue
                self._began.setdefault(number, time.monotonic())
                self._used[number] = self._used.get(number, 0) + 1
                self.changed.notify_all()
                return found
        return None

    def resumed(self, reply: Reply, method: Method, seconds: float) -> bool:
        """Wait until the next response of a watch can be made, and make it; False if the time was over before."""
        with self.changed:
            try:
                made = built(method, [document_of(reply.pending[0], self._value({}))], reply.answer)
            except NameUnknownError:
                self.changed.wait(seconds)
                return False
            reply.responses += made
            del reply.pending[0]
            return True

    def _fits(self, number: int, answer: Answer, method: Method, document: dict[str, Any]) -> bool:
        if answer.call != method.path[1:] or (answer.task and answer.task != self.task):
            return False
        if answer.times and self._used.get(number, 0) >= answer.times:
            return False
        if answer.seconds and time.monotonic() - self._began.get(number, math.inf) > answer.seconds:
            return False
        return _hold(answer.when, document, self._value({"request": document}))

    def _made(self, answer: Answer, method: Method, document: dict[str, Any]) -> Reply:
        value = self._value({"request": document})
        if method.response_stream and not method.request_stream:
            texts = _behind(list(answer.responses), str(document.get("resume_token", "")))
            self._keep(answer.keep, value)
            return Reply(answer, [], texts)
        under = document_of(self._templates[answer.template], value) if answer.template else {}
        text = answer.responses[0] if answer.responses else "{}"
        response = laid_over(under, document_of(text, value))
        kept: dict[str, str] = {}
        if not answer.rows_of:
            self._add_known(answer.rows, document, response)
        for at, row in enumerate(rows_of(document, answer.rows_of) if answer.rows_of else ()):
            value_of_row = self._value({"request": document, "row": row, "at": at})
            self._add_row(answer.rows, row, response, value_of_row, kept)
        made = built(method, [response], answer)
        self._keep(answer.keep, value)
        self.names.update(kept)
        return Reply(answer, made)

    def _add_known(self, rows: Iterable[RowAnswer], document: dict[str, Any], response: dict[str, Any]) -> None:
        """Add each that names only what is known."""
        value = self._value({"request": document})
        for said in rows:
            if _hold(said.when, document, value):
                with suppress(NameUnknownError):
                    _add(said, response, value)

    @staticmethod
    def _add_row(
        rows: Iterable[RowAnswer],
        row: dict[str, Any],
        response: dict[str, Any],
        value: Callable[[str], str],
        kept: dict[str, str],
    ) -> None:
        for said in rows:
            if _hold(said.when, row, value):
                _add(said, response, value)
                kept.update({name: filled(text, value) for name, text in said.keep.items()})
                return

    def _keep(self, keep: Mapping[str, str], value: Callable[[str], str]) -> None:
        self.names.update({name: filled(text, value) for name, text in keep.items()})

    def _value(self, beside: Mapping[str, Any]) -> Callable[[str], str]:
        def value(name: str) -> str:
            if name in self.names:
                return self.names[name]
            found = look_up(beside, name)
            if found is MISSING:
                raise NameUnknownError(name)
            return text_of(found)

        return value

    def named(self) -> Callable[[str], str]:
        """Return what gives the values kept so far."""
        return self._value({})


def built(method: Method, documents: Iterable[Any], answer: Answer) -> list[Message]:
    """Return responses as messages. Errors: ParseError (no response of this method)."""
    made = [ParseDict(document, method.response()()) for document in documents]
    if answer.unknown_field:
        made = [method.response().FromString(each.SerializeToString() + _UNKNOWN_FIELD) for each in made]
    return made


def rows_of(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a request's rows: the entries of a list of messages, or the columns' entries taken together."""
    entries = document.get(name, [])
    if entries and isinstance(entries[0], dict):
        return list(entries)
    columns = {key: each for key, each in document.items() if isinstance(each, list) and len(each) == len(entries)}
    return [{key: column[at] for key, column in columns.items()} for at in range(len(entries))]


def _add(said: RowAnswer, response: dict[str, Any], value: Callable[[str], str]) -> None:
    """Add a row's entries, all of them or none. Errors: NameUnknownError."""
    made = {name: document_of(entry, value) for name, entry in said.entries.items()}
    for name, entry in made.items():
        response.setdefault(name, []).append(entry)


def _hold(checks: Iterable[Check], document: Any, value: Callable[[str], str]) -> bool:  # noqa: ANN401  # JSON
    """Whether all of these are true; one that names a value that is not known is not."""
    try:
        return not any(broken_rule(check, look_up(document, filled(check.path, value)), value) for check in checks)
    except NameUnknownError:
        return False


def _behind(texts: list[str], token: str) -> list[str]:
    """Return the responses behind the one that bears this token; all if the token is empty or nobody's."""
    for at, text in enumerate(texts):
        if token and json.loads(text).get("resume_token") == token:
            return texts[at + 1 :]
    return texts
