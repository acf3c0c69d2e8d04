"""What an order to a meter's relay is made of: words, password, the meter's own clock. Pure, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from drivers.dlt645.relay import Relay, RelayOrder
from drivers.stamp import stamp_of

if TYPE_CHECKING:
    from drivers.stamp import Stamp

VALID: Final = timedelta(minutes=5)
"""How long an order may be carried out, by the meter's clock."""
DATE: Final = 0x04000101
TIME: Final = 0x04000102
BY_CODE: Final = {0: Relay.CLOSE, 1: Relay.TRIP, 2: Relay.PERMIT_CLOSE}
"""What writing a code of the item `relay` orders; 0 and 1 are also what reading it gives."""
AFTERWARDS: Final = {Relay.CLOSE: 0, Relay.TRIP: 1}
_PASSWORD: Final = re.compile(r"(?:(?P<level>[0-9]{2}):)?(?P<digits>[0-9]{6})")
USUAL_LEVEL: Final = 2


@dataclass(frozen=True, slots=True)
class Password:
    """What lets an order pass; kept out of what gets printed."""

    level: int
    digits: bytes = field(repr=False)  # P0 P1 P2, the lowest pair first


def parse_password(text: str) -> Password:
    """Return the password that a secret holds: six digits, with its level in front if it is not 02.

    Raises ValueError that does not repeat it.
    """
    match = _PASSWORD.fullmatch(text.strip())
    if match is None:
        raise ValueError("a meter's password is six digits, or LEVEL:DIGITS such as 04:000000")
    level = USUAL_LEVEL if match["level"] is None else int(match["level"])
    return Password(level, bytes.fromhex(match["digits"])[::-1])


def expiry(date: str, time: str) -> Stamp:
    """Return when an order given now ends, from what the meter's clock says (YYMMDDWW, hhmmss).

    Its own clock, because that is the one it will look at. Raises ValueError when it shows no time.
    """
    try:
        now = datetime.strptime(date[:6] + time, "%y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"the meter's clock shows {date} {time}, which is no time") from None
    return stamp_of(now + VALID)


def order(code: int, password: Password, expires: Stamp) -> RelayOrder:
    """Return the order for a code of the item `relay`."""
    return RelayOrder(BY_CODE[code], expires, password.level, password.digits)
