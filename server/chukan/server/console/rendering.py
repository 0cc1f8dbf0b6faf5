# SPDX-License-Identifier: Apache-2.0
"""Templates: everything is escaped, a name that is not given is a mistake, texts come in the page's language.

Names have Japanese only; the filter `ja` says so where they stand in an English page, to fonts and to who has it read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from markupsafe import Markup, escape

from chukan.server.console.language import Language, Text
from chukan.server.console.texts import TEXTS
from chukan.server.console.words import age_text, instant_text, span_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from jinja2.runtime import Context

__all__ = ["Rendering"]

_LETTER: Final = "\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f"
_JAPANESE: Final = re.compile(f"[{_LETTER}](?:[{_LETTER}\\s0-9\u3000-\u303f\uff00-\uff65()]*[{_LETTER})\uff09])?")
"""From its first letter to its last, with figures and brackets between."""


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
        self._environment.filters["ja"] = _ja

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


@pass_context
def _ja(context: Context, text: str) -> Markup:
    """Return a text with what is Japanese in it marked as such, unless the whole page is."""
    escaped = escape(text)
    if context["lang"] == Language.JA:
        return escaped
    return Markup(_JAPANESE.sub(r'<span lang="ja">\g<0></span>', str(escaped)))  # noqa: S704  # escaped above
