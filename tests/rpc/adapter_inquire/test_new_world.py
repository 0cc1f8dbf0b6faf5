# SPDX-License-Identifier: Apache-2.0
"""The server is another one than the ledger knows: everything is asked anew, and no result file is lost over it."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from builders import SETAGAYA, TAX

from chukan.adapter.exchange import inquire, inquiry_status
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conftest import Town

SERIALS = (1, 2, 3)
STATUS = 23


def write_file(path: Path, serials: Sequence[int] = SERIALS) -> Path:
    """Write an inquiry file about residents."""
    rows = [
        f"01,{serial:015d},,2026061509000{serial}000,131120101,DUMMY0001,{SETAGAYA},1,"
        f"JM01000000121000,JT01010000000214,,,13104,{TAX},0,0,20260601,20270531\r\n"
        for serial in serials
    ]
    path.write_bytes("".join(rows).encode())
    return path


@contextmanager
def populated(serve: Callable[..., AbstractContextManager[Town]], data: Path, listen: str) -> Iterator[Town]:
    """Serve from a new folder in which the same people live."""
    with serve(data, listen=listen) as town:
        town.shinjuku.replicas(town.shinjuku.link(SERIALS))
        town.link(SERIALS)
        yield town


@pytest.fixture
def asked_elsewhere(serve: Callable[..., AbstractContextManager[Town]], tmp_path: Path) -> str:
    """Ask a file of a server that is gone then; return where it was."""
    with populated(serve, tmp_path / "one", "127.0.0.1:0") as town:
        file = write_file(tmp_path / "in.DAT")
        assert inquire(town.options(file, out=tmp_path / "result.csv")).values == len(SERIALS)
        return town.target


@pytest.mark.parametrize("resend", [False, True])
def test_a_file_is_asked_anew_of_a_server_whose_world_is_another(
    serve: Callable[..., AbstractContextManager[Town]], tmp_path: Path, asked_elsewhere: str, *, resend: bool
) -> None:
    with populated(serve, tmp_path / "other", asked_elsewhere) as town:
        options = town.options(tmp_path / "in.DAT", out=tmp_path / "second.csv", resend=resend)
        second = inquire(options)
        third = inquire(options)

    (status,) = inquiry_status(tmp_path / "chukan-state", SETAGAYA).files
    assert (second.values, second.sent, second.is_complete) == (len(SERIALS), len(SERIALS), True)
    assert [each.code for each in second.warnings] == ["SERVER_IS_ANOTHER"]
    assert (status.delivered, status.failed) == (len(SERIALS), 0)
    assert (third.values, third.sent, third.warnings) == (len(SERIALS), 0, [])


def test_the_results_of_another_world_are_written_over_only_when_that_is_said(
    serve: Callable[..., AbstractContextManager[Town]], tmp_path: Path, asked_elsewhere: str
) -> None:
    before = b"what another world answered"  # by itself it could be the same to the byte: times are seconds
    (tmp_path / "result.csv").write_bytes(before)

    with populated(serve, tmp_path / "other", asked_elsewhere) as town:
        for _ in range(2):
            with pytest.raises(ChukanError) as raised:
                inquire(town.options(tmp_path / "in.DAT", out=tmp_path / "result.csv"))
            assert raised.value.code == "OUTPUT_EXISTS"
            assert (tmp_path / "result.csv").read_bytes() == before
        report = inquire(town.options(tmp_path / "in.DAT", out=tmp_path / "result.csv", replace=True))

    assert report.values == len(SERIALS)
    assert (tmp_path / "result.csv").read_bytes() != before


def test_a_server_that_was_restored_to_before_the_inquiries_is_asked_anew(
    serve: Callable[..., AbstractContextManager[Town]], tmp_path: Path
) -> None:
    """Its world is the same, but it does not know what was asked last."""
    file = write_file(tmp_path / "in.DAT")
    with populated(serve, tmp_path / "data", "127.0.0.1:0"):
        pass
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    with serve(tmp_path / "data") as town:
        inquire(town.options(file, out=tmp_path / "first.csv"))

    with serve(tmp_path / "backup", listen=town.target) as restored:
        report = inquire(restored.options(file, out=tmp_path / "second.csv"))

    assert (report.values, report.sent) == (len(SERIALS), len(SERIALS))
    assert [each.code for each in report.warnings] == ["SERVER_IS_ANOTHER"]
