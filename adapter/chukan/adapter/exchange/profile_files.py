# SPDX-License-Identifier: Apache-2.0
"""Where profiles come from: those shipped beside this module by name, a body's own by path."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from chukan.standard.reasons import ChukanError

__all__ = ["profile_names", "read_profile", "wrong"]

_FOLDER: Final = Path(__file__).parent / "profiles"


def profile_names(kind: str) -> list[str]:
    """Return the names of the shipped profiles of a kind: input, result or messages."""
    found = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.glob("*.toml"))}
    return [name for name, data in found.items() if data["kind"] == kind]


def read_profile(kind: str, name: str, beside: Path | None = None) -> tuple[dict[str, Any], Path]:
    """Return a profile and where it stands; a name with a suffix is a path, relative to the profile that names it.

    Errors: PROFILE_UNKNOWN, SETTING_INVALID.
    """
    path = _FOLDER / f"{name}.toml"
    if name.endswith(".toml"):
        path = (beside.parent / name) if beside else Path(name)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise ChukanError("PROFILE_UNKNOWN", params={"profile": name, "known": " ".join(profile_names(kind))}) from None
    except tomllib.TOMLDecodeError as error:
        raise wrong(name, "toml", str(error)) from None
    if data.get("kind") != kind:
        raise wrong(name, "kind", kind)
    return data, path


def wrong(profile: str, setting: str, rule: str) -> ChukanError:
    """Return the error of a setting that breaks a rule."""
    return ChukanError("SETTING_INVALID", field=setting, params={"profile": profile, "rule": rule})
