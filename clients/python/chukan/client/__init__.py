# SPDX-License-Identifier: Apache-2.0
"""The Python client of Chukan's contract."""

from chukan.client.client import Client
from chukan.client.tls import ClientTls

__all__ = ["Client", "ClientTls"]
