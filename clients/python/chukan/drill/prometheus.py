# SPDX-License-Identifier: Apache-2.0
"""What Prometheus itself says: whether it sees the server yet, and which alerts it has pending or firing."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, Final

__all__ = ["Prometheus"]

_SECONDS: Final = 10


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

    def _ask(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self._address}/api/v1/{what}", timeout=_SECONDS) as answer:  # noqa: S310  # loopback
            document: dict[str, Any] = json.load(answer)
        data: dict[str, Any] = document["data"]
        return data
