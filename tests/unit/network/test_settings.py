# SPDX-License-Identifier: Apache-2.0
"""Settings: file, environment and flags, the later ones win; what is wrong is said in a sentence each."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from chukan.server.config import Config, ConfigError, settings

if TYPE_CHECKING:
    from pathlib import Path


def _faults(**given: object) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        Config.load(environment={}, flags=given)
    return refused.value.faults


def test_flags_win_over_environment_and_environment_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "chukan.toml"
    file.write_text('listen = "127.0.0.1:1"\ncontrol = "127.0.0.1:1"\nmetrics = "127.0.0.1:1"\n', encoding="utf-8")
    environment = {"CHUKAN_CONTROL": "127.0.0.1:2", "CHUKAN_METRICS": "127.0.0.1:2", "HOME": "/"}

    config = Config.load(file=file, environment=environment, flags={"metrics": "127.0.0.1:3", "listen": None})

    assert (config.listen, config.control, config.metrics) == ("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3")


def test_a_first_number_is_set_for_an_organization() -> None:
    config = Config.load(environment={}, flags={"first_integrated_numbers": "131041=800000000000001"})

    assert config.first_integrated_numbers == (("0220113104101700", 800_000_000_000_001),)
    for wrong in ("131041", "131041=8", "131041=000000000000000", "1=800000000000001"):
        assert "first-integrated-numbers" in _faults(first_integrated_numbers=wrong)[0]


def test_values_are_read_into_their_types(tmp_path: Path) -> None:
    config = Config.load(
        environment={"CHUKAN_PERMIT_DAYS": "0.5", "CHUKAN_WORKERS": "3"},
        flags={"data": str(tmp_path), "organizations": "0220113104101700, 131121"},
    )

    assert config.data == tmp_path
    assert config.permit_days == timedelta(hours=12)
    assert config.workers == 3
    assert config.organizations == ("0220113104101700", "0220113112101700")
    assert config.keys_directory == tmp_path / "keys"
    assert config.master_key_file == tmp_path / "keys" / "master.key"


def test_an_unknown_setting_stops_the_start_and_names_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "chukan.toml"
    file.write_text('lisen = "127.0.0.1:1"\n', encoding="utf-8")

    with pytest.raises(ConfigError) as refused:
        Config.load(file=file, environment={"CHUKAN_NONSENSE_XYZ": "1"})

    assert refused.value.faults == [
        f"{file}: lisen: there is no such setting; did you mean listen?",
        "environment CHUKAN_NONSENSE_XYZ: there is no such setting",
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("listen", "50051", "host:port"),
        ("listen", "127.0.0.1:99999", "host:port"),
        ("role", "both", "one of all, network, middle"),
        ("mode", "dev", "one of test, production"),
        ("workers", "0", "a whole number above 0"),
        ("permit_days", "soon", "a number of days"),
        ("organizations", "123", "codes of organizations (16 digits) or municipalities (5 or 6)"),
        ("data", 7, "a path"),
    ],
)
def test_a_bad_value_stops_the_start_and_says_what_is_expected(name: str, value: object, expected: str) -> None:
    (fault,) = _faults(**{name: value})

    assert name.replace("_", "-") in fault
    assert expected in fault


def test_all_faults_are_said_at_once() -> None:
    assert len(_faults(listen="x", role="y", workers="z")) == 3


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"role": "middle"}, "role middle needs the setting network"),
        ({"network": "127.0.0.1:1"}, "for role middle only"),
        ({"authority": "keys"}, "for role network only"),
        ({"tls_cert": "a.pem"}, "TLS needs all of"),
        ({"profile": "production"}, "refuses plaintext"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(given: dict[str, object], expected: str) -> None:
    assert any(expected in fault for fault in _faults(**given))


def test_a_file_that_is_no_toml_or_not_there_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff = ")

    for file, expected in ((broken, "is not TOML"), (tmp_path / "none.toml", "can't be read")):
        with pytest.raises(ConfigError, match=expected):
            Config.load(file=file, environment={})


def test_every_setting_has_a_help_of_one_sentence() -> None:
    listed = settings()

    assert [each.name for each in listed][:3] == ["data", "listen", "control"]
    assert all(each.help.endswith(".") for each in listed)
