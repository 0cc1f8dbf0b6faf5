# SPDX-License-Identifier: Apache-2.0
"""`chukan people`: dummy residents and the files a municipality's business systems would write about them."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path  # noqa: TC003  # Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Final

import typer

from chukan.command.declare import command, group
from chukan.command.language import Text
from chukan.command.progress import bar
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from chukan.command.session import Session
    from chukan.people import Manifest

__all__ = ["app"]

_WITHOUT_CHECK_DIGIT: Final = 5

app = group("people", "Make dummy residents and their extracts (ダミー住民). Nobody in them exists.")


class Encoding(StrEnum):
    """Encodings of extracts in use."""

    UTF_8 = "utf-8"
    CP932 = "cp932"


class CheckDigits(StrEnum):
    """Whether check digits of the dummy individual numbers are right."""

    VALID = "valid"
    INVALID = "invalid"


@command(
    app,
    example=[
        "chukan people generate --count 3000 --seed 1 --municipality 131041 --out shinjuku",
        "chukan people generate --count 3000 --seed 1 --municipality 131041 --linked 131121 --encoding cp932 --out a",
        "chukan people generate --count 3000 --seed 1 --municipality 131121 --linked 131041 --out b",
    ],
)
def generate(
    session: Session,
    *,
    count: Annotated[int, typer.Option(help="Records of the resident register.", min=1)],
    seed: Annotated[int, typer.Option(help="Other seeds give other people.")],
    municipality: Annotated[str, typer.Option(metavar="CODE", help="Municipality code (団体コード), 5 or 6 digits.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to; it is made.")],
    linked: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="Municipality people moved to and from; may be given several times."),
    ] = None,
    movers: Annotated[
        int | None, typer.Option(help="People who moved, per direction and linked municipality; by default 2 %.", min=0)
    ] = None,
    encoding: Annotated[Encoding, typer.Option(help="Of the extracts.")] = Encoding.UTF_8,
    individual_numbers: Annotated[
        CheckDigits, typer.Option(help="Check digits of the dummy individual numbers (個人番号).")
    ] = CheckDigits.VALID,
    reference_date: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="The day the extracts are of; by default yesterday in Japan.")
    ] = "",
    dense: Annotated[
        bool, typer.Option("--dense", help="One row of every kind for everybody: for load tests, makes little sense.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Write over what an earlier run left in DIR.")] = False,
) -> None:
    """Write residents.csv, non_residents.csv, extracts/, inquiries/ and manifest.json.

    The same arguments (with the same reference date) give the same bytes. Individual numbers begin with 999 and are
    derived from nobody. Generate two municipalities that name each other with --linked, and the people who moved from
    one to the other are in both: inquiries/ then asks the former municipality about them.
    """
    from chukan.people import write

    if not replace and out.is_dir() and any(out.iterdir()):
        raise ChukanError("FOLDER_NOT_EMPTY", field="--out", params={"folder": str(out)})
    _drop_inquiries(out)
    day = _date(reference_date)
    try:
        with bar(session, Text("people", "住民")) as progress:
            manifest = write(
                out,
                municipality=_six_digits(municipality),
                count=count,
                seed=seed,
                reference_date=day,
                linked=[_six_digits(each) for each in linked or ()],
                encoding=encoding.value,
                individual_numbers=individual_numbers.value,
                movers=movers,
                dense=dense,
                progress=progress,
            )
    except ModuleNotFoundError as error:
        raise ChukanError("PEOPLE_TABLES_MISSING", params={"package": error.name or ""}) from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    _show(session, manifest, out)


def _six_digits(code: str) -> str:
    """Return a municipality's code with its check digit, which may be left out."""
    from chukan.standard.organizations import resolve_provider

    try:
        return (resolve_provider(code).municipality_code if len(code) == _WITHOUT_CHECK_DIGIT else "") or code
    except ChukanError:
        return code  # generating says what is wrong with it


def _drop_inquiries(folder: Path) -> None:
    """Remove the inquiry files an earlier run wrote: this one may write fewer, and the rest would ask about nobody."""
    if (folder / "manifest.json").is_file():
        for path in (folder / "inquiries").glob("*.DAT"):
            path.unlink()


def _date(text: str) -> date:
    if not text:
        from chukan.standard.clock import SystemClock

        return SystemClock().today() - timedelta(days=1)
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"got {text}, expected a date such as 2026-06-01"
        raise typer.BadParameter(message, param_hint="--reference-date") from None


def _show(session: Session, manifest: Manifest, out: Path) -> None:
    import json

    if session.json({"out": str(out), **json.loads(manifest.to_json())}):
        return
    session.table(
        [Text("file", "ファイル"), Text("rows", "行数"), Text("bytes", "バイト"), Text("encoding", "文字コード")],
        (
            (name, f"{file.rows:,}", f"{file.bytes:,}", _encoding(file.encoding, file.substituted))
            for name, file in manifest.files.items()
        ),
    )
    session.say(
        f"{manifest.records:,} records of {manifest.people:,} people in {manifest.households:,} households, "
        f"all dummies, as of {manifest.reference_date}: {out}",
        f"{manifest.households:,}世帯 {manifest.people:,}人 {manifest.records:,}件(基準日 {manifest.reference_date}、"
        f"すべてダミー): {out}",
    )


def _encoding(name: str, substituted: int) -> str:
    return f"{name} ({substituted} 〓)" if substituted else name
