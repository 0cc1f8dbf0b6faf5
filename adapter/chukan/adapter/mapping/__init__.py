# SPDX-License-Identifier: Apache-2.0
"""Declarative mappings from a business system's columns to the contract's: data (TOML) and pure transforms."""

from chukan.adapter.mapping.extracts import DataSetMapping, ExtractMapping, extract_mappings
from chukan.adapter.mapping.people import PeopleMapping, people_mappings
from chukan.adapter.mapping.rows import Mapped, map_rows

__all__ = [
    "DataSetMapping",
    "ExtractMapping",
    "Mapped",
    "PeopleMapping",
    "extract_mappings",
    "map_rows",
    "people_mappings",
]
