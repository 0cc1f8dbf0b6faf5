# SPDX-License-Identifier: Apache-2.0
"""Residents of the simulated resident network (住基ネット): identity data and their comparison by 4 or 3 attributes.

Attributes are compared after NFKC without white space and otherwise exactly [own] (docs/divergences "Resident
network"): 「2丁目1番」 and 「2-1」 stay different, and a person judges.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BasicAttributes", "Identity", "KnownResident", "ResidentRow"]

_FEWEST_ATTRIBUTES: Final = 3
_SEPARATOR: Final = "\x1f"
_BETWEEN: Final = "\0"


class BasicAttributes(NamedTuple):
    """Name, birth date, sex and residential address (基本4情報), normalised; one may be empty in a search."""

    name: str
    birth_date: str
    sex: str
    residential_address: str

    @classmethod
    def of(cls, name: str, birth_date: str, sex: str, residential_address: str) -> BasicAttributes:
        """Return the attributes in the form they are compared in."""
        return cls(_plain(name), _plain(birth_date), _plain(sex), _plain(residential_address))

    @classmethod
    def of_columns(
        cls,
        names: Sequence[str],
        birth_dates: Sequence[str],
        sexes: Sequence[str],
        residential_addresses: Sequence[str],
    ) -> list[BasicAttributes]:
        """Return the attributes of many people in the form they are compared in."""
        return list(map(cls, *map(_plain_column, (names, birth_dates, sexes, residential_addresses))))

    def check_searchable(self) -> None:
        """Refuse a search by fewer than three attributes."""
        given = sum(map(bool, (self.name, self.birth_date, self.sex, self.residential_address)))
        if given < _FEWEST_ATTRIBUTES:
            raise ChukanError("SEARCH_TOO_WIDE", params={"attributes": str(given), "fewest": str(_FEWEST_ATTRIBUTES)})

    def accepts(self, other: BasicAttributes) -> bool:
        """Whether every attribute given here is the other's."""
        return (
            self.name in {"", other.name}
            and self.birth_date in {"", other.birth_date}
            and self.sex in {"", other.sex}
            and self.residential_address in {"", other.residential_address}
        )

    @property
    def place(self) -> str:
        """Birth date and residential address together, by which a search without name begins."""
        return f"{self.birth_date}{_SEPARATOR}{self.residential_address}"


class Identity(NamedTuple):
    """What the resident network holds about one person."""

    individual_number: str
    resident_record_code: str
    attributes: BasicAttributes

    @property
    def lacks_something(self) -> bool:
        """Whether the code or an attribute is empty."""
        return not self.resident_record_code or "" in self.attributes

    def completed(self, known: Identity) -> Identity:
        """Return the identity, what is empty taken from what is known of the person."""
        attributes = (own or held for own, held in zip(self.attributes, known.attributes, strict=True))
        code = self.resident_record_code or known.resident_record_code
        return Identity(self.individual_number, code, BasicAttributes(*attributes))

    def pack(self) -> bytes:
        """Return the identity as the bytes that are sealed."""
        return _SEPARATOR.join((self.individual_number, self.resident_record_code, *self.attributes)).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> Identity:
        """Return the identity of opened bytes."""
        number, code, *attributes = packed.decode().split(_SEPARATOR)
        return cls(number, code, BasicAttributes(*attributes))


class ResidentRow(NamedTuple):
    """One resident as stored; identity is sealed under the digest of the individual number.

    code_digest: of the 住民票コード, None where none is known.
    """

    number_digest: bytes
    content_digest: bytes
    name_key: int
    place_key: int
    code_digest: bytes | None
    identity: bytes


class KnownResident(NamedTuple):
    """What a look-up by individual number or by 住民票コード finds; former: by a number the person has no more."""

    id: int
    number_digest: bytes
    content_digest: bytes
    has_record_code: bool
    former: bool = False


def _plain_column(texts: Sequence[str]) -> list[str]:
    """Return texts normalised, all at once: NFKC joins nothing across a control character."""
    whole = unicodedata.normalize("NFKC", _BETWEEN.join(texts))
    plain = "".join(whole.split()).split(_BETWEEN)
    return plain if len(plain) == len(texts) else list(map(_plain, texts))


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).replace(_SEPARATOR, "")
