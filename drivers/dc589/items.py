"""What a DC589 board's messages tell, by the names that profiles use. Pure.

`hot`, `smoke`, `mains_abnormal`, `voltage`, `temperature`, `signal`, `fault` (code of the latest C0 since the
last beat), `ports`; per port N `port.N.state`, `.charging`, `.power` (W), `.energy` (kWh), `.elapsed`,
`.remaining` (s), `.reason` (code of the last end of an order).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from drivers.conversation import Raw, Who
    from drivers.dc589.ports import Status

MOST_PORTS: Final = 40
CHARGING: Final = 1
_MACHINE: Final = ("hot", "smoke", "mains_abnormal")
_MACHINE_FAULTS: Final = {0xAA: "hot", 0xBB: "smoke", 0xCC: "mains_abnormal"}
_PORT_FAULTS: Final = frozenset({3, 4})
_PORT_ITEMS: Final = ("state", "charging", "power", "energy", "elapsed", "remaining", "reason")
MACHINE_ITEMS: Final = frozenset({*_MACHINE, "voltage", "temperature", "signal", "fault", "ports"})


def check_item(item: str) -> str:
    """Return "" for an item a board can tell, else what is wrong."""
    parts = item.split(".")
    if item in MACHINE_ITEMS:
        return ""
    if len(parts) == 3 and parts[0] == "port" and parts[2] in _PORT_ITEMS:
        if parts[1].isdecimal() and 1 <= int(parts[1]) <= MOST_PORTS:
            return ""
        return f"a port is 1 to {MOST_PORTS}, not {parts[1]}"
    machine, port = ", ".join(sorted(MACHINE_ITEMS)), ", ".join(f"port.N.{name}" for name in _PORT_ITEMS)
    return f"a DC589 board tells {machine} and {port}, not {item!r}"


def check_write(item: str) -> str:
    """Return "" for what may be written, else why it may not."""
    stops = item.endswith(".charging")
    return "" if stops else "a board only stops charges: port.N.charging can be written false"


def board_id(address: Who) -> str:
    """Return the 16 digits of a board. Raises ValueError."""
    text = str(address).strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > 16:
        raise ValueError("must be the board's number of up to 16 digits, in quotes")
    return text.rjust(16, "0")


def of_fault(fields: dict[str, Any]) -> dict[str, Raw]:
    """Return what a fault (C0) tells; a code nobody knows is told as it is."""
    fault = fields["fault"]
    items: dict[str, Raw] = {
        "fault": fault,
        "temperature": float(fields["temperature"]),
        "voltage": float(fields["voltage"]),
    }
    if fault in _MACHINE_FAULTS:
        items[_MACHINE_FAULTS[fault]] = True
    elif fault in _PORT_FAULTS:
        items |= named(fields["port"], {"state": fault, "charging": False})
    return items


def of_end(fields: dict[str, Any]) -> dict[str, Raw]:
    """Return what the end of an order (BB) tells."""
    elapsed = 60 * fields["elapsed_minutes"] + fields["elapsed_seconds"]
    values = {"charging": False, "state": 0, "power": 0.0, "energy": fields["energy"], "elapsed": elapsed}
    return named(fields["port"], {**values, "remaining": 0, "reason": fields["reason"]})


def signal(fields: dict[str, Any]) -> dict[str, Raw]:
    """Return the signal."""
    return {"signal": fields["signal"]}


def port_count(hardware: str) -> dict[str, Raw]:
    """Return how many ports the board has: the third and fourth character, "SH10HA01"."""
    digits = hardware[2:4]
    return {"ports": int(digits)} if digits.isdecimal() and digits.isascii() else {}


def of_status(status: Status) -> dict[str, Raw]:
    """Return what the states of a board (A4, B1) tell."""
    items: dict[str, Raw] = {name: bool(status.machine >> bit & 1) for bit, name in enumerate(_MACHINE)}
    items |= {"voltage": float(status.voltage), "temperature": float(status.temperature), "fault": 0}
    items["ports"] = len(status.states)
    for port, state in enumerate(status.states, start=1):
        values: dict[str, Raw] = {"state": state, "charging": state == CHARGING}
        if state != CHARGING:  # of a charging one the block says how much, perhaps in the second frame
            values |= {"power": 0.0, "elapsed": 0, "remaining": 0}
        items |= named(port, values)
    for block in status.charging:
        told: dict[str, Raw] = {"power": block.power, "energy": block.energy}
        items |= named(block.port, {**told, "elapsed": block.elapsed, "remaining": block.remaining})
    return items


def of_port(fields: dict[str, Any]) -> dict[str, Raw]:
    """Return what one port (B3, B4) tells."""
    charging = fields["state"] == CHARGING
    values: dict[str, Raw] = {"state": fields["state"], "charging": charging}
    values["power"] = fields["power"] if charging else 0.0
    values["elapsed"] = 60 * fields["elapsed_minutes"] + fields["elapsed_seconds"] if charging else 0
    values["remaining"] = 60 * fields["remaining_minutes"] + fields["remaining_seconds"] if charging else 0
    if charging:
        values["energy"] = fields["energy"]
    return named(fields["port"], values)


def named(port: int, values: dict[str, Raw]) -> dict[str, Raw]:
    """Return values under the names of one port."""
    return {f"port.{port}.{name}": value for name, value in values.items()}
