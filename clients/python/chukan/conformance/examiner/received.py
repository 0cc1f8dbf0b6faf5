# SPDX-License-Identifier: Apache-2.0
"""What the kit got from a client: a call per request, with its metadata, its deadline and when it came."""

from __future__ import annotations

import time
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Final

from chukan.conformance.masking import masked
from chukan.conformance.results import Trace

__all__ = ["Received", "deadline_of", "metadata_of", "one_of", "sent_rows", "traces"]

_ENDLESS: Final = 10 * 365 * 86_400
_LONGEST_TRACE: Final = 60


@dataclass(slots=True)
class Received:
    """One request.

    path: "full.Service/Method". metadata: all of it, whatever the client named it. deadline: seconds the client gave
    the call, None if none. output: whether the results it acknowledges had been
    written when the call came.
    """

    path: str
    request: dict[str, Any]
    metadata: dict[str, str]
    deadline: float | None
    task: int
    output: bool
    at: float = field(default_factory=time.monotonic)
    status: str = ""
    reason: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)
    answered_at: float | None = None

    @property
    def call(self) -> str:
        """Service and method without the package."""
        return self.path.rpartition(".")[2]

    def answered(self, status: str, reason: str = "") -> None:
        """Note how it ended, and when."""
        self.status, self.reason, self.answered_at = status, reason, time.monotonic()

    def document(self, before: Received | None) -> dict[str, Any]:
        """Return it as a case looks at it; before: the one before of those looked at."""
        found: dict[str, Any] = {
            "call": self.call,
            "request": self.request,
            "rows": sent_rows(self.request),
            "metadata": {key.replace("-", "_"): text for key, text in self.metadata.items()},
            "task": self.task,
            "status": self.status,
            "output": self.output,
            "answers": self.answers,
        }
        if self.deadline is not None:
            found["deadline_ms"] = int(self.deadline * 1000)
        if before is not None:
            found["since_ms"] = int((self.at - before.at) * 1000)
        return found


def metadata_of(pairs: Any) -> dict[str, str]:  # noqa: ANN401  # gRPC's own type
    """Return a call's metadata as text, binary too and in one width; a key given twice has both values."""
    found: dict[str, str] = {}
    for key, given in pairs or ():
        raw = given.decode("utf-8", "replace").replace("\0", "") if isinstance(given, bytes) else str(given)
        text = unicodedata.normalize("NFKC", raw)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _shown(metadata: dict[str, str]) -> dict[str, str]:
    """Return what the contract names of a call's metadata; nobody knows what stands in the rest."""
    named = (key for key in metadata if key.startswith("chukan-") or key in ("authorization", "traceparent"))
    return {key: metadata[key] for key in named}


def sent_rows(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a request asks for or registers row by row, the same whichever method takes it.

    Rows are the messages of a list, columns taken together, each by the name of one of its values, or the one message.
    """
    lists = {name: each for name, each in request.items() if isinstance(each, list) and each}
    for each in lists.values():
        if isinstance(each[0], dict) and not any(isinstance(other[0], str) for other in lists.values()):
            return list(each)
    length = len(lists.get("record_ids", next(iter(lists.values()), [])))
    if length:
        columns = {one_of(name): each for name, each in lists.items() if len(each) == length}
        return [{name: column[at] for name, column in columns.items()} for at in range(length)]
    return [each for name, each in request.items() if isinstance(each, dict) and name != "header"][:1]


def one_of(column: str) -> str:
    """Return the name of one value of a column: record_ids, record_id; addresses, address."""
    return column.removesuffix("es") if column.endswith("sses") else column.removesuffix("s")


def deadline_of(remaining: float | None) -> float | None:
    """Return what gRPC says is left of a call's time as a deadline; it says very much where there is none."""
    return None if remaining is None or remaining > _ENDLESS else remaining


def traces(calls: list[Received]) -> list[Trace]:
    """Return the calls as a report may show them: the last ones, because that is where it went wrong."""
    return [
        Trace(
            call=each.call,
            caller=f"task {each.task}, {each.at - calls[0].at:.2f} s",
            status=f"{each.status or 'not answered'} {each.reason}".rstrip(),
            requests=masked([each.request]),
            responses=masked(each.answers),
            error={},
            metadata=masked(_shown(each.metadata)),
        )
        for each in calls[-_LONGEST_TRACE:]
    ]
