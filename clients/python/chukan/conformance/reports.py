# SPDX-License-Identifier: Apache-2.0
"""Results for machines: JSON with everything, JUnit XML for build servers, CSV for acceptance lists (検収)."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from chukan.conformance.html import html_report
from chukan.conformance.problem import KitError
from chukan.conformance.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chukan.conformance.results import Result, Run

__all__ = ["csv_report", "json_report", "junit_report", "write_reports"]


def write_reports(run: Run, folder: Path) -> list[Path]:
    """Write all forms into a folder and return their paths."""
    forms: dict[str, Callable[[Run], str]] = {
        "report.html": html_report,
        "results.json": json_report,
        "junit.xml": junit_report,
        "results.csv": csv_report,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, form in forms.items():
            (folder / name).write_text(form(run), "utf-8")
    except OSError as error:
        raise KitError(
            f"the reports can't be written into {folder} ({error.strerror})",
            f"{folder} に結果を書き出せません({error.strerror})",
        ) from None
    return [folder / name for name in forms]


def json_report(run: Run) -> str:
    """Return everything that is known of the run."""
    document = {
        "side": run.side,
        "target": run.target,
        "profile": run.profile,
        "began": run.began,
        "kit_version": run.version,
        "counts": {str(verdict): run.counts[verdict] for verdict in Verdict},
        "passed": run.exit_code == 0,
        "results": [_row(result) for result in run.results],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _row(result: Result) -> dict[str, Any]:
    row = _plain(result)
    if result.faults:
        row["trace"] = [
            {
                "call": step.call,
                "caller": step.caller,
                "status": step.status,
                "metadata": step.metadata,
                "requests": step.requests,
                "responses": step.responses,
                "error": step.error,
            }
            for step in result.trace
        ]
    return row


def _plain(result: Result) -> dict[str, Any]:
    entry = result.entry
    return {
        "id": entry.case.id,
        "clause": entry.clause,
        "level": entry.level,
        "service": entry.service,
        "group": entry.file.group,
        "source": entry.file.source,
        "title": entry.case.title,
        "title_ja": entry.case.title_ja,
        "verdict": str(result.verdict),
        "seconds": round(result.seconds, 3),
        "faults": result.faults,
        "note": result.note,
    }


def junit_report(run: Run) -> str:
    """Return JUnit XML, a suite per service; a known failure is skipped there, because no build may stop for it."""
    suites: dict[str, list[Result]] = {}
    for result in run.results:
        suites.setdefault(result.entry.service, []).append(result)
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>"]
    for service, results in suites.items():
        bad = sum(result.bad for result in results)
        left = sum(result.verdict in (Verdict.SKIPPED, Verdict.KNOWN) for result in results)
        parts.append(
            f'<testsuite name={quoteattr(service)} tests="{len(results)}" failures="{bad}" skipped="{left}" errors="0">'
        )
        parts += [_junit_case(result) for result in results]
        parts.append("</testsuite>")
    return "\n".join([*parts, "</testsuites>"]) + "\n"


def _junit_case(result: Result) -> str:
    name = f"{result.entry.case.id} {result.entry.case.title}"
    head = f'<testcase classname={quoteattr(result.entry.service)} name={quoteattr(name)} time="{result.seconds:.3f}">'
    if result.bad:
        text = "\n".join(result.faults)
        return f"{head}<failure message={quoteattr(str(result.verdict))}>{escape(text)}</failure></testcase>"
    if result.verdict is Verdict.PASSED:
        return f"{head}</testcase>"
    note = result.note or str(result.verdict)
    return f"{head}<skipped message={quoteattr(f'{result.verdict}: {note}')}/></testcase>"


def csv_report(run: Run) -> str:
    """Return a line per case, readable by spreadsheets (byte order mark, so that Japanese stays Japanese)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["id", "level", "service", "verdict", "title_ja", "title", "faults", "note"])
    for row in map(_plain, run.results):
        faults = " / ".join(row["faults"])
        cells = [row[name] for name in ("id", "level", "service", "verdict", "title_ja", "title")]
        writer.writerow([_inert(str(cell)) for cell in (*cells, faults, row["note"])])
    return "\ufeff" + out.getvalue()


def _inert(cell: str) -> str:
    """Return a cell no spreadsheet takes for a formula: faults quote what the target said."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
