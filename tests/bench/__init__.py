# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: each measures the real thing against its floor, the same physical work done with the bare libraries.

`python -m tests.bench --only exchange,register` (what `make bench` runs) interleaves both in one run, takes medians,
checks the outcome of every call and writes build/bench/report.json. docs/performance.md explains the figures.
"""
