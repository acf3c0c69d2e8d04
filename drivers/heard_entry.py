"""The entry of a protocol whose devices speak by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.entry import Entry
from drivers.heard import HeardDevice, HeardRegisters
from drivers.line.hearing import HearingLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.conversation import Conversation, Listeners
    from drivers.entry import Address, Device
    from drivers.family import Family
    from drivers.line import AnyLine
    from drivers.profile import Profile


def heard(
    family: Family, talk: Callable[[Listeners], Conversation], address: Callable[[Address], Address]
) -> Entry:
    """Return the entry of a protocol whose devices are listened to, not asked."""

    def device(name: str, profile: Profile, who: Address, line: AnyLine) -> Device:
        if not isinstance(line, HearingLine):
            raise TypeError(f"{name}: {line.settings.name} does not listen")  # a bug in this entry
        return (HeardRegisters if family.has_registers else HeardDevice)(name, profile, who, line)

    return Entry(family, lambda line: HearingLine(line, talk), device, address, lambda *_: (), talk=talk)
