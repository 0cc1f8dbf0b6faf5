# SPDX-License-Identifier: Apache-2.0
"""What a world in memory starts from: a whole database, and the key without which its sealed values stay shut."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Image"]


@dataclass(frozen=True, slots=True)
class Image:
    """A database as `Database.image` gave it, and the master key that wraps the keys in it.

    Worlds of one image share its vault's keys and draw their own nonces; in test worlds all values are dummies.
    """

    content: bytes = field(repr=False)
    master_key: bytes = field(repr=False)
