# SPDX-License-Identifier: Apache-2.0
"""Pages name metrics, tests and settings that exist."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from chukan.monitoring import Metrics
from chukan.server.app import build
from chukan.server.config import Config, settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def test_metrics_of_the_operation_page_are_served_and_all_served_ones_are_on_it() -> None:
    metrics = Metrics(CollectorRegistry())
    app = build(Config(control="", metrics=""), metrics=metrics)
    try:
        metrics.method(kind="unary", service="s", method="m")
        metrics.note_refused("NOT_READY")
        text = generate_latest(metrics.registry).decode()
    finally:
        app.stop()
    served = {name for name in re.findall(r"^# TYPE (\S+)", text, re.MULTILINE) if not name.endswith("_created")}
    page = (DOCS / "operation.md").read_text("utf-8")
    named = set(re.findall(r"`((?:grpc_server|chukan)_[a-z_]+?)(?:\{[a-z,]+\})?`", page))

    assert named == served


def test_tests_and_files_that_pages_name_exist() -> None:
    pages = sorted(DOCS.glob("*.md"))
    named = {
        name
        for page in pages
        for name in re.findall(r"`((?:tests|scripts|protos|tools)/[\w/.]+)`", page.read_text("utf-8"))
    }

    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_settings_that_pages_name_exist() -> None:
    known = {setting.name for setting in settings()}
    text = "\n".join(page.read_text("utf-8") for page in DOCS.glob("*.md"))
    named = set(re.findall(r"settings? `([a-z_]+)`(?: and `([a-z_]+)`)?|`([a-z_]+_days)`", text))

    assert {name for names in named for name in names if name} <= known
