# SPDX-License-Identifier: Apache-2.0
"""Mappings of resident and non-resident extracts to the columns the address system registers people from.

Fields are named as in `RegisterPeopleRequest`; flags become row lists. Movement reasons and states differ by maker,
which is why they go through tables [own] (docs/divergences "Mappings").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chukan.adapter.mapping.reading import Source, shipped_and_own
from chukan.adapter.mapping.rows import CellFault, reason_of_rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from chukan.adapter.mapping.expression import Expression

__all__ = ["FIELDS", "FLAGS", "OTHER", "PEOPLE_KEYS", "MappedPeople", "PeopleMapping", "people_mappings"]

FIELDS: Final = (
    "individual_numbers", "names", "kana_names", "aliases", "former_names", "birth_dates", "sexes", "postal_codes",
    "residential_address_codes", "residential_addresses", "buildings", "household_numbers", "resident_kinds",
    "resident_states", "movement_reasons", "movement_dates", "notification_dates", "former_local_address_numbers",
    "protective_measure_end_dates", "municipality_codes", "corporate_numbers",
)  # fmt: skip
"""Columns of `RegisterPeopleRequest` a mapping may fill."""

FLAGS: Final = ("protective_measures", "nondisclosure", "self_information_disabled", "closed")
"""What a mapping may say of a row by a flag. closed: no longer on the register; takes effect once linked."""

PEOPLE_KEYS: Final = (
    "files",
    "number_system",
    "local_number",
    "business_id",
    "protective_measures_set",
    "fields",
    "flags",
)
"""What may stand under `people` of a mapping file."""

OTHER: Final = ("resident_record_codes",)
"""Columns for the resident network only."""

_NAMED: Final = {"protective_measures.end_dates": "protective_measure_end_dates"}
"""Fields of the request that have another name in a mapping."""

_IMPLIABLE: Final = frozenset({"nondisclosure", "self_information_disabled"})
_IMPLIED: Final = ", ".join(sorted(_IMPLIABLE))
_NEEDED: Final = ("names", "birth_dates")
_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class MappedPeople:
    """Columns by field name, rows of each flag, and faults that keep rows out."""

    columns: Mapping[str, Sequence[str]]
    flags: Mapping[str, frozenset[int]]
    faults: Sequence[CellFault]

    def take(self, rows: Sequence[int]) -> MappedPeople:
        """Return some of the rows, renumbered."""
        return MappedPeople(
            {field: [column[row] for row in rows] for field, column in self.columns.items()},
            {
                flag: frozenset(at for at, row in enumerate(rows) if row in marked)
                for flag, marked in self.flags.items()
            },
            (),
        )


@dataclass(frozen=True, slots=True)
class PeopleMapping:
    """How rows of an extract become registrations of people."""

    name: str
    title: str
    title_english: str
    files: tuple[str, ...]
    number_system: str
    local_number: Expression
    business_id: Expression | None
    fields: Mapping[str, Expression]
    flags: Mapping[str, Expression]
    implied: tuple[str, ...]
    """Flags that protective measures (支援措置) set besides their own columns."""
    fingerprint: bytes

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, each once."""
        every = (self.local_number, self.business_id, *self.fields.values(), *self.flags.values())
        return tuple(sorted({each.column for each in every if each is not None and each.column}))

    def column_of(self, field: str) -> str:
        """Return the column of the file a field of the request comes from."""
        if field == "local_address_numbers":
            return self.local_number.column
        field = _NAMED.get(field, field)
        found = self.fields.get(field) or self.flags.get(field)
        return found.column if found is not None else ""

    def map_rows(self, cells: Mapping[str, Sequence[str]], rows: int) -> MappedPeople:
        """Map rows; cells are the columns the mapping reads, by name."""
        faults: list[CellFault] = []

        def values(expression: Expression) -> Sequence[str]:
            column = expression.apply(cells, rows)
            faults.extend(
                CellFault(row, expression.column, "", reason_of_rule(rule), rule) for row, rule in column.refused
            )
            return column.values

        columns = {field: values(expression) for field, expression in self.fields.items()}
        flags = {}
        for flag, expression in self.flags.items():
            column = values(expression)
            flags[flag] = frozenset(row for row in range(rows) if column[row] == "1") if "1" in column else frozenset()
        for flag in self.implied:
            flags[flag] = flags.get(flag, frozenset()) | flags["protective_measures"]
        return MappedPeople(columns, flags, faults)


def people_mappings(folder: Path | None = None) -> tuple[PeopleMapping, ...]:
    """Return the shipped mappings of people and those of a folder. Errors: MAPPING_INVALID naming file and key."""
    return tuple(_people(source) for source in shipped_and_own(folder) if source.has("people"))


def _people(source: Source) -> PeopleMapping:
    source.only("title", "title_english", "people")
    people = source.table("people")
    people.only(*PEOPLE_KEYS)
    number_system = people.text("number_system")
    if not (len(number_system) == _DIGITS and number_system.isdigit()):
        raise people.fault("number_system", "expected 2 digits")
    fields, flags = people.table("fields"), people.table("flags")
    fields.only(*FIELDS, *OTHER)
    flags.only(*FLAGS)
    for field in _NEEDED:
        if not fields.has(field):
            raise fields.fault(field, "got nothing, expected a column: people are told apart by it")
    implied = people.texts("protective_measures_set")
    if not _IMPLIABLE.issuperset(implied) or (implied and not flags.has("protective_measures")):
        raise people.fault("protective_measures_set", f"expected some of {_IMPLIED}, beside flags.protective_measures")
    return PeopleMapping(
        name=source.file,
        title=source.text("title"),
        title_english=source.text("title_english", source.text("title")),
        files=people.texts("files", required=True),
        number_system=number_system,
        local_number=people.expression("local_number"),
        business_id=people.expression("business_id") if people.has("business_id") else None,
        fields={field: fields.expression(field) for field in fields.keys()},  # noqa: SIM118 - not a dictionary
        flags={flag: flags.expression(flag) for flag in flags.keys()},  # noqa: SIM118 - not a dictionary
        implied=implied,
        fingerprint=source.fingerprint,
    )
