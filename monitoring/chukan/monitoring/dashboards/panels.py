# SPDX-License-Identifier: Apache-2.0
"""What the dashboards have in common: a data source to choose, figures, lines over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
)

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import Panel

__all__ = ["board", "figure", "lines", "row"]

_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")


def board(uid: str, title: str) -> Dashboard:
    """Return an empty dashboard of the last hour."""
    return (
        Dashboard(title)
        .uid(uid)
        .tags(["chukan"])
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )


def row(made: Dashboard, title: str, *panels: Builder[Panel]) -> None:
    """Add a headed row of panels."""
    made.with_row(Row(title))
    for panel in panels:
        made.with_panel(panel)


def figure(title: str, query: str, *, unit: str = "short", bad_from: float | None = None) -> stat.Panel:
    """Return one number; from `bad_from` on it is red."""
    panel = stat.Panel().title(title).datasource(_SOURCE).unit(unit).span(4).height(4)
    if bad_from is not None:
        steps = [Threshold(value=None, color="green"), Threshold(value=bad_from, color="red")]
        panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    return panel.with_target(Dataquery().expr(query).instant().ref_id("A"))


def lines(title: str, *queries: tuple[str, str], unit: str = "short", says: str = "") -> timeseries.Panel:
    """Return lines over time; queries are (expression, legend)."""
    panel = timeseries.Panel().title(title).description(says).datasource(_SOURCE).unit(unit).span(12).height(8)
    panel.min(0)
    for place, (expression, legend) in enumerate(queries):
        panel.with_target(Dataquery().expr(expression).legend_format(legend).range().ref_id(chr(ord("A") + place)))
    return panel
