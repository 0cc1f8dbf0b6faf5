// SPDX-License-Identifier: Apache-2.0
// The page's own behaviour: a chart kept in this page, a switch for refreshing, a sentence when nothing answers.
"use strict";
(() => {
  const MOST = 720; // an hour of looks
  const nothing = document.createElement("div");
  const live = () => document.getElementById("live") ?? nothing;
  const final = () => live().dataset.final !== undefined; // a further look would find the same
  // Whatever else took the address, or stands before it, may answer too: only the console's own pages are shown.
  const ours = (xhr) => xhr.getResponseHeader("X-Chukan-Console") !== null && xhr.responseText.includes('<div id="live"');
  const away = document.getElementById("away");
  const waits = document.getElementById("waits");
  const pause = document.getElementById("pause");
  const chart = document.getElementById("chart");
  const seen = [[], [], [], []];
  let counted = null;
  let plot = null;
  let paused = false;
  let aside = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const figure = (text) => (text === undefined ? null : Number(text));

  // A minute at least, up to the last look; uPlot would show a day where there is one point.
  const span = () => [Math.min(seen[0][0] ?? 0, (seen[0].at(-1) ?? 60) - 60), seen[0].at(-1) ?? 60];

  function draw() {
    if (!chart) return;
    if (plot) plot.destroy();
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    const series = (label, name) => ({ label, stroke: colour(name), width: 1.5, points: { size: 4 } });
    const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString("ja-JP", { timeZone: "Asia/Tokyo" });
    plot = new uPlot(
      {
        width: chart.clientWidth,
        height: 130,
        legend: { live: false, markers: { dash: (_, at) => ["none", "solid", "dotted", "dashed"][at] } },
        cursor: { y: false },
        scales: { x: { range: span }, y: { range: (_, low, high) => [0, Math.max(4, Math.ceil((high || 0) * 1.1))] } },
        axes: [
          { ...axis, size: 24, space: 90, values: (_, at) => at.map(clock) },
          { ...axis, size: 44, values: (_, at) => at.map((each) => (Number.isInteger(each) ? each.toLocaleString() : "")) },
        ],
        series: [
          { label: chart.dataset.time, value: (_, at) => (at === null ? "" : clock(at)) },
          series(chart.dataset.fresh, "--series-fresh"),
          { ...series(chart.dataset.open, "--series-open"), dash: [2, 3] },
          { ...series(chart.dataset.unsent, "--series-unsent"), dash: [6, 4] },
        ],
      },
      seen,
      chart,
    );
  }

  function note() {
    const figures = live().dataset;
    if (!chart || figures.at === undefined || seen[0].at(-1) === Number(figures.at)) return;
    seen[0].push(Number(figures.at));
    const all = figure(figures.all);
    seen[1].push(all === null || counted === null || all < counted ? null : all - counted);
    seen[2].push(figure(figures.open));
    seen[3].push(figure(figures.unsent));
    counted = all;
    if (seen[0].length > MOST) seen.forEach((each) => each.shift());
    if (plot) plot.setData(seen);
  }

  note();
  draw();
  let width = chart ? chart.clientWidth : 0;
  addEventListener("resize", () => {
    if (chart && chart.clientWidth !== width) {
      width = chart.clientWidth;
      draw();
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  function offer() {
    const offered = document.getElementById("refresh")?.hasAttribute("hx-get") && !final();
    if (!offered && document.activeElement === pause) document.getElementById("content").focus();
    pause.hidden = !offered;
  }

  // A refresh would take the focus or a marked text away from who works in what it replaces.
  function busy() {
    const marked = getSelection();
    return live().querySelector(":focus-visible") !== null || (!marked.isCollapsed && marked.containsNode(live(), true));
  }

  function tell() {
    const says = !pause.hidden && !paused && busy() ? waits.dataset.says : "";
    if (waits.textContent !== says) waits.textContent = says;
  }

  offer();
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
    tell();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    tell();
    if (paused || final() || busy()) event.preventDefault();
  });
  const boxes = () => [...live().querySelectorAll(".box")];
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (paused || busy()) event.detail.shouldSwap = false; // since it was asked for
    aside = boxes().map((each) => each.scrollLeft);
  });
  document.addEventListener("htmx:afterSwap", () => {
    boxes().forEach((each, at) => (each.scrollLeft = aside[at] ?? 0));
    note();
    offer();
    tell();
  });
  for (const each of ["selectionchange", "focusin", "focusout"]) {
    document.addEventListener(each, () => setTimeout(tell)); // once the focus is where it goes
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    away.hidden = ours(event.detail.xhr);
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (!ours(event.detail.xhr)) event.preventDefault();
  });
  document.addEventListener("htmx:sendError", () => {
    away.hidden = false;
  });
})();
