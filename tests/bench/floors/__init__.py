# SPDX-License-Identifier: Apache-2.0
"""Floors: the same physical work with the bare libraries (grpc, cryptography, sqlite3, csv) and nothing of ours.

Each module's docstring says what it does and what it leaves out. Where in doubt a floor does less, so that a ratio is
never flattered. tests/e2e/test_bench_quick.py holds that their tables are the product's.
"""
