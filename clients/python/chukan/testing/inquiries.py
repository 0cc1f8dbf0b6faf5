# SPDX-License-Identifier: Apache-2.0
"""An inquiry (情報照会) the permission list permits, so that a test names only whom it asks about what."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from chukan.standard.permission_list import PermissionRow, Question, permission_list
from chukan.testing.replicas import TAX, number_at
from chukan.testing.stage import StageError, organization_of
from chukan.v1 import inquiry_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from chukan.testing.bare_world import BareWorld
    from chukan.testing.people import Addressee

__all__ = ["permitted"]

__tracebackhide__ = True  # a failure is shown at the line of the test


def permitted(
    world: BareWorld,
    addressee: Addressee | str,
    *,
    by: str,
    provider: str,
    information: str,
    record_id: str,
    item_codes: Sequence[str],
    time_out: timedelta | None,
) -> pb.InquirySpec:
    """Return one; see `World.inquiry_spec`."""
    row = _row(world, by, provider, information, tuple(item_codes))
    inquirer = organization_of(by).code
    spec = pb.InquirySpec(
        record_id=record_id,
        integrated_address_number=number_at(addressee, inquirer),
        affair_code=row.affair_code,
        procedure_code=row.procedure_code,
        provider_code=organization_of(provider).code,
        information_code=information,
        consent=True,
        item_codes=item_codes,
    )
    if time_out is not None:
        spec.time_out.FromTimedelta(time_out)
    return spec


def _row(world: BareWorld, by: str, provider: str, information: str, items: tuple[str, ...]) -> PermissionRow:
    today, permissions = world.clock.today(), permission_list()
    for row in permissions.rows:
        question = Question(
            inquirer=organization_of(by),
            affair_code=row.affair_code,
            procedure_code=row.procedure_code,
            provider=organization_of(provider),
            information_code=information,
            on=today,
            items=items,
        )
        if row.information_code == information and permissions.match(question).permitted:
            return row
    possible = sorted({row.information_code for row in permissions.rows})
    near = ", ".join(get_close_matches(information, possible, n=3) or [TAX])
    asked = f"{information} {', '.join(items)}".strip()
    raise StageError(
        f"no row of the permission list lets {by} ask {provider} for {asked} on {today}; expected another information "
        f"(such as {near}), inquirer or provider, or fewer item_codes",
        f"{today} 現在、{by} から {provider} への {asked} の照会を許可する行はありません。"
        f"特定個人情報名コード(例: {near})、照会者、提供者又は項目を見直してください。",
    )
