# SPDX-License-Identifier: Apache-2.0
"""Dashboards are generated, fresh, and draw every panel from a query."""

from __future__ import annotations

import json

from chukan.monitoring.dashboards import documents
from tests.monitoring.conftest import MONITORING


def test_committed_dashboards_are_what_the_code_says() -> None:
    committed = {path.name: path.read_bytes() for path in (MONITORING / "grafana").glob("*.json")}

    assert committed == documents()


def test_every_panel_has_a_title_in_both_languages_a_unit_and_queries() -> None:
    for document in documents().values():
        panels = [panel for panel in json.loads(document)["panels"] if panel["type"] != "row"]
        assert panels
        for panel in panels:
            assert " / " in panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert [target["expr"] for target in panel["targets"]]
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
