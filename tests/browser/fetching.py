# SPDX-License-Identifier: Apache-2.0
"""Plain HTTP, as no browser would send it."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlsplit

__all__ = ["Fetched", "get"]

_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Fetched:
    """An answer. Header names in lower case."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def words(self) -> str:
        """What is to be read, on one line."""
        return _words(self.body)

    @property
    def rows(self) -> list[str]:
        """The rows of tables, as they are to be read."""
        return [_words(row) for row in re.findall(r"<tr.*?</tr>", self.body, re.DOTALL)]


def _words(markup: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", markup)).split())


def get(url: str, *, method: str = "GET", **headers: str) -> Fetched:
    """Send one request and return the answer, redirections too; header names with _ for -."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, headers=named)
    answer = connection.getresponse()
    body = answer.read().decode("utf-8", "replace")
    connection.close()
    return Fetched(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)
