# SPDX-License-Identifier: Apache-2.0
"""What holds for every test: found examples are judged by what comes out, not by how long a busy machine took."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("chukan", deadline=None)
settings.load_profile("chukan")
