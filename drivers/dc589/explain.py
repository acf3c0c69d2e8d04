"""What a DC589 frame says, for people: `tocsin decode dc589`. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from drivers.dc589.fields import FIELDS, TEMPERATURE_OFFSET, decode_fields, size_of
from drivers.dc589.frame import decode_frame
from drivers.dc589.ports import FAULTS, MACHINE_BITS, PORT_STATES, REASONS, Status, decode_status
from drivers.stamp import Stamp

NAMES: Final = {
    0xA0: "register",
    0xA1: "registered",
    0xA2: "remote_control",
    0xA3: "remote_control_done",
    0xA4: "heartbeat",
    0xA5: "heartbeat_answer",
    0xA6: "set_heartbeat",
    0xA7: "heartbeat_set",
    0xA8: "ask_time",
    0xA9: "time",
    0xB0: "ask_all_ports",
    0xB1: "all_ports",
    0xB2: "ask_port",
    0xB3: "port",
    0xB4: "local_start",
    0xB5: "local_start_answer",
    0xB6: "card",
    0xB7: "start",
    0xB8: "started",
    0xB9: "stop",
    0xBA: "stopped",
    0xBB: "end_of_order",
    0xBC: "end_of_order_answer",
    0xBD: "card_refused",
    0xC0: "fault",
    0xC1: "fault_answer",
    0xC2: "tier_changed",
    0xC3: "set_parameters",
    0xC4: "parameters_set",
    0xC5: "ask_parameters",
    0xC6: "parameters",
    0xC7: "want_parameters",
    0xD0: "ask_card",
    0xD1: "card_balance",
    0xE0: "defaults",
    0xE1: "defaults_answer",
}
_WORDS: Final = {"state": PORT_STATES, "fault": FAULTS, "reason": REASONS}


def explain(data: bytes, offset: int = TEMPERATURE_OFFSET) -> dict[str, Any]:
    """Return the fields of one frame. Raises Dc589Error with what is wrong."""
    frame = decode_frame(data)
    fields: dict[str, Any] = {
        "command": f"{frame.command:02X}",
        "meaning": NAMES.get(frame.command, "unknown"),
        "session": frame.session.hex().upper(),
        "port": None,
    }
    table = FIELDS.get(frame.command)
    if table is None:
        return {**fields, "data": frame.data.hex(" ").upper()}
    secret = {field.name for field in table if field.kind == "secret"}
    for name, value in decode_fields(table, frame.data, offset).items():
        if name not in secret:
            fields[name] = _shown(name, value)
    if status := decode_status(frame, offset):
        fields |= _status(status)
    elif len(frame.data) > size_of(table):
        fields["more"] = frame.data[size_of(table) :].hex(" ").upper()
    return fields


def _shown(name: str, value: object) -> object:
    if isinstance(value, Stamp):
        return value.iso()
    if name in _WORDS and isinstance(value, int):
        return _WORDS[name].get(value, f"code_{value}")
    return value


def _status(status: Status) -> dict[str, Any]:
    charging = [asdict(port) for port in status.charging]
    return {
        "port": charging[0]["port"] if len(charging) == 1 else None,
        "machine": [word for bit, word in enumerate(MACHINE_BITS) if status.machine >> bit & 1],
        "voltage": status.voltage,
        "temperature": status.temperature,
        "ports": {n: PORT_STATES.get(s, f"code_{s}") for n, s in enumerate(status.states, start=1)},
        "charging_count": status.count,
        "charging": charging,
    }
