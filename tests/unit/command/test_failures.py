# SPDX-License-Identifier: Apache-2.0
"""Rules of told failures: complete, in the language asked for, and with the documented exit code."""

from __future__ import annotations

import errno

import pytest

from chukan.command.failures import as_json, exit_code, sentences
from chukan.command.language import Language, Text, language_of
from chukan.standard.reasons import ChukanError, all_reasons
from chukan.standard.storage import storage_error

CODES = [each.code for each in all_reasons()]


@pytest.mark.parametrize("code", CODES)
def test_every_reason_is_told_in_both_languages_with_what_to_do(code: str) -> None:
    error = ChukanError(code, field="spec.number", params={"most": "10"})
    reason = error.reason

    told = "\n".join(sentences(error, Language.BOTH))

    assert all(text in told for text in (reason.english, reason.japanese, code, "spec.number", "most = 10"))
    assert reason.action_english in told
    assert reason.action_japanese in told


def test_one_language_leaves_the_other_out() -> None:
    error = ChukanError("INQUIRY_UNKNOWN")

    assert error.reason.japanese not in "\n".join(sentences(error, Language.EN))
    assert error.reason.english not in "\n".join(sentences(error, Language.JA))


def test_a_server_that_is_not_there_is_told_with_how_to_start_one() -> None:
    told = "\n".join(sentences(ChukanError("PEER_UNREACHABLE", params={"target": "x:1"}), Language.EN))

    assert "chukan serve" in told


@pytest.mark.parametrize(
    ("code", "exits"),
    [
        ("PEER_UNREACHABLE", 3),
        ("SHUTTING_DOWN", 3),
        ("DEADLINE_EXCEEDED", 3),
        ("INQUIRY_UNKNOWN", 1),
        ("INTERNAL_ERROR", 1),
    ],
)
def test_the_exit_code_tells_refused_from_unreachable(code: str, exits: int) -> None:
    assert exit_code(ChukanError(code)) == exits


def test_machines_get_every_fact() -> None:
    error = ChukanError("INVALID_FIELD", violations=[("number", "pattern")], params={"a": "b"}, retry_after=1.5)

    told = as_json(error)["error"]

    assert told["violations"] == [{"field": "number", "rule": "pattern"}]
    assert told["params"] == {"a": "b"}
    assert told["retry_after"] == 1.5
    assert all(told[name] for name in ("message", "message_ja", "action", "action_ja"))


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "ja_JP.UTF-8"}, Language.JA),
        ({"LANG": "en_US.UTF-8"}, Language.EN),
        ({"LANG": "C.UTF-8", "LC_ALL": "ja_JP.UTF-8"}, Language.JA),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, Language.EN),
        ({}, Language.EN),
    ],
)
def test_the_environment_says_the_language(environment: dict[str, str], language: Language) -> None:
    """As locales do: LC_ALL before LC_MESSAGES before LANG; without any, English."""
    assert language_of(environment) is language


def test_what_is_the_same_in_both_languages_is_said_once() -> None:
    assert Text("OK", "OK").lines(Language.BOTH) == ["OK"]
    assert Text("yes", "はい").word(Language.BOTH) == "yes / はい"


def test_what_the_system_refuses_is_told_with_its_path_and_in_words() -> None:
    """In both languages; no errno in brackets."""
    error = storage_error(NotADirectoryError(errno.ENOTDIR, "Not a directory", "/nowhere/x"))

    told = "\n".join(sentences(error, Language.BOTH))

    assert error.code == "FILE_UNUSABLE"
    assert "/nowhere/x" in told
    assert "a file stands where a folder is needed" in told
    assert "フォルダーではなくファイルがあります" in told
    assert "[Errno" not in told


@pytest.mark.parametrize(
    "error",
    [
        ChukanError("FEATURE_NOT_AVAILABLE", params={"status": "UNIMPLEMENTED"}),
        ChukanError("FEATURE_NOT_AVAILABLE", feature="/chukan.v1.InquiryService/ListInquiries"),
    ],
)
def test_a_port_without_the_service_is_told_as_the_wrong_port(error: ChukanError) -> None:
    """A feature that this version lacks is something else."""
    lacking = ChukanError("FEATURE_NOT_AVAILABLE", feature="notices")

    assert "control port" in "\n".join(sentences(error, Language.EN))
    assert "control port" not in "\n".join(sentences(lacking, Language.EN))
