# SPDX-License-Identifier: Apache-2.0
"""Pages say what the contract and the code say: links resolve, headings exist, every RPC has its promise."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chukan.address.v1 import address_service_pb2
from chukan.emulator.v1 import emulator_service_pb2
from chukan.network.v1 import member_service_pb2, network_service_pb2, resident_network_service_pb2
from chukan.server.app import build
from chukan.server.assembly.later import control_services
from chukan.server.config import Config
from chukan.v1 import (
    exchange_record_service_pb2,
    inquiry_service_pb2,
    linkage_code_service_pb2,
    operation_service_pb2,
    provision_service_pb2,
    replica_service_pb2,
    security_service_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")])
CODE = ("protos/python", "protos/chukan", "server", "adapter", "clients/python", "monitoring", "tests", "scripts")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*)$", re.MULTILINE)
NAMED = re.compile(r"docs/divergences(?:\.md)?,?(?:\s+section)?((?:\s*,?\s*\"[^\"]+\")+)")

PROMISED = (
    linkage_code_service_pb2,
    replica_service_pb2,
    inquiry_service_pb2,
    provision_service_pb2,
    exchange_record_service_pb2,
    security_service_pb2,
    operation_service_pb2,
    network_service_pb2,
    resident_network_service_pb2,
    member_service_pb2,
    address_service_pb2,
    emulator_service_pb2,
)


def _anchor(heading: str) -> str:
    kept = "".join(letter for letter in heading.lower().strip() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def _headings(text: str) -> list[str]:
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [match.strip() for match in HEADING.findall(plain)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_resolve(page: Path) -> None:
    broken = []
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in LINK.findall(text):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        found = path.exists()
        if found and anchor and path.suffix == ".md":
            found = anchor in {_anchor(heading) for heading in _headings(path.read_text("utf-8"))}
        if not found:
            broken.append(target)

    assert broken == []


def _comments() -> Iterator[tuple[Path, str]]:
    """Docstrings of modules, classes and functions, and comments, as one line each file."""
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".py", ".proto", ".toml", ".csv"} or path == Path(__file__).resolve():
                continue
            yield path, re.sub(r"\s*\n\s*(#|//)?\s*", " ", path.read_text("utf-8"))


def test_a_section_of_the_divergences_that_code_names_exists() -> None:
    headings = {heading.lower() for heading in _headings((DOCS / "divergences.md").read_text("utf-8"))}
    missing = [
        (str(path.relative_to(ROOT)), section)
        for path, text in _comments()
        for quoted in NAMED.findall(text)
        for section in re.findall(r"\"([^\"]+)\"", quoted)
        if section.lower() not in headings
    ]

    assert missing == []


def test_a_section_of_the_domain_facts_that_code_names_exists() -> None:
    headings = {heading.split(" ")[0] for heading in _headings((DOCS / "fidelity.md").read_text("utf-8"))}
    named = {
        section
        for _, text in _comments()
        for quoted in re.findall(r"domain facts((?:[,\s]*§[0-9][a-z]?)+)", text)
        for section in re.findall(r"§[0-9][a-z]?", quoted)
    }

    assert named - headings == set()


def test_a_page_that_code_names_exists() -> None:
    named = {
        name
        for _, text in _comments()
        for name in re.findall(r"docs/((?:reference/|decisions/)?[a-z_0-9]+)(?:\.md)?", text)
        if "/docs/" not in name
    }
    missing = {name for name in named if not (DOCS / f"{name}.md").exists() and not (DOCS / name).is_dir()}

    assert missing - {"mypage", "protovalidate"} == set()


def _promises() -> dict[str, dict[str, str]]:
    """Return the rows of docs/acknowledged.md by service."""
    promises: dict[str, dict[str, str]] = {}
    service = ""
    for line in (DOCS / "acknowledged.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            service = line[3:].strip()
        elif line.startswith("| ") and service.startswith("chukan."):
            rpc, says, *_ = (cell.strip() for cell in line.strip("|").split("|"))
            promises.setdefault(service, {})[rpc] = says
    return {name: {rpc: says for rpc, says in rows.items() if rpc != "RPC"} for name, rows in promises.items()}


@pytest.fixture(scope="module")
def offered() -> dict[str, dict[str, bool]]:
    """Whether each RPC of each service is offered by a running server."""
    app = build(Config(control="", metrics=""))
    try:
        services = [*app.services, *control_services(lambda: None)]
        return {
            service.full_name: {
                name: not hasattr(getattr(service.servicer, name), "feature")
                for name in dir(service.servicer)
                if name[0].isupper()
            }
            for service in services
        }
    finally:
        app.stop()


@pytest.mark.parametrize("module", PROMISED, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_rpc_has_its_promise(module: object, offered: dict[str, dict[str, bool]]) -> None:
    file = module.DESCRIPTOR  # type: ignore[attr-defined]
    (service,) = file.services_by_name.values()
    promises = _promises()[service.full_name]
    names = {method.name for method in service.methods}
    rest = "all others" in promises

    assert names == promises.keys() if not rest else promises.keys() - {"all others"} <= names
    if service.full_name in offered:
        later = {name for name in names if not offered[service.full_name][name]}
        said = {name for name in names if promises.get(name, promises.get("all others", "")) == "*later*"}
        assert said == later


def test_services_of_later_versions_are_named(offered: dict[str, dict[str, bool]]) -> None:
    text = (DOCS / "acknowledged.md").read_text("utf-8").rpartition("## Later services")[2]
    later = {name for name, methods in offered.items() if not any(methods.values())}

    assert {name.rpartition(".")[2] for name in later} == set(re.findall(r"[A-Z]\w+Service", text))


def test_reference_pages_are_fresh() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from reference import PAGES as MADE  # noqa: PLC0415  # scripts are no package
    finally:
        sys.path.pop(0)

    stale = [name for name, make in MADE.items() if (DOCS / "reference" / name).read_text("utf-8") != make()]
    assert stale == []
