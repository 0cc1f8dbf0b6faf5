# SPDX-License-Identifier: Apache-2.0
"""How long a watch or a stream of batches may last; then it is taken up again where it was (docs/calling)."""

from __future__ import annotations

from typing import Final

__all__ = ["STREAM_SECONDS"]

STREAM_SECONDS: Final = 600.0
