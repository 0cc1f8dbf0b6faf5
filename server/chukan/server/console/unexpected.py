# SPDX-License-Identifier: Apache-2.0
"""What nobody expected goes to the log with its kind and place, not with its text, which may quote a value."""

from __future__ import annotations

from pathlib import PurePath
from traceback import extract_tb

import structlog

__all__ = ["log_unexpected"]

_MOST_FRAMES = 12


def log_unexpected(error: BaseException, *, page: str) -> None:
    """Log what kind of exception came from where."""
    frames = [f"{PurePath(each.filename).name}:{each.lineno} {each.name}" for each in extract_tb(error.__traceback__)]
    structlog.get_logger("chukan.console").error(
        "unexpected_error",
        page=page,
        type=f"{type(error).__module__}.{type(error).__qualname__}",
        frames=frames[-_MOST_FRAMES:],
    )
