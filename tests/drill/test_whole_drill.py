# SPDX-License-Identifier: Apache-2.0
"""A whole drill of one fault, as its user runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.drill.conftest import SECONDS, left

if TYPE_CHECKING:
    from tests.drill.conftest import Running


def test_a_killed_server_is_noticed_in_the_persons_language(whole_drill: Running) -> None:
    said, complained = whole_drill.process.communicate(timeout=SECONDS)

    assert whole_drill.process.returncode == 0, said + complained
    assert complained == ""
    assert "サーバーが強制終了する" in said
    assert "ChukanDown" in said
    assert "合格" in said
    assert "計算値" in said
    assert "ChukanApprovalWaiting: 2日待つ" in said
    assert not list(whole_drill.folder.iterdir())
    assert not left(str(whole_drill.folder))
