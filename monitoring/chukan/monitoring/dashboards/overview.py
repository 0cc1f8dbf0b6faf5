# SPDX-License-Identifier: Apache-2.0
"""The first look: is it up, are calls answered, do inquiries move, does anything wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .panels import board, figure, lines, row

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard

__all__ = ["overview"]


def overview() -> Dashboard:
    """Return the dashboard."""
    made = board("chukan-overview", "Chukan 概況 / overview")
    row(
        made,
        "現在 / Now",
        figure("稼働 / Up", 'min(up{job="chukan"})'),
        figure("発生中の警報 / Alerts", 'count(ALERTS{alertstate="firing"}) or vector(0)', bad_from=1),
        figure("呼出し毎秒 / Calls per second", "sum(chukan:calls:rate5m)", unit="reqps"),
        figure(
            "失敗率 / Calls failed",
            "max(chukan:call_failure_ratio:rate5m)",
            unit="percentunit",
            bad_from=0.0144,
        ),
        figure(
            "処理中の照会 / Open inquiries",
            'sum(chukan_inquiries{state=~"accepted|permitted|waiting_for_approval"})',
        ),
        figure("片側だけの連携 / Half exchanges", "sum(chukan_half_exchanges)", bad_from=1),
    )
    row(
        made,
        "呼出し / Calls",
        lines("サービス別の呼出し / Calls by service", ("chukan:calls:rate5m", "{{grpc_service}}"), unit="reqps"),
        lines("応答時間 p99 / Answer time, p99", ("chukan:call_seconds:p99_5m", "{{grpc_service}}"), unit="s"),
        lines(
            "失敗率 / Calls failed by the server's fault",
            ("chukan:call_failure_ratio:rate5m", "5m {{instance}}"),
            ("chukan:call_failure_ratio:rate1h", "1h {{instance}}"),
            ("chukan:call_failure_ratio:rate6h", "6h {{instance}}"),
            unit="percentunit",
            says="1,000 回に 1 回までが目標 / the goal is one in 1,000",
        ),
        lines(
            "理由別の拒否 / Refusals by reason",
            ("topk(10, sum by (reason) (rate(chukan_refusals_total[5m])))", "{{reason}}"),
            unit="cps",
        ),
    )
    row(
        made,
        "情報連携 / Exchange",
        lines("状態別の照会 / Inquiries by state", ("sum by (state) (chukan_inquiries)", "{{state}}")),
        lines(
            "照会の動き / Inquiries entering a state",
            ("sum by (state) (rate(chukan_inquiry_transitions_total[5m]))", "{{state}}"),
            unit="cps",
        ),
        lines(
            "最も古い処理中の照会 / Oldest open inquiry",
            ("max by (state) (chukan_oldest_open_inquiry_seconds)", "{{state}}"),
            unit="s",
        ),
        lines(
            "最も古い送信待ち / Oldest unsent",
            ("max by (kind) (chukan_oldest_unsent_seconds)", "{{kind}}"),
            unit="s",
        ),
        lines("送信待ちの件数 / Unsent", ("sum by (kind) (chukan_unsent)", "{{kind}}")),
        lines(
            "失敗した送信 / Failed attempts by reason",
            ("topk(10, sum by (reason) (rate(chukan_failed_attempts_total[5m])))", "{{reason}}"),
            unit="cps",
        ),
    )
    row(
        made,
        "監視の健全性 / Telemetry",
        lines(
            "読めない計測値と other / Unreadable gauges, labels counted as other",
            ("chukan_unreadable_gauges", "unreadable {{instance}}"),
            ("chukan_labels_replaced_total", "other {{instance}}"),
        ),
        lines(
            "期限後に終わった呼出し / Calls that ended after their deadline",
            ("sum by (grpc_service) (rate(chukan_late_answers_total[5m]))", "{{grpc_service}}"),
            unit="cps",
        ),
    )
    return made.build()
