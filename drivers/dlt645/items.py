"""What a profile may call the items of a DL/T 645 meter: data identifiers, and `relay`. Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from drivers.dlt645.frame import Edition
from drivers.dlt645.identifiers import Quantity, is_block, quantity
from drivers.family import Family

RELAY: Final = "relay"
RELAY_WORD: Final = 0x04000503
"""Running status word 3, by common knowledge of the 2007 edition; its bit 4 says that the relay is open."""
RELAY_BIT: Final = 4
_IDENTIFIER: Final = re.compile(r"[0-9A-F]{8}|[0-9A-F]{4}")


class Di(NamedTuple):
    """A data identifier, and the edition it belongs to."""

    number: int
    edition: Edition

    @property
    def how(self) -> Quantity | None:
        """How it is to be read; None when it is not in our tables."""
        return quantity(self.number, self.edition)

    def __str__(self) -> str:
        return f"{self.number:0{4 if self.edition is Edition.Y1997 else 8}X}"


def di_of(item: str) -> Di:
    """Return what has to be read for an item. Raises ValueError for what is none."""
    if item == RELAY:
        return Di(RELAY_WORD, Edition.Y2007)
    if not _IDENTIFIER.fullmatch(item):
        raise ValueError(f"{item!r} is no data identifier")
    return Di(int(item, 16), Edition.Y1997 if len(item) == 4 else Edition.Y2007)


def check_item(item: str) -> str:
    """Return "" or what is wrong with an item of a profile."""
    try:
        di = di_of(item)
    except ValueError:
        return f"{item!r} is none: 8 capital hex digits (4 for the 1997 edition) such as 02010100, or relay"
    if is_block(di.number, di.edition):
        return f"{item} stands for several values; name each of them, blocks are made by themselves"
    return "" if di.how is not None else f"nobody here knows how to read {item}"


def check_write(item: str) -> str:
    """Return "" or why an item cannot be written."""
    return "" if item == RELAY else "of a meter only the relay can be ordered"


FAMILY: Final = Family("dlt645", check_item, check_write)


def address(given: int | str) -> str:
    """Return a meter's address as 12 digits, or with AA pairs in front of them: any meter that ends so.

    Numbers, and texts of fewer digits, are filled with zeros: spreadsheets drop them. Raises ValueError.
    """
    text = str(given).strip().upper()
    if text.isascii() and text.isdecimal() and len(text) <= 12:
        text = text.zfill(12)
    if not re.fullmatch(r"(?:AA)*(?:[0-9]{2})*", text) or len(text) != 12:
        raise ValueError("must be up to 12 digits, or AAAAAAAAAAAA for the only meter")
    if text == "9" * 12:
        raise ValueError("must be one meter's: 999999999999 speaks to all of them, and nobody answers;")
    return text


def overlap(one: int | str, other: int | str) -> bool:
    """Whether a meter could take both addresses for its own."""
    pairs = zip(_pairs(str(one)), _pairs(str(other)), strict=True)
    return all(a == b or "AA" in {a, b} for a, b in pairs)


def _pairs(address: str) -> list[str]:
    return [address[i : i + 2] for i in range(0, 12, 2)]
