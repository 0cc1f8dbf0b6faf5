# SPDX-License-Identifier: Apache-2.0
"""The house's rules that no other tool holds: roots, sizes, injected time and chance, names of places."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOTS = ("protos/gen", "protos/python", "server", "adapter", "clients/python", "monitoring")
WRITTEN = ("protos/python", "server", "adapter", "clients/python", "monitoring", "scripts", "examples", "tests")
LONGEST = 500

FORBIDDEN_CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid4",
}
"""Time and ids are injected (chukan.standard.clock, chukan.standard.ids); durations may use the monotonic clock."""


def _modules(*folders: str) -> list[Path]:
    return sorted(
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "node_modules" not in str(path)
    )


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("root", ROOTS)
def test_no_root_has_an_init_that_would_hide_the_others(root: str) -> None:
    assert (ROOT / root / "chukan").is_dir()
    assert not list((ROOT / root).glob("chukan/__init__.py*"))


def test_hand_written_packages_take_no_name_of_generated_ones() -> None:
    generated = {path.name for path in (ROOT / "protos/gen/chukan").iterdir() if path.is_dir()}
    written = {path.name for root in ROOTS[1:] for path in (ROOT / root / "chukan").iterdir() if path.is_dir()}

    assert not generated & written


def test_no_module_is_longer_than_500_lines() -> None:
    lengths = {_id(path): len(path.read_text("utf-8").splitlines()) for path in _modules(*WRITTEN)}

    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_server_and_adapter_take_time_and_chance_from_their_arguments() -> None:
    assert {_id(path): taken for path in _modules("server", "adapter") if (taken := _taken(path))} == {}


def _taken(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    calls = {_dotted(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    parts = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    forbidden = {call for call in calls if FORBIDDEN_CALLS & {call, call.split(".", 1)[-1]}}
    return forbidden | ({"random"} & (plain | parts))


def test_a_module_names_its_licence_and_says_what_it_is_for() -> None:
    silent = []
    for path in _modules(*WRITTEN[:-1]):
        text = path.read_text("utf-8")
        if not text.startswith("# SPDX-License-Identifier: Apache-2.0\n") or not ast.get_docstring(ast.parse(text)):
            silent.append(_id(path))

    assert silent == []


def test_nothing_imports_the_tests() -> None:
    imports = re.compile(r"^\s*(from|import) tests\b", re.MULTILINE)

    assert [_id(path) for path in _modules(*ROOTS[1:]) if imports.search(path.read_text("utf-8"))] == []


def test_typed_parts_say_so() -> None:
    packages = {path for root in ROOTS[1:] for path in (ROOT / root / "chukan").iterdir() if path.is_dir()}
    code = {path for path in packages if any(path.rglob("*.py"))}

    assert {_id(path) for path in code if not (path / "py.typed").exists()} == set()


def test_no_file_names_a_place_of_somebodys_machine() -> None:
    places = re.compile("|".join(("/wor" + "k/", "/roo" + "t/", "/hom" + "e/[a-z]", r"\.\./sha" + "red")))
    found = []
    for path in _files():
        lines = path.read_bytes().decode("utf-8", "ignore").splitlines()
        found += [f"{_id(path)}:{number}" for number, line in enumerate(lines, 1) if places.search(line)]

    assert found == []


def _files() -> list[Path]:
    """Every file a reader of the repository sees, or would if it were committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [path for folder in (*WRITTEN, "docs") for path in (ROOT / folder).rglob("*")]
    return [path for path in names if path.is_file()]
