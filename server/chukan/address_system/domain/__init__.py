# SPDX-License-Identifier: Apache-2.0
"""Values and rules of numbering people: pure, nothing here knows a database or the wire."""
