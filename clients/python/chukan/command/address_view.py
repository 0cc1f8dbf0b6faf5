# SPDX-License-Identifier: Apache-2.0
"""People and their numbers, shown to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from chukan.address.v1 import address_service_pb2 as pb
from chukan.command.language import Text
from chukan.command.messages import reason_text, spoken, state, when

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chukan.command.session import Session

__all__ = ["local_number", "show_conversions", "show_mismatches", "show_people", "show_person"]


def local_number(text: str) -> pb.LocalNumber:
    """Read SYSTEM:BUSINESS:NUMBER."""
    system, _, rest = text.partition(":")
    business, colon, number = rest.rpartition(":")
    if not colon or not system or not number:
        message = f"got {len(text)} characters without two colons, expected SYSTEM:BUSINESS:NUMBER, such as 01::42"
        raise typer.BadParameter(message)
    return pb.LocalNumber(number_system=system, business_id=business, local_address_number=number.zfill(15))


def _written(number: pb.LocalNumber) -> str:
    return f"{number.number_system}:{number.business_id}:{number.local_address_number}"


def show_people(session: Session, people: Iterable[pb.Person]) -> None:
    """Show people, a row each."""
    session.table(
        [
            Text("number", "団体内統合宛名番号"),
            Text("name", "氏名"),
            Text("kana", "カナ"),
            Text("born", "生年月日"),
            Text("sex", "性別"),
            Text("residential address", "住所"),
            Text("state", "状態"),
        ],
        (
            (
                each.integrated_address_number,
                each.name,
                each.kana_name,
                each.birth_date,
                each.sex,
                f"{each.residential_address}{each.building}",
                spoken(state(pb.ResidentState, each.resident_state, "RESIDENT_STATE_"), session.language),
            )
            for each in people
        ),
    )


def show_person(session: Session, person: pb.Person) -> None:
    """Show one person."""
    marks = [
        text.word(session.language)
        for held, text in (
            (person.unnumbered, Text("no individual number", "個人番号なし")),
            (person.nondisclosure, Text("nondisclosure", "不開示該当")),
            (person.self_information_disabled, Text("self-information stopped", "自己情報提供不可")),
            (person.protective_measures, Text("protective measures", "支援措置")),
        )
        if held
    ]
    session.fields(
        [
            (Text("integrated address number", "団体内統合宛名番号"), person.integrated_address_number),
            (Text("merged into", "統合先"), person.merged_into),
            (Text("individual number", "個人番号"), person.individual_number),
            (Text("name", "氏名"), person.name),
            (Text("kana", "カナ氏名"), person.kana_name),
            (Text("alias", "通称"), person.alias),
            (Text("former name", "旧氏"), person.former_name),
            (Text("born", "生年月日"), person.birth_date),
            (Text("sex", "性別"), person.sex),
            (Text("postal code", "郵便番号"), person.postal_code),
            (Text("residential address", "住所"), f"{person.residential_address}{person.building}"),
            (Text("municipality", "団体コード"), person.municipality_code),
            (
                Text("kind", "住民種別"),
                spoken(state(pb.ResidentKind, person.resident_kind, "RESIDENT_KIND_"), session.language),
            ),
            (
                Text("state", "住民状態"),
                spoken(state(pb.ResidentState, person.resident_state, "RESIDENT_STATE_"), session.language),
            ),
            (Text("local numbers", "宛名番号"), " ".join(_written(each) for each in person.local_numbers)),
            (Text("marks", "区分"), ", ".join(marks)),
            (Text("changed", "更新日時"), when(person.update_time)),
        ]
    )


def show_conversions(session: Session, asked: list[str], conversions: Iterable[pb.NumberConversion]) -> None:
    """Show what each number converts to, or why it doesn't."""
    session.table(
        [
            Text("asked", "変換元"),
            Text("integrated address number", "団体内統合宛名番号"),
            Text("local numbers", "宛名番号"),
            Text("reason", "理由"),
        ],
        (
            (
                number,
                each.integrated_address_number,
                " ".join(_written(local) for local in each.local_numbers),
                reason_text(each.reason, session.language),
            )
            for number, each in zip(asked, conversions, strict=True)
        ),
    )


def show_mismatches(session: Session, mismatches: Iterable[pb.Mismatch]) -> None:
    """Show held registrations, a row each."""
    session.table(
        [
            Text("id", "ID"),
            Text("why", "種類"),
            Text("local number", "宛名番号"),
            Text("candidates", "候補"),
            Text("differs in", "相違項目"),
            Text("held", "保留日時"),
            Text("resolved", "解決日時"),
        ],
        (
            (
                each.mismatch_id,
                spoken(state(pb.MismatchKind, each.kind, "MISMATCH_KIND_"), session.language),
                _written(each.local_number),
                " ".join(each.candidates),
                " ".join(each.differing_attributes),
                when(each.create_time),
                when(each.resolve_time),
            )
            for each in mismatches
        ),
    )
