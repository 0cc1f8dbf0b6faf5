# SPDX-License-Identifier: Apache-2.0
"""What pytest loads (entry point `pytest11`): options, the marker, fixtures, and what a failure says of its world.

Every pytest of the environment loads this, also where nobody uses it: it imports pytest and nothing else.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from chukan.client import Client
    from chukan.testing.clock import Clock
    from chukan.testing.emulator import Emulator
    from chukan.testing.faults import Faults
    from chukan.testing.world import World

__all__: list[str] = []

_MARKER: Final = "chukan_world"
_SETTINGS: Final = ("seed", "clock", "now", "random_seed")
_OPTIONS: Final = ("target", "control", "token_file")
_SLUG: Final = 32
_WORLD: Final = pytest.StashKey["World"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare how an emulator that runs already is reached."""
    group = parser.getgroup("chukan", "emulator of the municipal middle server")
    group.addoption(
        "--chukan-target",
        metavar="HOST:PORT",
        help="use the emulator that answers here instead of one inside the test process; with the next two",
    )
    group.addoption("--chukan-control", metavar="HOST:PORT", help="its control port")
    group.addoption("--chukan-token-file", metavar="FILE", help="its control.token")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse half of the options."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(seed='empty', clock='frozen', now=None, random_seed=0): how the world of this test begins; "
        "seed: empty or standard; clock: frozen, running or system; now: an aware datetime not before real time",
    )
    given = [name for name in _OPTIONS if config.getoption(f"chukan_{name}")]
    missing = [f"--chukan-{name.replace('_', '-')}" for name in _OPTIONS if name not in given]
    if given and missing:
        raise pytest.UsageError(f"an emulator that runs already needs {' and '.join(missing)} as well")


@pytest.fixture(scope="session")
def chukan_emulator(pytestconfig: pytest.Config) -> Iterator[Emulator]:
    """Yield the emulator: one inside this process, stopped at the end, or the one the options name."""
    emulator = _emulator(pytestconfig)
    try:
        yield emulator
    finally:
        emulator.close()


@pytest.fixture
def chukan_world(chukan_emulator: Emulator, request: pytest.FixtureRequest) -> Iterator[World]:
    """Yield a world for this test alone, deleted afterwards: no person in it, its clock standing."""
    with _new_world(chukan_emulator, request.node) as world:
        request.node.stash[_WORLD] = world
        yield world


@pytest.fixture
def chukan_client(chukan_world: World) -> Callable[..., Client]:
    """Return what makes clients of an organization in this test's world; they are closed with it."""
    return chukan_world.client


@pytest.fixture
def chukan_clock(chukan_world: World) -> Clock:
    """Return the clock of this test's world."""
    return chukan_world.clock


@pytest.fixture
def chukan_faults(chukan_world: World) -> Faults:
    """Return the faults of this test's world."""
    return chukan_world.faults


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell beside a failure how its world stood; of a ChukanError its sentences, not how gRPC brought it."""
    world = item.stash.get(_WORLD, None)
    told = _told(call.excinfo.value) if world is not None and call.excinfo else ""
    report = yield
    if world is not None and call.when == "call" and report.failed:
        report.sections += [("chukan error", told)] if told else []
        report.sections.append(("chukan world", world.describe()))
    return report


def _told(error: BaseException) -> str:
    """Return what to do about a refusal, in both languages; empty for other errors."""
    from chukan.standard.reasons import ChukanError  # noqa: PLC0415  # as the module says

    if not isinstance(error, ChukanError):
        return ""
    error.__cause__ = None  # the gRPC call, whose lines nobody of this test wrote
    reason = error.reason
    return f"{reason.action_english}\n{reason.japanese}\n{reason.action_japanese}"


def _emulator(config: pytest.Config) -> Emulator:
    """Start or find the emulator; a sentence instead of a traceback where there is none."""
    from chukan.standard.reasons import ChukanError  # noqa: PLC0415  # as the module says
    from chukan.testing.emulator import Emulator  # noqa: PLC0415

    target, control, token_file = (config.getoption(f"chukan_{name}") for name in _OPTIONS)
    if not target:
        return Emulator.in_process()
    try:
        return Emulator.running(target, control, token_file)
    except ChukanError as error:
        sentence = f"the emulator of --chukan-target {target}, --chukan-control {control} can't be used: {error}"
    except (OSError, UnicodeDecodeError) as error:
        sentence = f"--chukan-token-file {token_file} can't be read: {getattr(error, 'strerror', 'it is no text')}"
    pytest.fail(sentence, pytrace=False)


def _new_world(emulator: Emulator, test: pytest.Item) -> World:
    from chukan.standard.reasons import ChukanError  # noqa: PLC0415  # as the module says

    settings = _settings(test.get_closest_marker(_MARKER))
    try:
        return emulator.new_world(_world_id(test.nodeid), **settings)
    except (ChukanError, ValueError, TypeError) as error:
        sentence = f"no world for this test: {error}"
    pytest.fail(sentence, pytrace=False)


def _settings(marker: pytest.Mark | None) -> dict[str, Any]:
    if marker is None:
        return {}
    unknown = [*map(repr, marker.args), *sorted(set(marker.kwargs) - set(_SETTINGS))]
    if unknown:
        pytest.fail(f"@pytest.mark.{_MARKER}: got {unknown[0]}, expected {', '.join(_SETTINGS)}", pytrace=False)
    return dict(marker.kwargs)


def _world_id(node: str) -> str:
    """Name a world after its test: the same test gets the same ids of whatever its world names."""
    slug = re.sub("[^a-z0-9]+", "-", node.rpartition("::")[2].lower()).strip("-")[:_SLUG].strip("-")
    return f"{slug or 'test'}-{hashlib.sha256(node.encode()).hexdigest()[:8]}"
