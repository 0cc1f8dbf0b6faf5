# SPDX-License-Identifier: Apache-2.0
"""Dummy residents and the files a municipality's business systems would write about them.

Nobody here exists: names are drawn from name tables, numbers carry the dummy prefix, addresses are existing towns with
made-up house numbers. The same arguments give the same bytes (with the same versions of the name and postal tables).
"""

from __future__ import annotations

from chukan.people.population import generate
from chukan.people.records import Household, NonResident, Person
from chukan.people.writing import Manifest, write

__all__ = ["Household", "Manifest", "NonResident", "Person", "generate", "write"]
