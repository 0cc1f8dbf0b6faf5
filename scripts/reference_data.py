# SPDX-License-Identifier: Apache-2.0
"""Reference pages made from the data of `chukan.standard`: reasons, rules, layouts, permission list, organizations."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from reference_page import code, page, table

from chukan.standard import layouts as standard_layouts
from chukan.standard import organizations as standard_organizations
from chukan.standard import permission_list as standard_permissions
from chukan.standard import reasons as standard_reasons
from chukan.standard import rules as standard_rules

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from chukan.standard.layouts import DataSet, Item, Layout
    from chukan.standard.reasons import Reason

__all__ = ["layouts", "organizations", "permission_list", "reasons", "rules"]

_DATA = "protos/python/chukan/standard/data"


def reasons() -> str:
    """List every error reason with its status, texts and what to do."""
    intro = (
        "Every error and every refusal carries one of these reasons: as `google.rpc.ErrorInfo.reason` (domain "
        "`chukan.example`) when a call ends with it, as the `reason` of a record or of an inquiry otherwise. A status "
        "of `RECORD` means that the reason ends one record or one inquiry and never a whole call. The codes and texts "
        "are this project's own ([divergences](../divergences.md#reasons-and-messages)). No text holds a personal "
        "value; what may be shown travels beside the reason as parameters.\n\n"
        "`chukan reasons CODE` shows the same on the command line."
    )
    groups = groupby(standard_reasons.all_reasons(), key=lambda each: each.group)
    return page(
        "Error reasons (理由コード)",
        f"`{_DATA}/reasons.toml`",
        intro,
        *(f"## {group}\n\n{_reasons_of(rows)}" for group, rows in groups),
    )


def _reasons_of(rows: Iterable[Reason]) -> str:
    return table(
        ("reason", "status", "what happened", "what to do"),
        (
            (
                code(row.code),
                row.status,
                f"{row.english}<br>{row.japanese}",
                f"{row.action_english}<br>{row.action_japanese}",
            )
            for row in rows
        ),
    )


def rules() -> str:
    """List the rules a value, a nil or a character can break."""
    intro = (
        "A `RowFailure` names the rule that was broken in its field `rule`, never the value; where the number in it is "
        "a field's own (`max_length=8`), it stands in the contract or the layout."
    )
    return page(
        "Rules of values (検査規則)",
        f"`{_DATA}/rules.toml`",
        intro,
        table(
            ("rule", "about", "English", "Japanese"),
            ((code(each.name), each.group, each.english, each.japanese) for each in standard_rules.all_rules()),
        ),
    )


def layouts() -> str:
    """List every layout with its data sets and items."""
    found = standard_layouts.layouts()
    intro = (
        "The layouts are synthetic: information codes (`TM…`) are public where the "
        "[fidelity page](../fidelity.md) says so, data sets and items are sensible guesses under item codes of this "
        "project's own (`TK9…`). They are not the official data standard layouts "
        "([divergences](../divergences.md#layouts))."
    )
    nils = table(
        ("code", "Japanese", "English"),
        ((code(each.code), each.japanese, each.english) for each in standard_layouts.NIL_REASONS.values()),
    )
    return page(
        "Layouts (データ標準レイアウト, synthetic)",
        f"`{_DATA}/layouts/*.toml`",
        intro,
        "## Overview\n\n" + _overview(found),
        "## Reasons for nil (値なし理由)\n\n" + nils,
        *(_layout(each) for each in found),
    )


def _overview(found: Iterable[Layout]) -> str:
    return table(
        ("information", "name", "edition", "in force", "told apart by", "data sets", "items"),
        (
            (
                code(each.information_code),
                f"{each.name} ({each.english})",
                code(each.edition),
                _span(each.valid_from, each.valid_to),
                each.period,
                len(each.data_sets),
                sum(len(data_set.items) for data_set in each.data_sets),
            )
            for each in found
        ),
    )


def _span(first: date, last: date | None) -> str:
    return f"{first} – {last or ''}".strip()


def _layout(each: Layout) -> str:
    head = f"## {each.information_code} {each.name} ({each.english}), edition {each.edition}"
    return "\n\n".join([head, each.description, *(_data_set(data_set) for data_set in each.data_sets)])


def _data_set(data_set: DataSet) -> str:
    notes = []
    if data_set.parent:
        notes.append(f"Parent: data set `{data_set.parent}`; a record names its parent's record key.")
    if data_set.key_item:
        notes.append(f"The record key is the value of `{data_set.key_item}`.")
    items = table(
        ("item", "name", "type", "length", "required", "nil", "values and remarks"),
        (_item(it) for it in data_set.items),
    )
    return "\n\n".join([f"### Data set {data_set.code} {data_set.name}", *([" ".join(notes)] if notes else []), items])


def _item(item: Item) -> tuple[object, ...]:
    values = ", ".join(f"`{value}` {name}" for value, name in zip(item.values, item.value_names, strict=True))
    said = {"void in this edition": item.void, "may be negative": item.negative}
    remarks = [*(remark for remark, holds in said.items() if holds), *filter(None, (item.description, values))]
    return (
        code(item.code),
        item.name,
        item.type,
        item.max_length,
        "yes" if item.required else "",
        "yes" if item.nil_allowed else "",
        "; ".join(remarks),
    )


def permission_list() -> str:
    """List every row of the permission list, with affairs and procedures."""
    shipped = standard_permissions.permission_list()
    intro = (
        f"Version `{shipped.version}`, distributed from {shipped.effective_from}. Rows follow the wording of "
        "番号法別表第二 until 2024-05-26; where today's row in the ministerial order was not verified, the new basis "
        "says `unverified`. What is public and what is not: [fidelity](../fidelity.md), "
        "[divergences](../divergences.md#permission-list). "
        "A question that meets no row is refused."
    )
    affairs, procedures = standard_permissions.affairs(), standard_permissions.procedures()
    return page(
        "Permission list (照会許可用照合リスト)",
        f"`{_DATA}/permission_list.csv`, `affairs.csv`, `procedures.csv`",
        intro,
        "## Rows\n\n" + _permission_rows(shipped),
        "## Affairs (事務)\n\n"
        + table(
            ("affair", "name", "code is"),
            ((code(each.code), each.name, each.source) for each in affairs.values()),
        ),
        "## Procedures (事務手続)\n\n"
        + table(
            ("procedure", "affair", "name", "code is"),
            ((code(each.code), code(each.affair_code), each.name, each.source) for each in procedures.values()),
        ),
    )


def _permission_rows(shipped: standard_permissions.PermissionList) -> str:
    return table(
        ("row", "kind", "inquirer", "affair, procedure", "provider", "information", "basis", "in force", "remarks"),
        (
            (
                code(row.row_id),
                row.kind,
                ", ".join(row.inquirer_kinds),
                f"{code(row.affair_code)} {code(row.procedure_code)}",
                ", ".join(row.provider_kinds),
                code(row.information_code) + ("".join(f" {code(item)}" for item in row.items)),
                f"old: {row.legal_basis_old or '–'}<br>new: {row.legal_basis_new or '–'}",
                _span(row.valid_from, row.valid_to),
                "; ".join(
                    filter(
                        None,
                        (
                            f"ordinance of {row.organization}" if row.organization else "",
                            "consent needed" if row.consent_required else "",
                            row.note,
                        ),
                    )
                ),
            )
            for row in shipped.rows
        ),
    )


def organizations() -> str:
    """List the organizations shipped as members and their kinds."""
    intro = (
        "These take part when `chukan serve` starts without the setting `organizations`. Every other municipality and "
        "prefecture of Japan resolves by its code too. The organization codes of `0220113112101700` (世田谷区) and "
        "`1419900000002200` (デジタル庁) are public; the others are this project's own "
        "([divergences](../divergences.md#organization-codes))."
    )
    members = standard_organizations.all_organizations()
    kinds = standard_organizations.kind_names()
    return page(
        "Organizations (機関)",
        f"`{_DATA}/organizations.toml`, `local_bodies.csv`",
        intro,
        "## Members\n\n"
        + table(
            ("organization code", "name", "kind", "municipality code", "organ of"),
            (
                (code(each.code), each.full_name, each.kind, code(each.municipality_code), code(each.parent))
                for each in members
            ),
        ),
        "## Kinds\n\n"
        + table(
            ("kind", "Japanese", "English"),
            ((code(kind), names.japanese, names.english) for kind, names in kinds.items()),
        ),
    )
