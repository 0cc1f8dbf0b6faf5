# SPDX-License-Identifier: Apache-2.0
"""Replicas, lanes and import reports, shown to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chukan.command.language import Text
from chukan.command.messages import item_names, item_text, period_text, spoken, state, when
from chukan.v1 import replica_service_pb2 as pb
from chukan.v1.common_pb2 import ReplicaKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chukan.command.session import Session

__all__ = ["key", "more", "show_import", "show_imports", "show_lanes", "show_list", "show_replica"]


def key(information: str, data_set: str, record_key: str) -> ReplicaKey:
    """Name a replica of an addressee."""
    return ReplicaKey(information_code=information, data_set=data_set, record_key=record_key)


def more(session: Session, token: str) -> None:
    """Say how to go on."""
    if token:
        session.remark(f"more: --page-token {token}", f"続きあり: --page-token {token}")


def show_replica(session: Session, replica: pb.Replica) -> None:
    """Show one replica, with its content where there is some."""
    session.fields(
        [
            (Text("addressee", "団体内統合宛名番号"), replica.integrated_address_number),
            (Text("information", "特定個人情報名"), replica.information_code),
            (Text("data set", "データセット"), replica.data_set),
            (Text("record key", "レコードキー"), replica.record_key),
            (Text("parent's key", "親レコードキー"), replica.parent_record_key),
            (Text("edition", "版番号"), replica.edition),
            (Text("version", "履歴番号"), replica.version),
            (Text("record id", "レコード識別番号"), replica.record_id),
            (Text("period", "公開期間"), period_text(replica.period)),
            (Text("state", "状態"), spoken(state(pb.ReplicaState, replica.state, "REPLICA_STATE_"), session.language)),
            (Text("deleted because", "削除理由"), replica.delete_reason),
            (Text("ward", "行政区"), replica.ward_code),
            (Text("written", "登録日時"), when(replica.update_time)),
        ]
    )
    if replica.items:
        names = item_names(replica.information_code, replica.edition, replica.data_set)
        session.table(
            [Text("item", "項目"), Text("name", "名称"), Text("value", "値")],
            (
                (item.item_code, names.get(item.item_code, ""), item_text(item, session.language))
                for item in replica.items
            ),
        )


def show_list(session: Session, replicas: Iterable[pb.Replica]) -> None:
    """Show replicas, a row each."""
    session.table(
        [
            Text("information", "特定個人情報名"),
            Text("data set", "データセット"),
            Text("record key", "レコードキー"),
            Text("edition", "版"),
            Text("version", "履歴番号"),
            Text("period", "公開期間"),
            Text("state", "状態"),
            Text("written", "登録日時"),
        ],
        (
            (
                each.information_code,
                each.data_set,
                each.record_key,
                each.edition,
                each.version,
                period_text(each.period),
                spoken(state(pb.ReplicaState, each.state, "REPLICA_STATE_"), session.language),
                when(each.update_time),
            )
            for each in replicas
        ),
    )


def show_lanes(session: Session, lanes: Iterable[pb.Lane]) -> None:
    """Show lanes, a row each."""
    session.table(
        [
            Text("information", "特定個人情報名"),
            Text("state", "状態"),
            Text("held because", "停止理由"),
            Text("replicas", "副本数"),
            Text("refused", "拒否数"),
            Text("last success", "最終成功"),
            Text("last refusal", "最終拒否"),
        ],
        (
            (
                each.information_code,
                spoken(state(pb.LaneState, each.state, "LANE_STATE_"), session.language),
                each.hold_reason,
                f"{each.replica_count:,}",
                f"{each.refused_count:,}",
                when(each.last_success_time),
                when(each.last_refusal_time),
            )
            for each in lanes
        ),
    )


def show_imports(session: Session, imports: Iterable[pb.ReplicaImport]) -> None:
    """Show batches, a row each."""
    session.table(
        [
            Text("batch", "バッチ"),
            Text("information", "特定個人情報名"),
            Text("data set", "データセット"),
            Text("edition", "版"),
            Text("state", "状態"),
            Text("written", "登録"),
            Text("unchanged", "変更なし"),
            Text("refused", "拒否"),
            Text("answered", "日時"),
        ],
        (
            (
                each.batch_id,
                each.information_code,
                each.data_set,
                each.edition,
                spoken(state(pb.ImportState, each.state, "IMPORT_STATE_"), session.language),
                each.committed_count,
                each.unchanged_count,
                each.refused_count,
                when(each.create_time),
            )
            for each in imports
        ),
    )


def show_import(session: Session, report: pb.ReplicaImport) -> None:
    """Show one batch and its refused rows."""
    show_imports(session, [report])
    if report.failures:
        session.table(
            [
                Text("row", "行"),
                Text("reason", "理由"),
                Text("field", "項目名"),
                Text("item", "項目コード"),
                Text("rule", "規則"),
                Text("says", "内容"),
            ],
            (
                (
                    each.row if each.HasField("row") else "",
                    each.reason,
                    each.field,
                    each.item_code,
                    each.rule,
                    Text(each.message, each.message_ja).word(session.language),
                )
                for each in report.failures
            ),
        )
