# SPDX-License-Identifier: Apache-2.0
"""`python -m chukan.command`: the same as `chukan`."""

from __future__ import annotations

from chukan.command import main

main()
