# SPDX-License-Identifier: Apache-2.0
"""The network and the middle servers as two processes over mutual TLS: the adapter does its whole job on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import SETAGAYA, SHINJUKU

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chukan.command.demo.stage import ServerProcess
    from tests.e2e.conftest import Ended


@pytest.fixture
def apart(serve: Callable[..., ServerProcess], tmp_path: Path) -> tuple[object, ...]:
    """Start both; return the options of a command that calls them."""
    tls, members = tmp_path / "tls", tmp_path / "middle" / "data" / "keys"
    members.parent.mkdir(parents=True)
    core = serve(tmp_path / "core", "--role", "network", "--authority", str(members), "--tls", str(tls))
    middle = serve(tmp_path / "middle", "--role", "middle", "--network", core.target, "--tls", str(tls))
    return "--target", middle.target, "--network-target", core.target, "--tls", tls


def test_the_adapter_works_on_a_network_that_runs_apart(
    apart: tuple[object, ...], two_bodies: Path, chukan: Callable[..., Ended], tmp_path: Path
) -> None:
    """People are numbered and linked, replicas registered, inquiries answered; the three records agree."""
    for body in (SHINJUKU, SETAGAYA):
        files = ("--people", two_bodies / body, "--extracts", two_bodies / body / "extracts")
        loaded = chukan("adapter", "load", *files, *apart, "--organization", body, "--state", tmp_path / body, "--json")
        assert loaded.code == 0, loaded.out + loaded.err
        assert loaded.document["codes"]["open"] == 0

    asked = chukan(
        *("adapter", "inquire", "--file", two_bodies / SETAGAYA / "inquiries", "--out", tmp_path / "result.csv"),
        *apart,
        *("--organization", SETAGAYA, "--state", tmp_path / "asked", "--wait", "--json"),
    )
    compared = chukan("record", "reconcile", *apart, "--organization", SETAGAYA, "--json")

    assert asked.code == 0, asked.out + asked.err
    assert asked.document["is_complete"]
    assert compared.code == 0, compared.out + compared.err
