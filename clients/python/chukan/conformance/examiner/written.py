# SPDX-License-Identifier: Apache-2.0
"""What a client wrote: its files read as rows of named cells, by what its profile says of them."""

from __future__ import annotations

import csv
import glob
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chukan.conformance.examiner.demands import unmet
from chukan.conformance.examiner.profile import fill_places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from chukan.cases.v1.case_pb2 import Written
    from chukan.conformance.examiner.profile import ClientProfile, Table

__all__ = ["broken_files", "unsaid", "written_down"]

_COLUMNS: Final = re.compile(r"rows\[([a-z_0-9]+)=[^\]]*\]\.([a-z_0-9]+)")


def unsaid(written: Iterable[Written], profile: ClientProfile) -> str:
    """Say what of these files the profile does not tell: where one is, or which column is which; "" if all."""
    for wanted in written:
        table = profile.tables.get(wanted.file)
        if table is None:
            return f"the profile does not say where the client writes its {wanted.file}"
        named = [name for check in wanted.checks for found in _COLUMNS.findall(check.path) for name in found]
        missing = [name for name in named if name not in table.columns]
        if missing:
            return f"the profile does not say which column of the {wanted.file} is {missing[0]}"
    return ""


def broken_files(
    written: Iterable[Written], profile: ClientProfile, places: Mapping[str, str], value: Callable[[str], str]
) -> Iterator[str]:
    """Yield what is not as demanded in the files the client wrote."""
    for wanted in written:
        table = profile.tables[wanted.file]
        paths = _paths(table, places)
        if not paths:
            yield f"{wanted.file}: the client wrote no such file"
            continue
        try:
            rows = [row for path in paths for row in _rows(path, table)]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            yield f"{wanted.file}: can't be read as the profile says ({type(error).__name__})"
            continue
        for check in wanted.checks:
            fault = unmet(check, {"rows": rows}, value)
            if fault:
                yield f"{wanted.file}: {fault}"


def written_down(table: Table | None, places: Mapping[str, str], receipts: Sequence[str]) -> bool:
    """Whether the results of these receipt numbers stand in the client's file, as its profile reads it."""
    if table is None:
        return False
    try:
        rows = [row for path in _paths(table, places) for row in _rows(path, table)]
    except (OSError, UnicodeError, csv.Error):  # it is being written, or renamed
        return False
    named = [name for name in ("receipt", "answer_kind") if name in table.columns]
    if "receipt" not in named:
        return bool(rows)
    complete = {row["receipt"] for row in rows if all(row.get(name) for name in named)}
    return complete.issuperset(receipts)


def _paths(table: Table, places: Mapping[str, str]) -> list[Path]:
    escaped = {name: glob.escape(place) for name, place in places.items()}
    return sorted(path for path in map(Path, glob.glob(fill_places(table.file, escaped))) if path.is_file())  # noqa: PTH207  # an absolute pattern


def _rows(path: Path, table: Table) -> list[dict[str, str]]:
    lines = list(csv.reader(io.StringIO(path.read_text(table.encoding), newline="")))
    head = lines[0] if table.header and lines else []
    at = {
        name: head.index(column) if column in head else -1 if isinstance(column, str) else column
        for name, column in table.columns.items()
    }
    body = lines[1:] if table.header else lines
    return [{name: line[number].strip() for name, number in at.items() if 0 <= number < len(line)} for line in body]
