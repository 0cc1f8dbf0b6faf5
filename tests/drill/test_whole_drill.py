# SPDX-License-Identifier: Apache-2.0
"""A whole drill of few faults, as its user runs it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chukan.drill.scenarios import NOT_DRILLED
from tests.drill.conftest import SECONDS, left

if TYPE_CHECKING:
    from tests.drill.conftest import Running


def test_a_killed_server_and_a_certificate_that_runs_out_are_noticed_in_the_persons_language(
    whole_drill: Running,
) -> None:
    said, complained = whole_drill.process.communicate(timeout=SECONDS)

    assert whole_drill.process.returncode == 0, said + complained
    assert complained == ""
    assert "サーバーが強制終了する" in said
    for alert in ("ChukanDown", "ChukanCertificateExpires"):
        assert len(re.findall(rf" {alert} .* 正常 ", said)) == 1, said
    assert "合格" in said
    assert "計算値" in said
    for alert, (_, why) in NOT_DRILLED.items():
        assert f"{alert}: {why}" in said
    assert not list(whole_drill.folder.iterdir())
    assert not left(str(whole_drill.folder))
