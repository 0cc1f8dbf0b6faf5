# SPDX-License-Identifier: Apache-2.0
"""The tools a drill needs; without them a test says NOT RUN."""

from tests.monitoring.conftest import tool

__all__ = ["tool"]
