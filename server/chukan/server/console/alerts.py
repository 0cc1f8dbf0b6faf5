# SPDX-License-Identifier: Apache-2.0
"""Alerts that an Alertmanager holds now (its API v2), read over HTTP; an Alertmanager that is away is a sentence."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from chukan.server.console.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Alert", "Alerts", "alerts_at"]

_SECONDS: Final = 2.0
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

    @property
    def active(self) -> list[Alert]:
        """Those that nobody silenced."""
        return [each for each in self.found if not each.silenced]


def alerts_at(address: str) -> Alerts:
    """Ask the Alertmanager at an address; empty is none."""
    if not address:
        return Alerts(told="alerts_not_given")
    request = Request(f"{address.rstrip('/')}/api/v2/alerts")  # noqa: S310  # http or https, as the setting is read
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=_SECONDS) as answer:
            document = json.loads(answer.read(_MOST_BYTES))
        found = [_alert(each) for each in document]
    except (URLError, OSError, TimeoutError):
        return Alerts(told="alerts_unreachable")
    except (ValueError, TypeError, KeyError, AttributeError):
        return Alerts(told="alerts_not_understood")
    return Alerts(sorted(found, key=lambda each: (each.silenced, each.severity != "critical", each.name)))


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
    except ValueError:
        return None
    return found if found.tzinfo else None
