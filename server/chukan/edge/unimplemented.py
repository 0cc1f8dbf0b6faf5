# SPDX-License-Identifier: Apache-2.0
"""RPCs of the contract that this version doesn't offer: they say so, with the feature's name, and never pretend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Mapping

_T = TypeVar("_T")

__all__ = ["unimplemented", "unimplemented_service"]


def unimplemented(feature: str) -> Any:  # noqa: ANN401 it stands for a method of any servicer
    """Make a servicer's method that refuses with this feature (`CreateResultDownload = …`)."""

    def refuse(_self: object, _request: object, _context: object) -> NoReturn:
        raise ChukanError("FEATURE_NOT_AVAILABLE", feature=feature)

    refuse.feature = feature  # type: ignore[attr-defined]  # how a server knows what it need not validate
    return refuse


def unimplemented_service(servicer: type[_T], feature: str, features: Mapping[str, str] | None = None) -> _T:
    """Make a servicer of a generated class, none of whose RPCs is offered; `features` names those of single RPCs."""
    named = features or {}
    methods = [name for name in vars(servicer) if not name.startswith("_")]
    refusing = {name: unimplemented(named.get(name, feature)) for name in methods}
    made: type[_T] = type(f"Unimplemented{servicer.__name__}", (servicer,), refusing)
    return made()
