# SPDX-License-Identifier: Apache-2.0
"""Whether an address is of this machine alone: what asks nobody who they are is served nowhere else."""

from __future__ import annotations

from ipaddress import ip_address

__all__ = ["is_loopback"]


def is_loopback(host: str) -> bool:
    """Whether a host (a name, or an address of either kind, in brackets or not) is this machine's own."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
