"""The states of a charging board and its ports: answer B1, and heartbeat A4 when it carries them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from drivers.cutter import Step
from drivers.dc589.fields import (
    CHARGING,
    HEAD_A4,
    MACHINE,
    TEMPERATURE_OFFSET,
    decode_fields,
    encode_fields,
    size_of,
)
from drivers.dc589.frame import Dc589Error, Frame

PORT_STATES: Final = {0: "idle", 1: "charging", 3: "output_fault", 4: "relay_welded", 0xFF: "no_such_port"}
MACHINE_BITS: Final = ("hot", "smoke", "mains_abnormal")
FAULTS: Final = {3: "output_fault", 4: "relay_welded", 0xAA: "hot", 0xBB: "smoke", 0xCC: "mains_abnormal"}
REASONS: Final = {
    0: "time_up",
    1: "unplugged",
    2: "full",
    3: "fault",
    4: "over_power",
    5: "refund",
    6: "not_connected",
    7: "remote",
    8: "smoke",
    9: "hot",
    10: "energy_used",
}
HEARTBEAT: Final = 0xA4
ALL_PORTS: Final = 0xB1
_HEAD: Final = size_of(HEAD_A4)
_MACHINE: Final = size_of(MACHINE)
_BLOCK: Final = size_of(CHARGING)


@dataclass(frozen=True, slots=True)
class Charging:
    """What a charging port says of itself."""

    port: int
    remaining: int  # s
    elapsed: int  # s
    remaining_energy: float  # kWh
    energy: float  # kWh
    power: float  # W


@dataclass(frozen=True, slots=True)
class Status:
    """The whole board. With more than 12 ports it comes in two frames, each with its part of `charging`."""

    machine: int  # bits
    voltage: int  # V
    temperature: int  # °C
    states: tuple[int, ...]  # of port 1, 2, ...
    count: int = 0  # of ports that charge, on the whole board
    charging: tuple[Charging, ...] = ()


def decode_status(frame: Frame, offset: int = TEMPERATURE_OFFSET) -> Status | None:
    """Return the states a frame carries; None when it carries none. Raises Dc589Error."""
    data = frame.data[_HEAD:] if frame.command == HEARTBEAT else frame.data
    if frame.command not in {HEARTBEAT, ALL_PORTS} or (frame.command == HEARTBEAT and not data):
        return None
    head = decode_fields(MACHINE, data, offset)
    end = _MACHINE + head["ports"]
    states = tuple(data[_MACHINE:end])
    if len(states) < head["ports"]:
        raise Dc589Error(Step.LENGTH, f"{head['ports']} ports, but states of {len(states)}")
    whole = (head["machine"], head["voltage"], head["temperature"], states)
    if len(data) == end:  # asked to be brief (B0 with FE)
        return Status(*whole)
    blocks = data[end + 1 :]
    if len(blocks) % _BLOCK or len(blocks) // _BLOCK > data[end]:
        what = f"{data[end]} ports charge, but {len(blocks)} bytes about them follow ({_BLOCK} each)"
        raise Dc589Error(Step.LENGTH, what)
    pieces = [blocks[i : i + _BLOCK] for i in range(0, len(blocks), _BLOCK)]
    return Status(*whole, data[end], tuple(_charging(decode_fields(CHARGING, piece)) for piece in pieces))


def encode_status(status: Status, offset: int = TEMPERATURE_OFFSET) -> bytes:
    """Return the data of B1, or what follows the head of A4. Raises Dc589Error."""
    head = {
        "machine": status.machine,
        "voltage": status.voltage,
        "temperature": status.temperature,
        "ports": len(status.states),
    }
    data = encode_fields(MACHINE, head, offset) + bytes(status.states) + bytes([status.count])
    return data + b"".join(encode_fields(CHARGING, _values(port)) for port in status.charging)


def _charging(found: dict[str, Any]) -> Charging:
    return Charging(
        found["port"],
        60 * found["remaining_minutes"] + found["remaining_seconds"],
        60 * found["elapsed_minutes"] + found["elapsed_seconds"],
        found["remaining_energy"],
        found["energy"],
        found["power"],
    )


def _values(port: Charging) -> dict[str, Any]:
    return {
        "port": port.port,
        "remaining_minutes": port.remaining // 60,
        "remaining_seconds": port.remaining % 60,
        "elapsed_minutes": port.elapsed // 60,
        "elapsed_seconds": port.elapsed % 60,
        "remaining_energy": port.remaining_energy,
        "energy": port.energy,
        "power": port.power,
    }
