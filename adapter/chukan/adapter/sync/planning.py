# SPDX-License-Identifier: Apache-2.0
"""Which files a load reads, by which mappings: told by name, else by their columns."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Protocol, TypeVar

from chukan.adapter.mapping import extract_mappings, people_mappings
from chukan.adapter.sources import DelimitedFile
from chukan.standard.layouts import layout_in_force
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from chukan.adapter.mapping import ExtractMapping, PeopleMapping
    from chukan.adapter.sync.options import LoadOptions

__all__ = ["Plan", "plan"]


class _Mapping(Protocol):
    @property
    def files(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> tuple[str, ...]: ...


M = TypeVar("M", bound=_Mapping)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a load goes through: mappings with their files. unused: files of the folders no mapping knows."""

    people: tuple[tuple[PeopleMapping, tuple[Path, ...]], ...]
    replicas: tuple[tuple[ExtractMapping, tuple[Path, ...]], ...]
    unused: tuple[str, ...]


def plan(options: LoadOptions, today: date) -> Plan:
    """Return what is to be done; what was named and holds nothing to read is an error, not a load of nothing.

    Errors: SETTING_INVALID, MAPPING_INVALID, MAPPING_MISSING, FILE_NOT_FOUND, FOLDER_WITHOUT_FILES, EDITION_UNKNOWN,
    EDITION_NOT_IN_FORCE.
    """
    if not options.people and options.extracts is None:
        raise ChukanError("SETTING_INVALID", field="people", params={"rule": "people, extracts or both"})
    unused: list[str] = []
    people: dict[str, tuple[PeopleMapping, list[Path]]] = {}
    mappings = people_mappings(options.mappings)
    for path, certain in _files(options.people):
        mapping = _by_name(path, mappings) or (_by_columns(path, mappings, options) if certain else None)
        if mapping is not None:
            people.setdefault(mapping.name, (mapping, []))[1].append(path)
        elif certain:
            raise ChukanError("MAPPING_MISSING", params={"file": path.name})
    replicas: dict[str, tuple[ExtractMapping, list[Path]]] = {}
    extracts = _of_edition(extract_mappings(options.mappings), options.edition, today)
    for path, _ in _files(() if options.extracts is None else (options.extracts,)):
        found = _by_name(path, extracts) or _by_columns(path, extracts, options)
        if found is None:
            unused.append(path.name)
        else:
            replicas.setdefault(found.name, (found, []))[1].append(path)
    if options.people and not people:
        raise _nothing_read(options.people, mappings)
    if options.extracts is not None and not replicas:
        raise _nothing_read((options.extracts,), extracts)
    # Residents come before non-residents: who is both keeps the register's attributes.
    ordered = sorted(people.values(), key=lambda each: each[0].number_system)
    return Plan(
        tuple((mapping, tuple(paths)) for mapping, paths in ordered),
        tuple((mapping, tuple(paths)) for _, (mapping, paths) in sorted(replicas.items())),
        tuple(unused),
    )


def _files(given: Sequence[Path]) -> Iterable[tuple[Path, bool]]:
    """Yield files, and whether they were named one by one."""
    for path in given:
        if path.is_dir():
            within = sorted(path.glob("*.csv"))
            if not within:  # a business system that wrote nothing must not look like one without changes
                raise ChukanError("FOLDER_WITHOUT_FILES", params={"folder": str(path), "rule": "*.csv"})
            yield from ((each, False) for each in within)
        elif path.is_file():
            yield path, True
        else:
            raise ChukanError("FILE_NOT_FOUND", params={"file": path.name})


def _nothing_read(given: Sequence[Path], mappings: Sequence[_Mapping]) -> ChukanError:
    """Return the error of places of which no file is read."""
    names = sorted({pattern for each in mappings for pattern in each.files})
    return ChukanError("MAPPING_MISSING", params={"folder": " ".join(map(str, given)), "rule": " ".join(names)})


def _by_name(path: Path, mappings: Sequence[M]) -> M | None:
    return next((each for each in mappings if any(fnmatch(path.name, pattern) for pattern in each.files)), None)


def _by_columns(path: Path, mappings: Sequence[M], options: LoadOptions) -> M | None:
    """Return the mapping that reads the most columns of those whose columns are all there."""
    try:
        there = set(DelimitedFile(path, encoding=options.encoding).columns)
    except ChukanError:
        return None
    fitting = [each for each in mappings if there.issuperset(each.columns)]
    return max(fitting, key=lambda each: len(each.columns), default=None)


def _of_edition(mappings: Sequence[ExtractMapping], edition: str, today: date) -> list[ExtractMapping]:
    """Return the mappings to the edition wanted, else to the one in force."""
    chosen = [
        each
        for each in mappings
        if each.layout.edition == (edition or layout_in_force(each.layout.information_code, today).edition)
    ]
    if edition and not chosen:
        raise ChukanError("EDITION_UNKNOWN", params={"edition": edition})
    return chosen
