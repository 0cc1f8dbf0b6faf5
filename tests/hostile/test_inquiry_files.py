# SPDX-License-Identifier: Apache-2.0
"""Inquiry files, outputs and ledgers as they should not be: every row goes somewhere, every refusal says why."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from chukan.adapter.exchange import InquireOptions, inquire
from chukan.standard.reasons import ChukanError
from tests.builders import SETAGAYA
from tests.hostile.world import CANARY, command_line, plain_digits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hostile.conftest import Stage

FIELDS: Final = (
    "01", "000000000000001", "", "20260615090000000", "131120101", "DUMMY0001", SETAGAYA, "1", "JM01000000121000",
    "JT01010000000214", "", "", "13104", "TM00000000000002", "0", "0", "20260601", "20270531",
)  # fmt: skip
UNKNOWN: Final = "result LOCAL_NUMBER_UNKNOWN 2"
"""What becomes of a good row here: nobody of these files is registered."""


def row(**fields: str) -> bytes:
    """Return a row; fields by their position from 1, as f4="…"."""
    cells = list(FIELDS)
    for name, value in fields.items():
        cells[int(name[1:]) - 1] = value
    return (",".join(cells) + "\r\n").encode()


GOOD: Final = row()
FILES: Final[dict[str, tuple[bytes, str]]] = {
    "as it should be": (GOOD, UNKNOWN),
    # --- encodings and line ends ---
    "a mark": (b"\xef\xbb\xbf" + GOOD, "reject FILE_ENCODING 1"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "reject FILE_ENCODING 1, reject FILE_BINARY 1"),
    "CP932": (row(f6="職員").decode().encode("cp932"), "reject FILE_ENCODING 6"),
    "full-width digits": (row(f2="１" * 15), "reject FILE_ENCODING 2"),
    "LF": (GOOD.replace(b"\r\n", b"\n"), "reject FILE_LINE_END 0"),
    "CR": (GOOD.replace(b"\r\n", b"\r"), "reject FILE_LINE_END 0"),
    "no end": (GOOD[:-2], "reject FILE_LINE_END 0"),
    "CR CR LF": (GOOD.replace(b"\r\n", b"\r\r\n"), "reject FILE_BINARY 18"),
    "an end-of-file mark": (GOOD + b"\x1a", f"{UNKNOWN}, reject FILE_LINE_END 0"),
    # --- what is no such file ---
    "nothing": (b"", "nowhere FILE_EMPTY 0"),
    "blank lines": (b"\r\n\r\n", "reject ROW_SHORT 2, reject ROW_SHORT 2"),
    "gzip": (gzip.compress(GOOD, mtime=0), "reject"),
    "NULs": (b"\0" * 500, "reject FILE_BINARY 1"),
    "a line of 50 megabytes": (b"1" * 50_000_000, "reject ROW_TOO_LARGE 0"),
    "an extract": ("宛名番号,氏名\r\n".encode(), "reject FILE_ENCODING 1"),
    "a header": (b"number_system,local\r\n" + GOOD, f"reject ROW_SHORT 3, {UNKNOWN}"),
    # --- fields ---
    "17 fields": (GOOD.replace(b",20270531", b""), "reject ROW_SHORT 18"),
    "19 fields": (GOOD.replace(b"\r\n", b",\r\n"), "reject ROW_LONG 19"),
    "quotes": (row(f6='"DUMMY"'), UNKNOWN),
    "a local number too short": (row(f2="1"), "result VALUE_FORMAT 2"),
    "a local number too long": (row(f2="1" * 16), "result VALUE_TOO_LONG 2"),
    "an individual number": (row(f2=CANARY), "reject INDIVIDUAL_NUMBER_REFUSED 2"),
    "one as user": (row(f6=CANARY), "reject INDIVIDUAL_NUMBER_REFUSED 6"),
    "one as user, with a space before": (row(f6=f" {CANARY}"), "reject INDIVIDUAL_NUMBER_REFUSED 6"),
    "one as user, as printed": (
        row(f6=f"{CANARY[:4]}-{CANARY[4:8]}-{CANARY[8:]}"), "reject INDIVIDUAL_NUMBER_REFUSED 6",
    ),
    "a time that is none": (row(f4="20260230090000000"), "result DATE_INVALID 4"),
    "a time of zeros": (row(f4="0" * 17), "result DATE_INVALID 4"),
    "a time with letters": (row(f4="2026061509000000x"), "result VALUE_FORMAT 4"),
    "a user too long": (row(f6="x" * 21), "result VALUE_TOO_LONG 6"),
    "somebody else as inquirer": (row(f7="0220113104101700"), "result ORGANIZATION_MISMATCH 7"),
    "an affair too short": (row(f9="JM1"), "result VALUE_FORMAT 9"),
    "no provider": (row(f13=""), "result PROVIDER_BLANK 13"),
    "a provider there is none of": (row(f13="99999"), "result PROVIDER_UNKNOWN 13"),
    "a provider of seven digits": (row(f13="1310410"), "result VALUE_FORMAT 13"),
    "an information there is none of": (row(f14="TM99999999999999"), "result INFORMATION_UNKNOWN 14"),
    "a condition there is none of": (row(f15="x"), "result VALUE_FORMAT 15"),
    "a day of zeros": (row(f17="00000000"), "result DATE_INVALID 17"),
    "a day of nines": (row(f18="99999999"), "result DATE_INVALID 18"),
    "a period backwards": (row(f17="20270601"), "result PERIOD_INVALID 18"),
    "an era": (row(f17="R080601"), "result VALUE_FORMAT 17"),
    "a row twice": (GOOD * 2, f"{UNKNOWN}, result RECORD_DUPLICATE 0"),
    "a row over 10,000": (
        b"".join(row(f2=f"{at:015d}", f13="") for at in range(10_001)), "reject FILE_TOO_MANY_ROWS 0",
    ),
}  # fmt: skip


def ask(stage: Stage, folder: Path, *files: Path, **given: Any) -> Any:
    chosen: dict[str, Any] = {"out": folder / "result.csv", "state": folder / "state", **given}
    options = InquireOptions(
        inputs=files, target=stage.world.target, organization=SETAGAYA, cut_off=timedelta(seconds=5), **chosen
    )
    return inquire(options)


@pytest.mark.parametrize("name", FILES)
def test_every_row_goes_to_one_place_and_what_is_wrong_is_named(stage: Stage, tmp_path: Path, name: str) -> None:
    content, expected = FILES[name]
    file = tmp_path / "P640R110_20260615090000_0001.DAT"
    file.write_bytes(content)

    report = ask(stage, tmp_path, file)

    assert report.rows == report.values + report.no_replica + report.refused + report.failed + (
        report.remainder + report.rejected
    )
    written = "".join(
        path.read_text("utf-8", "replace") for path in tmp_path.glob("result*") if "rejects" not in path.name
    )
    assert CANARY not in plain_digits(written)
    if "FILE_TOO_MANY" in expected:
        assert (report.rejected, report.failed) == (1, 10_000)
    elif expected == "reject":
        assert report.rejected == report.rows > 0
    else:
        found = ", ".join(f"{each.reason} {each.column}" for each in report.problems)
        assert found == expected.replace("reject ", "").replace("result ", "").replace("nowhere ", "")
        assert (report.rejected, report.failed) == (expected.count("reject "), expected.count("result "))


def _blocked(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


PLACES: Final[dict[str, tuple[Callable[[Path], dict[str, Any]], str]]] = {
    "a folder as output": (lambda folder: {"out": _blocked(folder / "out")}, "SETTING_INVALID"),
    "an output inside a file": (lambda folder: {"out": folder / "a.DAT" / "out.csv"}, "FOLDER_NOT_FOUND"),
    "an output that is there": (
        lambda folder: {"out": folder / "there.csv" if (folder / "there.csv").write_text("x") else ""}, "OUTPUT_EXISTS",
    ),
    "a folder where the output is prepared": (
        lambda folder: {"out": _blocked(folder / "out.csv.partial").parent / "out.csv"}, "FILE_UNUSABLE",
    ),
    "a file as state folder": (lambda folder: {"state": folder / "a.DAT"}, "FILE_UNUSABLE"),
    "a folder as lock": (lambda folder: {"state": _blocked(folder / "s" / "inquire.lock").parent}, "FILE_UNUSABLE"),
    "a folder as ledger": (
        lambda folder: {"state": _blocked(folder / "s" / f"inquiries-{SETAGAYA}.db").parent}, "FILE_UNUSABLE",
    ),
    "a profile there is none of": (lambda _: {"profile": "nobody"}, "PROFILE_UNKNOWN"),
    "a folder as profile": (lambda folder: {"profile": str(folder)}, "PROFILE_UNKNOWN"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_a_place_that_cannot_be_used_is_told(stage: Stage, tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.DAT"
    file.write_bytes(GOOD)
    place, expected = PLACES[name]

    with pytest.raises(ChukanError) as raised:
        ask(stage, tmp_path, file, **place(tmp_path))

    assert raised.value.code == expected


@pytest.mark.parametrize(("size", "reason"), [(9_000, "CHECKPOINT_UNREADABLE"), (0, "")])
def test_a_damaged_ledger_is_told_and_never_taken_for_an_empty_one(
    stage: Stage, tmp_path: Path, size: int, reason: str
) -> None:
    file = tmp_path / "a.DAT"
    file.write_bytes(GOOD)
    ask(stage, tmp_path, file)
    ledger = tmp_path / "state" / f"inquiries-{SETAGAYA}.db"
    for each in tmp_path.glob("state/*-wal"):
        each.unlink()
    ledger.write_bytes(os.urandom(size))

    if reason:
        with pytest.raises(ChukanError) as raised:
            ask(stage, tmp_path, file, out=tmp_path / "again.csv")
        assert raised.value.code == reason
    else:  # a ledger of no bytes is a new one
        assert ask(stage, tmp_path, file, out=tmp_path / "again.csv").failed == 1


def test_a_file_that_vanishes_or_changes_under_the_run_is_told(stage: Stage, tmp_path: Path) -> None:
    for name, change in (("vanished", _vanish), ("changed", _append)):
        file = tmp_path / f"{name}.DAT"
        file.write_bytes(GOOD)

        with pytest.raises(ChukanError) as raised:
            inquire(
                InquireOptions(
                    inputs=(file,),
                    target=stage.world.target,
                    organization=SETAGAYA,
                    out=tmp_path / f"{name}.csv",
                    state=tmp_path / name,
                    cut_off=timedelta(seconds=5),
                ),
                lambda step, *_, file=file, change=change: change(file) if step == "send" else None,
            )

        assert raised.value.code in {"FILE_CHANGED", "FILE_UNUSABLE", "FILE_NOT_FOUND"}
        assert not (tmp_path / f"{name}.csv").exists()


def _vanish(file: Path) -> None:
    file.unlink(missing_ok=True)


def _append(file: Path) -> None:
    file.write_bytes(GOOD * 2)


def command(stage: Stage, *arguments: object, limit: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command, with files no larger than a limit."""
    return subprocess.run(
        command_line(*arguments, "--target", stage.world.target, "--lang", "en", limit=limit),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("limit", [4_096, 150_000])
def test_a_full_disk_is_told_by_the_command_and_leaves_no_half_result(stage: Stage, tmp_path: Path, limit: int) -> None:
    file, out = tmp_path / "a.DAT", tmp_path / "out.csv"
    file.write_bytes(b"".join(row(f2=f"{at:015d}") for at in range(600)))
    asked = ("adapter", "inquire", "--file", file, "--out", out, "--state", tmp_path / "s", "--organization", SETAGAYA)

    full = command(stage, *asked, limit=limit)
    left = out.exists()
    then = command(stage, *asked)

    assert full.returncode == 1
    assert "STORAGE_FULL" in full.stderr
    assert "Traceback" not in full.stderr + then.stderr
    assert not left
    assert len(out.read_text("utf-8").splitlines()) == 600


def test_two_runs_on_one_state_folder_at_once_are_one(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "a.DAT"
    file.write_bytes(b"".join(row(f2=f"{at:015d}") for at in range(300)))
    given = ("--file", file, "--state", tmp_path / "s", "--organization", SETAGAYA, "--target", stage.world.target)
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "chukan.command", "adapter", "inquire", *map(str, given), "--out", str(out)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "LANG": "C.UTF-8"},
        )
        for out in (tmp_path / "one.csv", tmp_path / "two.csv")
    ]
    ends = [process.communicate(timeout=60)[1] for process in started]

    refused = [end for end in ends if "RUN_IN_PROGRESS" in end]
    assert all("Traceback" not in end for end in ends)
    assert len(refused) <= 1
    assert (tmp_path / "one.csv").exists() or (tmp_path / "two.csv").exists()
