# SPDX-License-Identifier: Apache-2.0
"""The demo's seven steps, each shown and each verified."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chukan.command.demo.body import Body
from chukan.command.demo.stage import Stage
from chukan.command.demo.verdict import Verdict
from chukan.command.failures import FAILED, tell
from chukan.command.language import Text
from chukan.command.progress import bar
from chukan.standard.clock import SystemClock
from chukan.standard.organizations import by_municipality
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from datetime import date

    from chukan.command.session import Session

__all__ = ["tell_story"]


FORMER: Final = "131041"
NEW: Final = "131121"
_ENCODINGS: Final = {FORMER: "cp932", NEW: "utf-8"}


def tell_story(session: Session, *, people: int, seed: int, keep: Path | None) -> int:
    """Play all steps; return the exit code."""
    begun = time.monotonic()
    verdict = Verdict(session)
    with Stage(keep) as stage:
        try:
            _play(session, verdict, stage, people=people, seed=seed)
        except ChukanError as error:
            if session.machine:
                return tell(error, language=session.language, machine=True)
            tell(error, language=session.language)
            verdict.check(False, f"the demo broke off: {error.code}", f"途中で終了しました: {error.code}")
            if stage.server is not None:
                session.remark(f"the server said:\n{stage.server.last_words()}", "")
        code = stage.server.stop() if stage.server is not None else 0
        verdict.check(code == 0, "the server stopped cleanly", "サーバーは正常に停止しました")
        return _end(session, verdict, stage, seconds=time.monotonic() - begun)


def _play(session: Session, verdict: Verdict, stage: Stage, *, people: int, seed: int) -> None:
    from chukan.command.demo import exchange, loading, records

    last_night = SystemClock().today() - timedelta(days=1)
    _head(
        session,
        1,
        "Dummy people, and the files their municipalities' systems write",
        "ダミー住民と業務システムのファイル",
    )
    former = _generate(session, stage, FORMER, NEW, people=people, seed=seed, day=last_night)
    new = _generate(session, stage, NEW, FORMER, people=people, seed=seed, day=last_night)
    for body in (former, new):
        verdict.equal(body.manifest.records, people, f"{body.name}: residents", f"{body.name}: 住民")

    _head(session, 2, "The emulator: middle servers, network, address systems", "エミュレーターの起動")
    server = stage.serve()
    session.say(
        f"   services {server.target}, metrics {server.where['metrics']}, pid {server.pid}",
        f"   サービス {server.target}、メトリクス {server.where['metrics']}、pid {server.pid}",
    )

    _head(session, 3, "Loading through the adapter over gRPC", "アダプターによる登録(採番、符号取得、副本登録)")
    for body in (former, new):
        loading.load_body(session, verdict, body, server.target)
    session.say(
        "   (Rows are more than people: superseded records and non-residents count. Fewer codes than people asked\n"
        "   for: who left or is not in the simulated resident network gets none.)",
        "   (行数には履歴と住登外者を含みます。転出・死亡等の方や模擬住基ネットにいない方の符号は取得されません。)",
    )

    _head(session, 4, f"{new.name} asks {former.name} about who moved", f"{new.name}から{former.name}への情報照会(DAT)")
    result = exchange.ask(session, verdict, stage, new, former)

    _head(session, 5, "The three records of one exchange", "情報提供等記録(3者)")
    records.compare(session, verdict, server.target, inquirer=new, provider=former, exchanges=result.rows)

    _head(session, 6, "A refused inquiry, and why", "許可されない照会とその理由")
    exchange.ask_unlawfully(session, verdict, server.target, inquirer=new, provider=former)

    _head(session, 7, "What monitoring sees", "監視")
    records.show_metrics(session, verdict, str(server.where["metrics"]), answered=result.rows)


def _generate(
    session: Session, stage: Stage, municipality: str, linked: str, *, people: int, seed: int, day: date
) -> Body:
    from chukan.people import write

    organization = by_municipality(municipality)
    folder = stage.folder / municipality
    encoding = _ENCODINGS[municipality]
    try:
        with bar(session, Text(organization.name, organization.name)) as progress:
            manifest = write(
                folder,
                municipality=municipality,
                count=people,
                seed=seed,
                reference_date=day,
                linked=[linked],
                encoding="cp932" if encoding == "cp932" else "utf-8",
                progress=progress,
            )
    except ModuleNotFoundError as error:
        raise ChukanError("PEOPLE_TABLES_MISSING", params={"package": error.name or ""}) from None
    body = Body(organization, folder, manifest)
    session.say(
        f"   {organization.name} ({encoding}): {manifest.people:,} people, {body.rows('extracts/'):,} business "
        f"records, {body.rows('inquiries/'):,} inquiries about people who moved in",
        f"   {organization.name} ({encoding}): {manifest.people:,}人、業務データ {body.rows('extracts/'):,}件、"
        f"転入者の照会 {body.rows('inquiries/'):,}件",
    )
    return body


def _head(session: Session, number: int, en: str, ja: str) -> None:
    session.say(f"\n{number}. {en}", f"\n{number}. {ja}")


def _end(session: Session, verdict: Verdict, stage: Stage, *, seconds: float) -> int:
    off = verdict.off
    kept = str(stage.folder) if stage.keep else ""
    if session.json({"ok": not off, "seconds": round(seconds, 1), "kept": kept, "checks": verdict.document()}):
        return FAILED if off else 0
    if off:
        session.say(
            f"\n{len(off)} of {len(verdict.checks)} checks failed:", f"\n{len(verdict.checks)}件中{len(off)}件が不一致:"
        )
        for en, ja in off:
            session.say(f"   ✗ {en}", f"   ✗ {ja}")
        return FAILED
    session.say(
        f"\nAll {len(verdict.checks)} checks hold, {seconds:.0f} s. Nothing is left running.",
        f"\n{len(verdict.checks)}件の検証はすべて一致しました({seconds:.0f}秒)。起動したものはすべて終了しました。",
    )
    _further(session, stage)
    return 0


def _further(session: Session, stage: Stage) -> None:
    if stage.keep:
        session.say(f"Files and data are in {stage.folder}", f"ファイルとデータ: {stage.folder}")
    else:
        session.say(
            "`chukan demo --keep ./demo` keeps files, data and the server's log; then:",
            "chukan demo --keep ./demo でファイルとデータを残せます。続けて:",
        )
    folder = stage.folder if stage.keep else "./demo"
    chukan = _called()
    print(f"  {chukan} serve --data {folder}/data")
    print(f"  {chukan} inquiry list --organization {NEW}")
    print(f"  {chukan} record list --organization {FORMER} --side provider")
    print(f"  {chukan} doctor --data {folder}/data --organization {NEW}")
    print(f"  {chukan} --help")


def _called() -> str:
    """Return what this command is called by from here, so that the lines shown can be copied."""
    path = Path(sys.argv[0])
    if path.name != "chukan":
        return "chukan"
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
