"""Raw looks at a line, through its owner: one exchange, or a walk over the units. Reads only.

What is written to devices goes through `gateway.commands`, point by point.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from drivers.errors import BadAnswer, DriverError, Held, LineDown, NoAnswer, Refused
from drivers.modbus import pdu
from gateway.console.asked import refusal, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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


async def scan(line: AnyLine, first: int, last: int) -> AsyncIterator[str]:
    """Yield a JSON line per unit from first to last; one that refuses is there too."""
    for unit in range(first, last + 1):
        found = await look(line, unit)
        yield json.dumps(found) + "\n"
        if found.get("down"):
            return


async def look(line: AnyLine, unit: int) -> dict[str, Any]:
    """Return whether anybody answers at the unit; what it says does not matter, an exception will do."""
    for function in (pdu.READ_HOLDING, pdu.READ_INPUT):
        began = time.monotonic()
        try:
            await line.exchange(pdu.read(unit, function, 0, 1))
        except Refused as refusal:
            if refusal.code in pdu.NO_TARGET:  # a TCP gateway says that nobody is there
                break
        except Held:
            pass
        except (NoAnswer, BadAnswer):
            break
        except LineDown as error:
            return {"unit": unit, "answers": False, "down": True, "error": str(error)}
        return {"unit": unit, "answers": True, "took": round(time.monotonic() - began, 4)}
    return {"unit": unit, "answers": False}
