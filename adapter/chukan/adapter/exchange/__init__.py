# SPDX-License-Identifier: Apache-2.0
"""Inquiry files (情報照会): the DAT of a business system in, its result file out, and a ledger of what is open."""

from chukan.adapter.exchange.options import InquireOptions, Progress
from chukan.adapter.exchange.profile_files import profile_names
from chukan.adapter.exchange.report import Report, RunWarning
from chukan.adapter.exchange.run import inquire
from chukan.adapter.exchange.status import InquiryStatusReport, inquiry_status

__all__ = [
    "InquireOptions",
    "InquiryStatusReport",
    "Progress",
    "Report",
    "RunWarning",
    "inquire",
    "inquiry_status",
    "profile_names",
]
