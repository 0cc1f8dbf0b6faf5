# SPDX-License-Identifier: Apache-2.0
"""Every fixed text of the pages, in both languages, by key."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from chukan.server.console.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TEXTS"]

TEXTS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        # the frame
        "console": Text("Chukan console", "Chukan コンソール"),
        "skip": Text("Skip to content", "本文へ移動"),
        "pages": Text("Pages", "ページ"),
        "overview": Text("Overview", "概況"),
        "alerts": Text("Alerts", "警報"),
        "other_language": Text("日本語", "English"),
        "read_only": Text(
            "Dummy data only. This console only reads; it is for this machine.",
            "ダミーデータ専用です。このコンソールは参照のみで、サーバーが動作する端末(SSHトンネルを含む)でのみ利用できます。",
        ),
        "as_of": Text("as of", "取得時刻"),
        "jst": Text("JST", "日本時間"),
        "pause": Text("Pause refreshing", "自動更新を停止"),
        "resume": Text("Resume refreshing", "自動更新を再開"),
        "waits": Text(
            "Refreshing is paused while you select text or are in the list; it goes on by itself afterwards.",
            "文字の選択中または一覧の操作中のため、自動更新を一時停止しています。終わると自動で再開します。",
        ),
        "final": Text("Final, so no longer refreshed:", "確定済みのため自動更新を終了"),
        "console_away": Text(
            "The server does not answer: it was stopped, or this machine is busy. What is shown is old. "
            "This page goes on trying; start it with chukan serve --console.",
            "サーバーから応答がありません。停止しているか、端末が混み合っています。表示は古い内容です。"
            "再接続を続けます。起動: chukan serve --console",
        ),
        "todo": Text("to do", "対処"),
        "reason_code": Text("reason", "理由コード"),
        "field": Text("field", "項目"),
        "none": Text("none", "なし"),
        "not_known": Text("not known", "不明"),
        "ago": Text("ago", "前"),
        "organization": Text("organization", "機関"),
        "state": Text("state", "状態"),
        # overview
        "organizations": Text("Organizations", "機関の状態"),
        "quiet": Text("Without inquiries and replicas", "照会・副本のない機関"),
        "waiting": Text("waiting", "未送信"),
        "retrying": Text("retrying", "再試行中"),
        "oldest": Text("oldest waits", "最古の待ち時間"),
        "inquiries": Text("Inquiries", "情報照会"),
        "lanes": Text("Lanes of replicas", "副本のレーン"),
        "lanes_held": Text("lanes held", "停止中レーン"),
        "counting": Text("still counting", "集計中"),
        "too_many": Text("more than 200,000: not counted", "20万件超のため集計しません"),
        "chart_title": Text("Inquiries and unsent work", "照会と未送信の件数"),
        "chart_text": Text(
            "Since this page was opened: inquiries that came, those that are not finished, and entries that wait to be "
            "sent. Kept in this page only.",
            "このページを開いてからの推移です(新しい照会、未完了の照会、未送信)。このページ内だけに保持されます。",
        ),
        "new_inquiries": Text("new inquiries since the look before", "直前の取得以後の新しい照会"),
        "open_inquiries": Text("open inquiries", "未完了の照会"),
        "unsent": Text("unsent entries", "未送信"),
        "more_lanes": Text("more on the organizations' pages", "レーンの残りは各機関のページにあります"),
        "no_lanes": Text("No replicas were registered yet.", "副本はまだ登録されていません。"),
        # lanes
        "information": Text("information", "特定個人情報名"),
        "replicas": Text("replicas", "副本数"),
        "refused_rows": Text("rows refused", "拒否行数"),
        "last_success": Text("last success", "最終成功"),
        "last_refusal": Text("last refusal", "最終拒否"),
        "what_to_do": Text("what to do", "対処"),
        "never": Text("never", "なし"),
        "lane_held_todo": Text(
            "Look at the import's report (chukan replica imports), send in smaller sends, then open the lane again "
            "(chukan replica resume). Other lanes go on.",
            "取込結果を確認し(chukan replica imports)、分割して再送できる状態にしてから、レーンを再開してください"
            "(chukan replica resume)。他のレーンは動いています。",
        ),
        "lane_stuck_todo": Text(
            "The last batches were refused: chukan replica imports says why. Mend the sender and send again.",
            "直近のバッチが拒否されています。chukan replica imports で理由を確認し、送信元を直して再送してください。",
        ),
        "stuck": Text("batches refused", "バッチ拒否"),
        # organization
        "components": Text("Components", "構成要素"),
        "component": Text("component", "構成要素"),
        "queues": Text("Waiting work", "待ち行列"),
        "kind": Text("kind", "種別"),
        "nothing_waits": Text("Nothing waits.", "待ちはありません。"),
        "software": Text("software", "ソフトウェア"),
        "permission_list": Text("permission list", "許可リスト"),
        "started": Text("started", "起動"),
        "see_inquiries": Text("Inquiries of this organization", "この機関の情報照会"),
        # inquiries
        "inquiries_title": Text("Inquiries in order of receipt, oldest first", "情報照会(受付順、古いものから)"),
        "newest_title": Text("Inquiries, newest first", "情報照会(新しいものから)"),
        "by_order": Text("Order", "並び順"),
        "oldest_first": Text("oldest first", "古い順"),
        "newest_first": Text("newest first", "新しい順"),
        "newest_most": Text(
            "Older inquiries are listed oldest first. Shown here at most:",
            "それより前の照会は古い順で確認できます。表示件数の上限:",
        ),
        "newest_not_yet": Text(
            "These are not the newest yet: the list is long. Reading goes on with the next refresh.",
            "件数が多いため、最新の照会まで読み込めていません。次の自動更新で続きを読み込みます。",
        ),
        "unfinished": Text("not finished", "未完了"),
        "basis_unverified": Text("permitted; legal basis unverified", "許可(根拠条文は未確認)"),
        "all_states": Text("all", "すべて"),
        "by_state": Text("By state", "状態で絞り込み"),
        "receipt_number": Text("receipt number", "受付番号"),
        "record_id": Text("record identification number", "レコード識別番号"),
        "addressee": Text("integrated address number", "団体内統合宛名番号"),
        "provider": Text("provider", "情報提供者"),
        "accepted": Text("accepted", "受付"),
        "took": Text("finished after", "所要"),
        "why": Text("reason or legal basis", "理由・根拠"),
        "compare": Text("compare", "比較"),
        "three_records": Text("three records", "三者の記録"),
        "no_inquiries": Text("No inquiries here.", "該当する照会はありません。"),
        "next_page": Text("Next page", "次のページ"),
        "first_page": Text("First page", "最初のページ"),
        "shortened": Text(
            "Numbers that name a person are shortened on purpose.", "個人に結び付く番号は末尾のみ表示しています。"
        ),
        # one exchange
        "exchange_title": Text("One exchange, three records", "1件の情報連携と三者の記録"),
        "exchange": Text("exchange", "交換ID"),
        "side": Text("field", "項目"),
        "same": Text("same", "一致"),
        "differs": Text("differs", "相違"),
        "own_field": Text("own", "各自"),
        "not_compared": Text("not compared", "未比較"),
        "uncompared": Text("Not compared: only one record at hand.", "比較していません(手元にある記録は1件のみ)。"),
        "comparison": Text("comparison", "比較"),
        "records_equal": Text(
            "All three records agree in every field that all of them hold.",
            "三者の記録は、共通に記録する全項目で一致しています。",
        ),
        "records_equal_so_far": Text(
            "The exchange is not finished. All three records agree so far.",
            "処理中です。現時点で三者の記録は一致しています。",
        ),
        "records_differ": Text("The records differ in:", "次の項目が相違しています:"),
        "records_pending": Text(
            "The exchange is not finished: the records still differ in:", "処理中のため、次の項目がまだ揃っていません:"
        ),
        "records_ended_early": Text(
            "The exchange ended before it reached every side: who was not reached has no record. "
            "The records that exist agree.",
            "全ての機関に届く前に終わった照会です。届いていない側に記録はありません。現存する記録は一致しています。",
        ),
        "records_incomplete": Text(
            "The exchange is not finished: not every side has its record yet.",
            "処理中のため、まだ記録のない側があります。",
        ),
        "records_single": Text(
            "The exchange ended at the inquirer and never went out: only the inquirer has a record, "
            "so there is nothing to compare.",
            "情報照会者側で終わり、外部に送られていない照会です。記録は情報照会者のみにあり、比較する相手はありません。",
        ),
        "records_missing": Text(
            "A record is missing on a side that must have one. chukan record reconcile looks further.",
            "記録があるべき側に記録がありません。chukan record reconcile で詳しく確認してください。",
        ),
        "records_unknown": Text(
            "Not every side could be read here, so nothing is said about what was not read.",
            "読み取れない側があるため、その記録については判断していません。",
        ),
        "signed_check": Text("What each side signed is checked by:", "署名を含む突合は次のコマンドで行えます:"),
        # alerts
        "alerts_title": Text("Current alerts", "発生中の警報"),
        "alerts_none": Text("No alerts.", "警報はありません。"),
        "alerts_not_given": Text(
            "No Alertmanager was named, so alerts are not known here: start the server with --alertmanager URL.",
            "Alertmanager が指定されていないため、警報は表示できません。--alertmanager URL を付けて起動してください。",
        ),
        "alerts_unreachable": Text(
            "The Alertmanager does not answer, so alerts are not known. This is not the same as no alerts.",
            "Alertmanager から応答がないため、警報の有無は不明です(警報なしではありません)。",
        ),
        "alerts_not_understood": Text(
            "What answers at the Alertmanager's address is no Alertmanager (API v2), so alerts are not known.",
            "指定先が Alertmanager(API v2)ではないため、警報の有無は不明です。",
        ),
        "alerts_too_many": Text(
            "The Alertmanager holds too many alerts to show them here. Look at its own page.",
            "警報が多すぎるため、ここには表示できません。Alertmanager の画面で確認してください。",
        ),
        "more_alerts": Text("more in the Alertmanager", "残りは Alertmanager で確認してください"),
        "severity": Text("severity", "重要度"),
        "alert": Text("alert", "警報"),
        "since": Text("since", "発生"),
        "runbook": Text("runbook", "手順書"),
        "silenced": Text("silenced", "抑止中"),
        "critical": Text("critical", "緊急"),
        "warning": Text("warning", "注意"),
        # errors
        "page_unknown": Text("There is no such page.", "ページがありません。"),
        "page_unknown_todo": Text("Go on from the overview.", "概況から移動してください。"),
        "unexpected": Text(
            "The page could not be made; its cause is in the server's log.",
            "ページを作成できませんでした。原因はサーバーのログにあります。",
        ),
        "unexpected_todo": Text("Try again; report it if it stays.", "再度開き、解消しない場合は報告してください。"),
        "problem": Text("This could not be read", "読み取れませんでした"),
    }
)
