# SPDX-License-Identifier: Apache-2.0
"""Makes the client do something: by a command of its profile, or by telling a person."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from chukan.conformance.examiner.profile import TASKS, fill_places
from chukan.conformance.masking import masked_text
from chukan.conformance.problem import KitError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from chukan.cases.v1.case_pb2 import Task
    from chukan.conformance.examiner.play import Play
    from chukan.conformance.examiner.profile import ClientProfile

__all__ = ["ByCommand", "ByPerson", "Driver", "check_commands"]

_GLANCE: Final = 0.02
_QUIET: Final = 5.0
"""Seconds without a call after which what a person was told is taken as done."""
_LONGEST_QUOTE: Final = 200
_WORDS: Final = {
    "register": (
        "load the people of {input}/people: number them, register them, acquire their linkage codes",
        "{input}/people の住民を登録し、符号を取得してください",
    ),
    "replicate": (
        "register the extracts of {input}/extracts as replicas",
        "{input}/extracts の抽出ファイルを副本として登録してください",
    ),
    "inquire": (
        "ask by the inquiry file in {input}/inquiries and write the results into {output}",
        "{input}/inquiries の照会依頼ファイルで照会し、結果を {output} に書き出してください",
    ),
}


class Driver(Protocol):
    """Makes the client do a task."""

    def unable(self, task: Task) -> str:
        """Say why this task can't be done, "" if it can."""

    def carry_out(self, task: Task, places: Mapping[str, str], play: Play) -> list[str]:
        """Have the task done and wait for its end; return what went wrong."""


@dataclass(frozen=True, slots=True)
class ByCommand:
    """Runs the profile's commands, each as a process group of its own, and ends what takes too long."""

    profile: ClientProfile
    stop: Event

    def unable(self, task: Task) -> str:
        """Say why this task can't be done, "" if it can."""
        return "" if task.name in self.profile.commands else f"the profile has no command for {task.name}"

    def carry_out(self, task: Task, places: Mapping[str, str], play: Play) -> list[str]:
        """Run the command until it ends, is to be killed, or its time is over."""
        words = [fill_places(word, places) for word in self.profile.commands[task.name]]
        folder = Path(places["output"]).parent
        said = folder / f"{task.name}-{play.task}.log"
        with said.open("wb") as out:
            try:
                process = subprocess.Popen(  # noqa: S603  # the profile is the tester's own
                    words, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
                )
            except OSError as error:
                raise _not_started(task.name, words[0], error) from None
            try:
                ended = self._wait(process, task, play)
            finally:
                with suppress(ProcessLookupError):  # what the command left behind goes with it
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if ended:
            return _silent_end(process.returncode, task, play, said)
        return [f"the command was still running after {self.profile.limit:g} s and was ended; it said: {_last(said)}"]

    def _wait(self, process: subprocess.Popen[bytes], task: Task, play: Play) -> bool:
        """Return False if the time was over first."""
        until = time.monotonic() + self.profile.limit
        while process.poll() is None:
            if self.stop.is_set() or (task.kill_at and play.kept(task.kill_at)):
                return True
            if time.monotonic() > until:
                return False
            time.sleep(_GLANCE)
        return True


@dataclass(frozen=True, slots=True)
class ByPerson:
    """Tells a person what to make the client do, and waits for its calls. say: English, Japanese."""

    wait: float
    say: Callable[[str, str], None]

    def unable(self, task: Task) -> str:
        """Say why this task can't be done, "" if it can."""
        return "the client is to be killed at a certain moment, which takes a command" if task.kill_at else ""

    def carry_out(self, task: Task, places: Mapping[str, str], play: Play) -> list[str]:
        """Wait until calls came and no more come, or nothing came in time."""
        english, japanese = (fill_places(text, places) for text in _WORDS[task.name])
        self.say(
            f"{play.case}: now make the client {english}; target {places['target']}, "
            f"organization {places['organization']}",
            f"{play.case}: クライアントで {japanese}。接続先 {places['target']}、機関コード {places['organization']}",
        )
        before, began = len(play.calls), time.monotonic()
        while time.monotonic() - began < self.wait:
            if len(play.calls) > before and time.monotonic() - play.calls[-1].at > min(_QUIET, self.wait / 2):
                break
            time.sleep(_GLANCE)
        return []


def _silent_end(code: int, task: Task, play: Play, said: Path) -> list[str]:
    """Say how a command ended that made no call: as a rule it was written wrongly."""
    if any(call.task == play.task for call in play.calls) or task.kill_at:
        return []
    return [f"the command ended with code {code} and made no call; it said: {_last(said)}"] if code > 0 else []


def check_commands(profile: ClientProfile) -> None:
    """Refuse commands whose program there is not, before anything is judged."""
    for task in TASKS:
        words = profile.commands.get(task)
        if words is None:
            continue
        program = fill_places(words[0], defaultdict(str, python=sys.executable, here=profile.here))
        if shutil.which(program) is None:
            raise KitError(
                f"the command for {task} can't be run: {program} is not there, or no program",
                f"{task} のコマンドを実行できません。{program} がないか、実行できません",
            )


def _not_started(task: str, program: str, error: OSError) -> KitError:
    return KitError(
        f"the command for {task} can't be run: {program}: {error.strerror}",
        f"{task} のコマンドを実行できません: {program}: {error.strerror}",
    )


def _last(said: Path) -> str:
    """Return a command's last line, if nobody's name can stand in it."""
    lines = [line.strip() for line in said.read_text("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        return "(nothing)"
    return masked_text(lines[-1])[:_LONGEST_QUOTE] if lines[-1].isascii() else f"(see {said.name}, kept by --work)"
