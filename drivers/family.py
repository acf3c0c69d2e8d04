"""Protocol families: what a profile's `protocol` names, and how its points are called there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Family:
    """One family of protocols; its devices can be served by one or several kinds of line."""

    name: str  # what a profile's `protocol` says
    check_item: Callable[[str], str] | None = None  # "" or what is wrong with an item; None: has registers
    check_write: Callable[[str], str] | None = None  # "" or why an item cannot be written; None: any can

    @property
    def has_registers(self) -> bool:
        """True when points stand in registers, False when they are items of messages."""
        return self.check_item is None
