# SPDX-License-Identifier: Apache-2.0
"""The emulator with its address systems, as `chukan serve` composes them, and residents of two wards."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from builders import SETAGAYA, SHINJUKU, Body, eventually

from chukan.adapter.exchange import InquireOptions
from chukan.address.v1.address_service_pb2 import RegisterPeopleRequest, ResidentKind, ResidentState
from chukan.client import Client
from chukan.composition.running import start
from chukan.server.config import Config
from chukan.standard.numbers import dummy_individual_number
from chukan.v1 import linkage_code_service_pb2 as linkage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

EVEN_LEVY = "TK90002010000004"
INCOME_LEVY = "TK90002010000003"


@dataclass
class Town:
    """Both bodies, and 世田谷区's address system."""

    target: str
    shinjuku: Body
    setagaya: Body
    addresses: Client

    def number(self, serials: Sequence[int]) -> list[str]:
        """Return the integrated address numbers of new residents of 世田谷区; their 宛名番号 are the serials."""
        count = len(serials)
        request = RegisterPeopleRequest(
            batch_id=self.setagaya.batch_id(),
            number_system="01",
            local_address_numbers=[f"{serial:015d}" for serial in serials],
            individual_numbers=[dummy_individual_number(serial) for serial in serials],
            names=[f"試験 {serial}" for serial in serials],
            kana_names=["シケン"] * count,
            birth_dates=["19800102"] * count,
            sexes=["1"] * count,
            residential_addresses=[f"東京都世田谷区世田谷{serial}" for serial in serials],
            resident_kinds=[ResidentKind.RESIDENT_KIND_JAPANESE] * count,
            resident_states=[ResidentState.RESIDENT_STATE_RESIDENT] * count,
        )
        answer = next(self.addresses.address.RegisterPeople(iter([request])))
        assert not answer.failures
        return list(answer.integrated_address_numbers)

    def link(self, serials: Sequence[int]) -> list[str]:
        """Return the same once their linkage codes are there."""
        numbers = self.number(serials)
        body = self.setagaya
        body.register(numbers)
        body.notify(serials)
        body.submit(body.request_codes(numbers), serials)
        for number in numbers:
            eventually(lambda number=number: body.linkage(number).state == linkage.LINKAGE_STATE_LINKED)
        return numbers

    def options(self, *inputs: Path, out: Path, **given: Any) -> InquireOptions:
        """Return options for a run of 世田谷区."""
        return InquireOptions(inputs=inputs, out=out, target=self.target, organization=SETAGAYA, **given)


@contextmanager
def _serve(data: Path, *, listen: str = "127.0.0.1:0") -> Iterator[Town]:
    running = start(Config(data=data, listen=listen, control="", metrics="", synchronous="OFF"))
    try:
        with (
            grpc.insecure_channel(running.listen) as channel,
            Client(running.listen, organization=SETAGAYA, system="test") as addresses,
        ):
            yield Town(running.listen, Body(SHINJUKU, channel), Body(SETAGAYA, channel), addresses)
    finally:
        running.stop()


@pytest.fixture
def serve() -> Callable[..., AbstractContextManager[Town]]:
    """Return what runs an emulator on a folder, for tests that stop and start it."""
    return _serve


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Yield a running emulator."""
    with _serve(tmp_path_factory.mktemp("town")) as running:
        yield running
