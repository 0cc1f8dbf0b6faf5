# SPDX-License-Identifier: Apache-2.0
"""Templates: everything is escaped, a name that is not given is a mistake, texts come in the page's language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from chukan.server.console.language import Language, Text
from chukan.server.console.texts import TEXTS
from chukan.server.console.words import age_text, instant_text, span_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["Rendering"]


class Rendering:
    """Makes pages of templates. refresh: seconds between two looks of an open page."""

    def __init__(self, *, refresh: int = 5) -> None:
        self._refresh = refresh
        self._environment = Environment(
            loader=PackageLoader("chukan.server.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, template: str, language: Language, values: Mapping[str, Any]) -> str:
        """Return a page in a language."""
        now: datetime = values["now"]
        other = Language.EN if language is Language.JA else Language.JA

        def age(moment: datetime | None) -> str:
            return age_text(moment, now).in_(language) if moment else ""

        return self._environment.get_template(template).render(
            **values,
            lang=language.value,
            other=other.value,
            refresh=self._refresh,
            t=lambda key: TEXTS[key].in_(language),
            say=lambda text: Text(*text).in_(language),
            at=instant_text,
            age=age,
            span=lambda begin, end: span_text(begin, end).in_(language) if begin and end else "",
        )
