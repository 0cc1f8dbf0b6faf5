# SPDX-License-Identifier: Apache-2.0
"""Replicas and their lanes: one kind can lie still for months while every other arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .panels import board, figure, lines, row

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard

__all__ = ["replicas"]


def replicas() -> Dashboard:
    """Return the dashboard."""
    made = board("chukan-replicas", "Chukan 副本とレーン / replicas and lanes")
    row(
        made,
        "現在 / Now",
        figure("副本 / Replicas", "sum(chukan_replicas)"),
        figure("副本の種類 / Kinds that ever arrived", "count(chukan_replica_last_success_timestamp_seconds)"),
        figure("停止中のレーン / Lanes held", "count(chukan_lane_held_seconds > 0) or vector(0)", bad_from=1),
        figure("拒否され続ける種類 / Kinds stuck", "count(chukan_lane_stuck_seconds > 0) or vector(0)", bad_from=1),
        figure("符号待ち / Codes pending", "sum(chukan_codes_pending)"),
        figure("最長の未着 / Longest silence", "max(chukan:replica_silence:seconds)", unit="s", bad_from=129_600),
    )
    row(
        made,
        "レーン / Lanes",
        lines(
            "最後の登録からの時間 / Since a replica was last written",
            ("max by (information) (chukan:replica_silence:seconds)", "{{information}}"),
            unit="s",
            says="最も長く届いていない団体のもの / of the organization that has waited longest",
        ),
        lines(
            "登録 / Replicas written",
            ("sum by (information) (rate(chukan_replica_writes_total[5m]))", "{{information}}"),
            unit="cps",
        ),
        lines(
            "停止 / Lane held",
            ("max by (information) (chukan_lane_held_seconds)", "{{information}}"),
            unit="s",
        ),
        lines(
            "全て拒否 / Lane stuck",
            ("max by (information) (chukan_lane_stuck_seconds)", "{{information}}"),
            unit="s",
        ),
        lines("保有する副本 / Replicas held", ("sum by (information) (chukan_replicas)", "{{information}}")),
        lines(
            "符号の取得 / Linkage codes",
            ("sum(chukan_codes_pending)", "符号待ち / pending"),
        ),
        lines(
            "最も古い符号待ち / Oldest code pending",
            ("max(chukan_oldest_pending_code_seconds)", "最も古い / oldest"),
            unit="s",
        ),
    )
    return made.build()
