# SPDX-License-Identifier: Apache-2.0
"""Brings what business systems hold to the servers: only changes, in resumable batches, a lane per kind."""

from chukan.adapter.sync.loading import load
from chukan.adapter.sync.options import LoadOptions, Progress, ProgressEvent
from chukan.adapter.sync.report import CodeReport, LaneReport, Report

__all__ = ["CodeReport", "LaneReport", "LoadOptions", "Progress", "ProgressEvent", "Report", "load"]
