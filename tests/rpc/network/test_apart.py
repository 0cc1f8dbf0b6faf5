# SPDX-License-Identifier: Apache-2.0
"""The network as a server of its own and a middle server per body: what it can't read, and what it survives."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from builders import SETAGAYA, SHINJUKU, Body, eventually, fresh_serial

from chukan.server.config import Config
from chukan.v1 import common_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INCOME_LEVY = "TK90002010000003"
QUICK = {"synchronous": "OFF", "control": "", "metrics": ""}


@dataclass
class Place:
    """One server that can be stopped and started again where it was."""

    config: Config
    listen: str = "127.0.0.1:0"
    running: Any = None
    _stack: ExitStack | None = None

    def start(self) -> None:
        """Serve."""
        serve = sys.modules["chukan_rpc_conftest"].serve
        self._stack = ExitStack()
        self.running = self._stack.enter_context(serve(self.config, listen=self.listen))
        self.listen = self.running.address

    def stop(self) -> None:
        """Stop, keeping the data."""
        if self._stack is not None:
            self._stack.close()
            self._stack = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """Be away for a while."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def body(self, organization: str, network: Place) -> Body:
        """Return an organization's systems."""
        return Body(
            organization, grpc.insecure_channel(self.listen), network_channel=grpc.insecure_channel(network.listen)
        )


@dataclass
class Country:
    """A network and two middle servers, each in its place."""

    network: Place
    shinjuku: Place
    setagaya: Place

    @property
    def provider(self) -> Body:
        """新宿区."""
        return self.shinjuku.body(SHINJUKU, self.network)

    @property
    def inquirer(self) -> Body:
        """世田谷区."""
        return self.setagaya.body(SETAGAYA, self.network)

    def person(self, levy: str = "123400") -> str:
        """Return 世田谷区's number of somebody 新宿区 has a replica of."""
        serial = fresh_serial()
        (provided,) = self.provider.link([serial])
        self.provider.replicas([provided], values={INCOME_LEVY: [levy]})
        return self.inquirer.link([serial])[0]


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    """Yield a network and two middle servers under one members' authority."""
    directory: Path = tmp_path_factory.mktemp("country")
    network = Place(Config(data=directory / "core", role="network", authority=directory / "keys", **QUICK))
    network.start()
    middles = {
        name: Place(
            Config(
                data=directory / name,
                keys=directory / "keys",
                master_key=directory / f"{name}.key",
                role="middle",
                network=network.listen,
                organizations=(code,),
                **QUICK,
            )
        )
        for name, code in (("shinjuku", SHINJUKU), ("setagaya", SETAGAYA))
    }
    for middle in middles.values():
        middle.start()
    yield Country(network=network, **middles)
    for place in (*middles.values(), network):
        place.stop()


def test_bodies_on_servers_of_their_own_exchange(country: Country) -> None:
    found = country.inquirer.answer(country.person())

    assert found.state == common_pb2.INQUIRY_STATE_ANSWERED
    (result,) = country.inquirer.results(found.receipt_number).results
    assert {item.item_code: item.value for item in result.records[0].items}[INCOME_LEVY] == "123400"


def test_the_network_holds_no_content_no_number_and_no_key_to_read_with(country: Country) -> None:
    number = country.person("987654321")
    country.inquirer.answer(number)

    config = country.network.config
    assert config.data is not None
    files = {path.relative_to(config.data).as_posix() for path in config.data.rglob("*") if path.is_file()}
    written = b"".join(path.read_bytes() for path in config.data.rglob("*.db*"))
    assert not any("authority.pem" in name or SETAGAYA in name or SHINJUKU in name for name in files)
    assert b"987654321" not in written
    assert number.encode() not in written
    assert b"TK90002010000003" not in written


def test_an_inquiry_waits_for_a_provider_that_is_away(country: Country) -> None:
    number = country.person()
    with country.shinjuku.away():
        receipt = country.inquirer.ask(country.inquirer.spec(number)).receipt_numbers[0]
        eventually(lambda: country.inquirer.inquiry(receipt).state == common_pb2.INQUIRY_STATE_PERMITTED)

    assert country.inquirer.finished(receipt).state == common_pb2.INQUIRY_STATE_ANSWERED


def test_an_inquiry_waits_for_a_network_that_is_away_and_finds_it_restarted(country: Country) -> None:
    number = country.person()
    with country.network.away():
        receipt = country.inquirer.ask(country.inquirer.spec(number)).receipt_numbers[0]
        assert country.inquirer.inquiry(receipt).state == common_pb2.INQUIRY_STATE_ACCEPTED

    assert country.inquirer.finished(receipt).state == common_pb2.INQUIRY_STATE_ANSWERED


def test_an_answer_waits_for_an_inquirer_that_is_away(country: Country) -> None:
    number = country.person()
    with country.shinjuku.away():
        receipt = country.inquirer.ask(country.inquirer.spec(number)).receipt_numbers[0]
        eventually(lambda: country.inquirer.inquiry(receipt).state == common_pb2.INQUIRY_STATE_PERMITTED)
        country.setagaya.stop()
    assert country.network.running.app.dispatcher.drain(10)
    country.setagaya.start()

    assert country.inquirer.finished(receipt).state == common_pb2.INQUIRY_STATE_ANSWERED


def test_a_network_made_anew_is_found_out_and_knows_no_code_of_the_old_one(country: Country) -> None:
    number = country.person()
    config = country.network.config
    assert config.data is not None
    country.network.stop()
    country.network.config = replace(config, data=config.data.with_name("core-anew"))
    country.network.start()

    found = country.inquirer.answer(country.person())
    refused = country.inquirer.answer(number)

    assert (refused.state, refused.reason) == (common_pb2.INQUIRY_STATE_REFUSED, "LINKAGE_CODE_UNKNOWN")
    assert found.state == common_pb2.INQUIRY_STATE_ANSWERED
