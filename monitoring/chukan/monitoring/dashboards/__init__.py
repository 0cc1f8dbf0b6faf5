# SPDX-License-Identifier: Apache-2.0
"""Grafana dashboards as code. monitoring/grafana holds what is generated from here; servers never import this."""

from __future__ import annotations

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from .overview import overview
from .replicas import replicas

__all__ = ["documents"]


def documents() -> dict[str, bytes]:
    """Return every dashboard's JSON by file name."""
    encoder = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False)
    return {f"{made.uid}.json": f"{encoder.encode(made)}\n".encode() for made in (overview(), replicas())}
