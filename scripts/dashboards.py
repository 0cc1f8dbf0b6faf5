# SPDX-License-Identifier: Apache-2.0
"""Generates monitoring/grafana from chukan.monitoring.dashboards (or into the folder given)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from generate import replace

from chukan.monitoring.dashboards import documents

ROOT: Final = Path(__file__).resolve().parent.parent
GRAFANA: Final = ROOT / "monitoring" / "grafana"

if __name__ == "__main__":
    replace(Path(sys.argv[1]) if len(sys.argv) > 1 else GRAFANA, documents())
