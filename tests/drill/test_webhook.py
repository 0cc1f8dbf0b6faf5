# SPDX-License-Identifier: Apache-2.0
"""What Alertmanager posts is taken; what is no notification is refused and changes nothing."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from chukan.drill.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as receiving:
        yield receiving


def _post(webhook: Webhook, content: bytes) -> int:
    request = urllib.request.Request(webhook.url, content, {"Content-Type": "application/json"})  # noqa: S310  # loopback
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # loopback
        return int(answer.status)


def _notice(*alerts: tuple[str, str, str]) -> bytes:
    document: dict[str, Any] = {
        "version": "4",
        "alerts": [
            {"status": status, "labels": {"alertname": name, "kind": kind}, "annotations": {}}
            for name, kind, status in alerts
        ],
    }
    return json.dumps(document).encode()


def test_an_alert_stands_until_all_of_its_name_are_resolved(webhook: Webhook) -> None:
    _post(webhook, _notice(("ChukanUnsentOld", "a", "firing"), ("ChukanUnsentOld", "b", "firing")))
    assert webhook.firing() == {"ChukanUnsentOld"}

    _post(webhook, _notice(("ChukanUnsentOld", "a", "resolved")))
    assert webhook.firing() == {"ChukanUnsentOld"}

    _post(webhook, _notice(("ChukanUnsentOld", "b", "resolved")))
    assert webhook.firing() == set()


def test_a_repetition_is_the_same_alert(webhook: Webhook) -> None:
    for _ in range(2):
        _post(webhook, _notice(("ChukanDown", "", "firing")))
    _post(webhook, _notice(("ChukanDown", "", "resolved")))

    assert webhook.firing() == set()
    assert [notice.firing for notice in webhook.told(0)] == [True, True, False]


def test_waiting_ends_with_what_arrives_and_not_before_its_deadline(webhook: Webhook) -> None:
    later = threading.Timer(0.2, _post, (webhook, _notice(("ChukanDown", "", "firing"))))
    begun = time.monotonic()
    later.start()

    assert webhook.wait(lambda: webhook.firing() == {"ChukanDown"}, begun + 30)
    assert 0.2 <= time.monotonic() - begun < 30
    assert not webhook.wait(lambda: not webhook.firing(), time.monotonic() + 0.1)
    later.join()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"alerts": [{}]}'])
def test_what_is_no_notification_is_refused_and_changes_nothing(webhook: Webhook, content: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        _post(webhook, content)

    assert webhook.told(0) == []
    assert _post(webhook, _notice(("ChukanDown", "", "firing"))) == 200
