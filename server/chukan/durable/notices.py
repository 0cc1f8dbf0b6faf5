# SPDX-License-Identifier: Apache-2.0
"""What a write wants told to others once it is committed, kept beside the connection it runs on.

A write that fails takes its notices with it; listeners hear those of a whole group at once, after its COMMIT and before
any reply, in commit order.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Listener", "Notices", "Publisher", "attach", "note"]

Listener = Callable[[list[Any]], None]
Notices = dict[str, list[Any]]

_KEY: Final = "chukan.notices"


def attach(connection: Connection) -> Callable[[Notices], None]:
    """Return a setter that makes later notes on the connection go into the given notices."""
    info = connection.info

    def collect(notices: Notices) -> None:
        info[_KEY] = notices

    return collect


def note(connection: Connection, topic: str, value: object) -> None:
    """Tell the listeners of the topic this value when the running write is committed."""
    notices: Notices | None = connection.info.get(_KEY)
    if notices is None:
        message = "got a connection outside a write, expected the one the write was given"
        raise RuntimeError(message)
    notices.setdefault(topic, []).append(value)


class Publisher:
    """The listeners of each topic; they run on the committing thread, so they must be short and never write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, tuple[Listener, ...]] = {}

    def subscribe(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Add a listener and return what removes it."""
        with self._lock:
            self._listeners[topic] = (*self._listeners.get(topic, ()), listener)

        def unsubscribe() -> None:
            with self._lock:
                kept = tuple(other for other in self._listeners[topic] if other is not listener)
                self._listeners[topic] = kept

        return unsubscribe

    def publish(self, notices: Notices) -> None:
        """Tell the listeners of every topic its values."""
        for topic, values in notices.items():
            for listener in self._listeners.get(topic, ()):
                listener(values)
