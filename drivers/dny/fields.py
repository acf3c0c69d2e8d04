"""What DNY (AP3000) messages say: register, heartbeat, power of a port. Pure.

Two public implementations agree on the order of the fields; firmware ends its messages earlier or later, so
what is not there is not told. Numbers have their low byte first; ports count from 0 on the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.cutter import Step
from drivers.dny.frame import DnyError

if TYPE_CHECKING:
    from drivers.conversation import Raw

TEMPERATURE_OFFSET: Final = -65
PORT_STATES: Final = {
    0: "idle",
    1: "charging",
    2: "scanned",
    3: "full",
    4: "short_circuit",
    5: "floating",
    6: "storage_broken",
    7: "meter_stuck",
    8: "contactor_open",
    9: "relay_welded",
    10: "meter_broken",
    11: "relay_open",
    13: "short_circuit_warning",
    14: "relay_welded_warning",
    15: "reader_broken",
    16: "line_short",
}
"""As one public driver words them; a profile may have fewer, an unlisted code is `unknown_code`."""
_CHARGING: Final = 1


def register(data: bytes) -> dict[str, Raw]:
    """Return what a register message (20) says: firmware, and how many ports. Raises DnyError."""
    _least(data, 6, "register")
    return {"firmware": _word(data, 0), "ports": data[2]}


def heartbeat(data: bytes) -> dict[str, Raw]:
    """Return what a heartbeat (21) says: voltage, states of ports, signal, temperature. Raises DnyError."""
    _least(data, 3, "heartbeat")
    count = data[2]
    _least(data, 3 + count, f"heartbeat of {count} ports")
    items: dict[str, Raw] = {"voltage": _word(data, 0) / 10, "ports": count}
    for port, state in enumerate(data[3 : 3 + count], start=1):
        items |= _state(port, state)
    rest = data[3 + count :]
    if rest:
        items["signal"] = rest[0]
    if len(rest) > 1:
        items["temperature"] = _temperature(rest[1])
    return items


def port_power(data: bytes) -> dict[str, Raw]:
    """Return what the message of a charging port (06) says. Raises DnyError."""
    _least(data, 9, "message of a charging port")
    port = data[0] + 1
    items = _state(port, data[1])
    name = f"port.{port}"
    items[f"{name}.elapsed"] = _word(data, 2)
    items[f"{name}.energy"] = _word(data, 4) / 100
    items[f"{name}.power"] = _word(data, 7) / 10
    if len(data) >= 39:
        items["voltage"] = _word(data, 35) / 10
        items[f"{name}.current"] = _word(data, 37) / 1000
    if len(data) >= 41:
        items["temperature"] = _temperature(data[39])
        items[f"{name}.temperature"] = _temperature(data[40])
    return items


def _state(port: int, state: int) -> dict[str, Raw]:
    items: dict[str, Raw] = {f"port.{port}.state": state, f"port.{port}.charging": state == _CHARGING}
    if state != _CHARGING:
        items |= {f"port.{port}.power": 0.0, f"port.{port}.elapsed": 0}
    return items


def _temperature(byte: int) -> float | None:
    """Return degrees; no sensor is told as 0."""
    return float(byte + TEMPERATURE_OFFSET) if byte else None


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _least(data: bytes, size: int, what: str) -> None:
    if len(data) < size:
        raise DnyError(Step.LENGTH, f"a {what} has {size} bytes of data or more, these are {len(data)}")
