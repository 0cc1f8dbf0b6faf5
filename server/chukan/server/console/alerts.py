# SPDX-License-Identifier: Apache-2.0
"""Alerts that an Alertmanager holds now (its API v2), read over HTTP; an Alertmanager that is away is a sentence."""

from __future__ import annotations

import json
import re
import socket
import threading
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from chukan.server.console.language import Text
from chukan.standard.clock import JAPAN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Alert", "AlertSource", "Alerts"]

_SECONDS: Final = 2.0
"""How long all of an answer may take."""
_FRESH_SECONDS: Final = 3.0
_MOST_SHOWN: Final = 200
_MOST_BYTES: Final = 4 * 1024 * 1024
_RUNBOOK: Final = re.compile(r"(?:.*/)?([A-Za-z0-9]{1,64})\.md")
_PAGE: Final = re.compile(r"https?://[^\s\"'<>]+")
_SHOWN_LABELS: Final = ("information", "kind", "reason", "instance")


class Alert(NamedTuple):
    """One alert. runbook: the name of its page; runbook_url: where it is, if that is an address of the web."""

    name: str
    severity: str
    summary: Text
    description: Text
    since: datetime | None
    silenced: bool
    labels: Sequence[str]
    runbook: str
    runbook_url: str


class Alerts(NamedTuple):
    """What was found: told is the key of a text if there is no list to show."""

    found: Sequence[Alert] = ()
    told: str = ""
    more: int = 0
    """How many there are beyond those."""

    @property
    def active(self) -> list[Alert]:
        """Those that nobody silenced."""
        return [each for each in self.found if not each.silenced]


class AlertSource:
    """Asks the Alertmanager at an address, empty for none: one question at a time, its answer shared by all pages."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._asking: _Asking | None = None
        self._last = Alerts(told="alerts_not_given")
        self._until = 0.0

    def look(self) -> Alerts:
        """Return what it held some seconds ago at most."""
        if not self._address:
            return self._last
        with self._lock:
            if monotonic() >= self._until:
                self._last = self._ask()
                self._until = monotonic() + _FRESH_SECONDS
            return self._last

    def _ask(self) -> Alerts:
        if self._asking is not None and self._asking.is_alive():
            return Alerts(told="alerts_unreachable")  # the question before hangs yet
        self._asking = _Asking(self._address)
        self._asking.start()
        self._asking.join(_SECONDS)
        if self._asking.is_alive():
            self._asking.break_off()
            return Alerts(told="alerts_unreachable")
        return self._asking.found


class _Asking(threading.Thread):
    """One question, in a thread of its own: who drips bytes keeps every read waiting, but nobody else."""

    def __init__(self, address: str) -> None:
        super().__init__(name="chukan-console-alerts", daemon=True)
        self._address = address
        self._connection: HTTPConnection | None = None
        self.found = Alerts(told="alerts_unreachable")

    def run(self) -> None:
        try:
            self.found = _alerts(self._answer())
        except OSError:
            self.found = Alerts(told="alerts_unreachable")
        except Exception:  # noqa: BLE001  # whatever a strange program sends, it is no Alertmanager
            self.found = Alerts(told="alerts_not_understood")

    def break_off(self) -> None:
        """Have a read that waits end."""
        made = self._connection.sock if self._connection else None
        if made is not None:
            with suppress(OSError):
                made.shutdown(socket.SHUT_RDWR)

    def _answer(self) -> bytes:
        """Return the body; one byte more than the most where there is more. Redirections are not followed."""
        parts = urlsplit(self._address)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
        try:
            self._connection.request("GET", f"{parts.path.rstrip('/')}/api/v2/alerts")
            answer = self._connection.getresponse()
            body = answer.read(_MOST_BYTES + 1)
            if answer.status != HTTPStatus.OK or (answer.length and len(body) <= _MOST_BYTES):
                raise HTTPException  # an answer that is cut short is none
        finally:
            self._connection.close()
        return body


def _alerts(body: bytes) -> Alerts:
    """Read an answer. Errors: ValueError and others for what is none."""
    if len(body) > _MOST_BYTES:
        return Alerts(told="alerts_too_many")
    document = json.loads(body)
    if not isinstance(document, list):
        raise TypeError
    json.dumps(document, ensure_ascii=False).encode()  # half a character could not be shown
    found = sorted(map(_alert, document), key=lambda each: (each.silenced, each.severity != "critical", each.name))
    return Alerts(found[:_MOST_SHOWN], more=max(len(found) - _MOST_SHOWN, 0))


def _alert(alert: Mapping[str, Any]) -> Alert:
    labels, said = alert["labels"], alert.get("annotations") or {}
    name = str(labels["alertname"])
    place = str(said.get("runbook_url", ""))
    page = _RUNBOOK.fullmatch(place)
    return Alert(
        name,
        str(labels.get("severity", "")),
        _both(said, "summary", name),
        _both(said, "description", ""),
        _instant(str(alert.get("startsAt", ""))),
        (alert.get("status") or {}).get("state") == "suppressed",
        [f"{key}={labels[key]}" for key in _SHOWN_LABELS if key in labels],
        page[1] if page else "",
        place if _PAGE.fullmatch(place) else "",
    )


def _both(said: Mapping[str, Any], key: str, otherwise: str) -> Text:
    english = str(said.get(key, otherwise))
    return Text(english, str(said.get(f"{key}_ja", english)))


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(JAPAN) if found.tzinfo else None
    except (ValueError, OverflowError):  # none, or none a page could show
        return None
