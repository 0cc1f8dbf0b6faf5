# SPDX-License-Identifier: Apache-2.0
"""What the servers and clients of Chukan measure, and where it can be read."""

from .http import MetricsServer, start_metrics_server
from .metrics import Metrics
from .rpc import MethodMetrics
from .watched import VERIFICATION, WATCHED

__all__ = ["VERIFICATION", "WATCHED", "MethodMetrics", "Metrics", "MetricsServer", "start_metrics_server"]
