# SPDX-License-Identifier: Apache-2.0
"""What the kit got from a client: a call per request, with its metadata, its deadline and when it came."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final

from chukan.conformance.masking import masked
from chukan.conformance.results import Trace

__all__ = ["Received", "deadline_of", "plain_metadata", "traces"]

_ENDLESS: Final = 10 * 365 * 86_400
_LONGEST_TRACE: Final = 60


@dataclass(slots=True)
class Received:
    """One request.

    path: "full.Service/Method". deadline: seconds the client gave the call, None if none. output: whether its results
    were there when the call came.
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


def plain_metadata(pairs: Any) -> dict[str, str]:  # noqa: ANN401  # gRPC's own type
    """Return a call's metadata, whoever thought of a key; one given twice shows both values."""
    found: dict[str, str] = {}
    for key, value in pairs or ():
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _is_named(key: str) -> bool:
    """Whether the contract names a key: what else a client sends is judged and not shown."""
    return key.startswith("chukan-") or key in ("authorization", "traceparent")


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
            metadata=masked({key: text for key, text in each.metadata.items() if _is_named(key)}),
        )
        for each in calls[-_LONGEST_TRACE:]
    ]
