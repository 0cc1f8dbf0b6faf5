# SPDX-License-Identifier: Apache-2.0
"""What Prometheus itself says: whether it sees the server, which alerts it has pending or firing, what it gave up."""

from __future__ import annotations

import json
import math
import urllib.parse
import urllib.request
from typing import Any, Final

from chukan.drill.results import Scrapes
from chukan.monitoring.scaling import seconds_of

__all__ = ["Prometheus"]

_SECONDS: Final = 10
_TARGET: Final = '{job="chukan"}'


class Prometheus:
    """Asks one on this machine. Errors: OSError."""

    def __init__(self, address: str) -> None:
        self._address = address

    def alerts(self) -> set[str]:
        """Return the names of alerts that fire or may fire soon."""
        return {str(each["labels"]["alertname"]) for each in self._ask("alerts")["alerts"]}

    def sees_the_server(self) -> bool:
        """Whether all targets are up and every rule has been evaluated without error."""
        targets = self._ask("targets")["activeTargets"]
        rules = [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]
        up = bool(targets) and all(target["health"] == "up" for target in targets)
        return up and bool(rules) and all(rule["health"] == "ok" for rule in rules)

    def scrapes(self, seconds: float) -> Scrapes:
        """Return how many scrapes of the server there were in the last so many seconds, and how many came too late.

        One that nobody answers because the server is down ends at once; one that is late lasts until it is given up.
        """
        up, lasted = (self._samples(name, seconds) for name in ("up", "scrape_duration_seconds"))
        lost = [lasted[at] for at, seen in up.items() if not seen and at in lasted]
        (target,) = self._ask("targets")["activeTargets"]
        given_up_after = seconds_of(target["scrapeTimeout"])
        late = sum(each >= given_up_after for each in lost)
        return Scrapes(count=len(up), late=late, given_up_after=given_up_after)

    def _samples(self, name: str, seconds: float) -> dict[float, float]:
        found = self._ask("query", query=f"{name}{_TARGET}[{math.ceil(seconds)}s]")["result"]
        return {float(at): float(value) for series in found for at, value in series["values"]}

    def _ask(self, what: str, **parameters: str) -> dict[str, Any]:
        asked = f"{self._address}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310  # loopback
            document: dict[str, Any] = json.load(answer)
        data: dict[str, Any] = document["data"]
        return data
