# SPDX-License-Identifier: Apache-2.0
"""gRPC servers and the channels between them: the only place that builds either."""

from chukan.edge.caller import Caller, current_caller
from chukan.edge.channel import open_channel
from chukan.edge.interposition import CutOffError, Interposer, Passage
from chukan.edge.pki import DevelopmentPki, make_development_pki
from chukan.edge.pools import PoolSize, PoolSizes
from chukan.edge.server import EdgeConfig, EdgeConfigError, EdgeServer, build_server
from chukan.edge.service import Service
from chukan.edge.tls import TlsFiles
from chukan.edge.transport import ChannelTransport, InProcessTransport, InterposedTransport, Transport
from chukan.edge.unimplemented import unimplemented, unimplemented_service
from chukan.edge.validation import Validation

__all__ = [
    "Caller",
    "ChannelTransport",
    "CutOffError",
    "DevelopmentPki",
    "EdgeConfig",
    "EdgeConfigError",
    "EdgeServer",
    "InProcessTransport",
    "InterposedTransport",
    "Interposer",
    "Passage",
    "PoolSize",
    "PoolSizes",
    "Service",
    "TlsFiles",
    "Transport",
    "Validation",
    "build_server",
    "current_caller",
    "make_development_pki",
    "open_channel",
    "unimplemented",
    "unimplemented_service",
]
