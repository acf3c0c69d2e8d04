"""One raw exchange on a line, through its owner. Reads only.

What is written to devices goes through `gateway.commands`, point by point.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from drivers.errors import DriverError, Refused
from drivers.modbus import pdu
from gateway.console.asked import refusal, whole

if TYPE_CHECKING:
    from drivers.line import AnyLine


async def exchange(line: AnyLine, body: dict[str, Any]) -> dict[str, Any]:
    """Ask one unit one thing. Body: unit, function 1 to 4, address, count. Returns frames and data."""
    unit, function = whole(body, "unit", 0, 255), whole(body, "function", 1, 4)
    address, count = whole(body, "address", 0, 0xFFFF), whole(body, "count", 1, pdu.MOST_BITS)
    try:
        query = pdu.read(unit, function, address, count)
    except ValueError as error:
        raise refusal(400, str(error), str(error)) from error
    return await ask(line, query)


async def ask(line: AnyLine, query: pdu.Query) -> dict[str, Any]:
    """Return what one exchange brought, errors included, as JSON-able data; times in seconds."""
    began = time.monotonic()
    found: dict[str, Any] = {"request": _sent(line, query)}
    try:
        data = await line.exchange(query)
    except DriverError as error:
        found |= {"error": str(error) or type(error).__name__, "kind": type(error).__name__}
        if isinstance(error, Refused):
            found["exception"] = error.code
    else:
        found["data"] = data.hex(" ").upper()
        if query.function in pdu.BIT_READS:
            found["bits"] = list(pdu.bits(data, query.count))
        else:
            found["registers"] = list(pdu.registers(data))
    found["took"] = round(time.monotonic() - began, 4)
    return found


def _sent(line: AnyLine, query: pdu.Query) -> str:
    """Return the frame as hex digits; the transaction number of a TCP frame is the line's own choice."""
    if line.settings.protocol == "modbus-tcp":
        return "-- -- " + query.mbap.hex(" ").upper()
    return query.rtu.hex(" ").upper()
