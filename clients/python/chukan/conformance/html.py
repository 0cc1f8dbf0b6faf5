# SPDX-License-Identifier: Apache-2.0
"""One HTML page in Japanese and English, light and dark, that needs nothing but itself and shows no person's number."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Final

from chukan.conformance.results import Verdict

if TYPE_CHECKING:
    from chukan.conformance.results import Result, Run, Trace

__all__ = ["html_report"]

_WORDS: Final = {
    Verdict.PASSED: "適合",
    Verdict.FAILED: "不適合",
    Verdict.KNOWN: "既知の不適合",
    Verdict.SURPRISE: "想定外の適合",
    Verdict.SKIPPED: "未実施",
}
_CLASSES: Final = {
    Verdict.PASSED: "good",
    Verdict.FAILED: "bad",
    Verdict.KNOWN: "known",
    Verdict.SURPRISE: "bad",
    Verdict.SKIPPED: "left",
}
_STYLE: Final = """
:root{color-scheme:light dark;--line:#8886;--good:#197a3d;--bad:#c2261c;--known:#9a6200;--left:#667}
@media(prefers-color-scheme:dark){:root{--good:#5fd38d;--bad:#ff8a80;--known:#ffc25c;--left:#aab}}
body{font:15px/1.6 system-ui,"Noto Sans JP",sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}small{opacity:.75}
table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid var(--line);padding:.35rem .5rem;text-align:left;vertical-align:top}td.n{text-align:right}
.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}.known{color:var(--known)}.left{color:var(--left)}
pre{overflow:auto;border:1px solid var(--line);padding:.6rem;font-size:.82rem;max-height:24rem}
code{font-size:.92em}section{margin-bottom:1.2rem}.scroll{overflow-x:auto}
"""


_SIDES: Final = {"server": "対象 / target", "client": "クライアント・試験側の待受け / client, the kit listened at"}
_CLAIM: Final = (
    "<p>このキットの契約に対する結果であり、実際の中間サーバーの仕様への適合を意味しない。<br>"
    "<small>Judged against this project's own contract; says nothing about the real middle server.</small></p>"
)


def html_report(run: Run) -> str:
    """Return the page."""
    spoiled = [result for result in run.results if result.faults]
    verdict = "適合 / conformant" if run.exit_code == 0 else "不適合あり / not conformant"
    shade = "good" if run.exit_code == 0 else "bad"
    head = (
        '<!doctype html><html lang="ja"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>適合性試験結果 / Conformance report</title><style>{_STYLE}</style></head><body>"
    )
    about = (
        f"<p>{_SIDES[run.side]} <code>{escape(run.target)}</code> · プロファイル / profile {escape(run.profile)} · "
        f"{escape(run.began)} · kit {escape(run.version)}</p>"
    )
    parts = [
        head,
        "<h1>適合性試験結果 / Conformance report</h1>",
        f'<p class="{shade}">{verdict}</p>',
        about,
        _CLAIM,
        _counts(run),
        "<h2>不適合 / What was not as expected</h2>",
        *([_failure(result) for result in spoiled] or ["<p>なし / none</p>"]),
        "<h2>すべてのケース / All cases</h2>",
        _all(run),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _counts(run: Run) -> str:
    """Return a line per service, a column per verdict: what is covered, and how it stands."""
    services = sorted({result.entry.service for result in run.results})
    head = "".join(f"<th>{_WORDS[verdict]}<br><small>{verdict}</small></th>" for verdict in Verdict)
    rows = []
    for service in services:
        own = [result for result in run.results if result.entry.service == service]
        cells = "".join(
            f'<td class="n {_CLASSES[verdict]}">{sum(result.verdict is verdict for result in own) or "–"}</td>'
            for verdict in Verdict
        )
        rows.append(f"<tr><td>{escape(service)}</td>{cells}</tr>")
    total = "".join(f'<td class="n {_CLASSES[verdict]}">{run.counts[verdict]}</td>' for verdict in Verdict)
    return (
        f'<div class="scroll"><table><tr><th>サービス / service</th>{head}</tr>{"".join(rows)}'
        f"<tr><th>計 / total</th>{total}</tr></table></div>"
    )


def _failure(result: Result) -> str:
    case = result.entry.case
    faults = "".join(f"<li><code>{escape(fault)}</code></li>" for fault in result.faults)
    note = f"<p>{escape(result.note)}</p>" if result.note else ""
    steps = "".join(_step(number, step) for number, step in enumerate(result.trace, 1))
    return (
        f'<section id="{escape(case.id)}"><p><b class="{_CLASSES[result.verdict]}">{escape(case.id)}</b> '
        f"[{result.entry.level}] {escape(case.title_ja)}<br><small>{escape(case.title)} — "
        f"{escape(result.entry.file.source)}</small></p><ul>{faults}</ul>{note}"
        f"<details><summary>やりとり(個人に係る値は伏せてある) / exchange, masked</summary>{steps}</details></section>"
    )


def _step(number: int, step: Trace) -> str:
    shown = {"metadata": step.metadata, "requests": step.requests, "responses": step.responses, "error": step.error}
    text = json.dumps({name: each for name, each in shown.items() if each}, ensure_ascii=False, indent=1)
    return (
        f"<p>{number}. <code>{escape(step.call)}</code> ({escape(step.caller)}) → {escape(step.status)}</p>"
        f"<pre>{escape(text)}</pre>"
    )


def _all(run: Run) -> str:
    rows = "".join(
        f"<tr><td>{escape(result.entry.case.id)}</td><td>{result.entry.level}</td>"
        f'<td class="{_CLASSES[result.verdict]}">{_WORDS[result.verdict]}<br><small>{result.verdict}</small></td>'
        f"<td>{escape(result.entry.case.title_ja)}<br><small>{escape(result.entry.case.title)}</small></td></tr>"
        for result in run.results
    )
    return (
        '<div class="scroll"><table><tr><th>id</th><th>level</th><th>結果 / verdict</th>'
        f"<th>要求 / demanded</th></tr>{rows}</table></div>"
    )
