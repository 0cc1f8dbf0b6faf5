# SPDX-License-Identifier: Apache-2.0
"""The guard over the frozen contract: additions pass, everything that would break a caller is named."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import contract_baseline
from buf_tool import find_buf
from contract_baseline import broken, freeze

FROZEN = 'syntax = "proto3";\n\npackage kept.v1;\n\nmessage Row {\n  string code = 1;\n}\n'
ADDED = FROZEN.replace("code = 1;\n", "code = 1;\n  string note = 2;\n")
RENUMBERED = FROZEN.replace("code = 1", "code = 2")
WITHOUT = FROZEN.replace("  string code = 1;\n", "")
OTHER_TYPE = FROZEN.replace("string", "bytes")


@pytest.fixture(scope="module")
def buf() -> str:
    found, why = find_buf()
    if found is None:
        if os.environ.get("TESTS_REQUIRE_ALL"):
            pytest.fail(f"NOT RUN: {why}")
        pytest.skip(f"NOT RUN: {why}")
    return found


@pytest.fixture
def protos(buf: str, tmp_path: Path) -> Path:
    (tmp_path / "buf.yaml").write_text("version: v2\nbreaking:\n  use:\n    - FILE\n")
    (tmp_path / "kept" / "v1").mkdir(parents=True)
    _write(tmp_path, FROZEN)
    assert freeze(buf, tmp_path, tmp_path / "baseline.binpb") == []
    return tmp_path


def _write(protos: Path, text: str) -> None:
    (protos / "kept" / "v1" / "rows.proto").write_text(text)


def test_what_is_added_breaks_nothing_and_can_be_frozen_too(buf: str, protos: Path) -> None:
    """Once the addition is frozen, it can't be taken back either."""
    _write(protos, ADDED)

    assert broken(buf, protos, protos / "baseline.binpb") == []
    assert freeze(buf, protos, protos / "baseline.binpb") == []

    _write(protos, FROZEN)
    assert broken(buf, protos, protos / "baseline.binpb")


@pytest.mark.parametrize("text", [RENUMBERED, WITHOUT, OTHER_TYPE], ids=["renumbered", "removed", "other type"])
def test_what_breaks_a_caller_is_named_and_never_frozen(buf: str, protos: Path, text: str) -> None:
    baseline = protos / "baseline.binpb"
    before = baseline.read_bytes()
    _write(protos, text)

    assert any("rows.proto" in fault for fault in broken(buf, protos, baseline))
    assert freeze(buf, protos, baseline)
    assert baseline.read_bytes() == before


def test_without_a_baseline_the_check_says_so_and_passes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contract_baseline, "BASELINE", tmp_path / "baseline.binpb")

    assert contract_baseline.main([]) == 0
    assert "not frozen yet" in capsys.readouterr().out


@pytest.mark.usefixtures("buf")
def test_the_whole_contract_can_be_frozen_and_then_breaks_nothing_of_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    baseline = tmp_path / "baseline.binpb"
    monkeypatch.setattr(contract_baseline, "BASELINE", baseline)

    assert contract_baseline.main(["freeze"]) == 0
    assert baseline.stat().st_size > 0
    assert contract_baseline.main([]) == 0
