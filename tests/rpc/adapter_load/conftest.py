# SPDX-License-Identifier: Apache-2.0
"""The emulator with its address systems as `chukan serve` composes them, and dummy people to load."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from chukan.adapter.sync import LoadOptions, Report, load
from chukan.client import Client
from chukan.composition.running import start
from chukan.people.writing import write
from chukan.server.config import Config
from chukan.standard.organizations import by_municipality
from chukan.v1 import replica_service_pb2 as replica

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Body:
    """One municipality: its files, its state folder, its connection."""

    municipality: str
    folder: Path
    state: Path
    target: str

    @property
    def organization(self) -> str:
        """Its code."""
        return by_municipality(self.municipality).code

    def load(self, **given: Any) -> Report:
        """Load everything, or what is given."""
        asked = {
            "people": (self.folder,),
            "extracts": self.folder / "extracts",
            "state": self.state,
            "stall_timeout": 30.0,
            **given,
        }
        return load(LoadOptions(target=self.target, organization=self.organization, **asked))

    def client(self) -> Client:
        """Open a connection."""
        return Client(self.target, organization=self.organization, system="test")

    def replicas(self, information: str) -> dict[tuple[str, str, str], tuple[str, dict[str, str | None]]]:
        """Return record id and values (None: nil) by (data set, number, record key), of current replicas."""
        found: dict[tuple[str, str, str], tuple[str, dict[str, str | None]]] = {}
        with self.client() as client:
            for page in client.replicas.ExportReplicas(replica.ExportReplicasRequest(information_code=information)):
                for row, number in enumerate(page.integrated_address_numbers):
                    key = (page.data_set, number, page.record_keys[row])
                    assert key not in found
                    values = {item.item_code: None if row in item.nil_rows else item.values[row] for item in page.items}
                    found[key] = (page.record_ids[row], values)
        return found


def people(folder: Path, municipality: str, *, count: int = 240, **given: Any) -> Path:
    """Write dummy people and their extracts."""
    write(folder, municipality=municipality, count=count, seed=3, reference_date=date(2026, 10, 1), **given)
    return folder


@contextmanager
def emulator(data: Path, **given: Any) -> Iterator[str]:
    """Serve from a folder; yield the address."""
    running = start(Config(data=data, listen="127.0.0.1:0", control="", metrics="", synchronous="OFF", **given))
    try:
        yield running.listen
    finally:
        running.stop()


@pytest.fixture(scope="package")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a running emulator."""
    with emulator(tmp_path_factory.mktemp("emulator")) as address:
        yield address


sys.modules.setdefault("chukan_adapter_load", sys.modules[__name__])  # for the tests beside: folders are no packages
