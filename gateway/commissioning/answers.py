"""What a person has answered so far, kept in one small file so that a setup can be continued."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gateway.commissioning.rows import replace_file

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = ".setup.json"
VERSION: Final = 1


@dataclass(slots=True)
class LineAnswer:
    """One line: its port and how it talks."""

    name: str
    port: str  # /dev/... or host:port
    protocol: str = "modbus-rtu"
    baud: int = 9600
    parity: str = "none"
    stop: int = 1
    echo: bool = False


@dataclass(slots=True)
class DeviceAnswer:
    """One device."""

    name: str
    profile: str
    line: str
    address: str
    every: str = ""
    place: str = ""
    map: dict[str, dict[str, float]] = field(default_factory=dict)  # what the profile leaves to the site


@dataclass(slots=True)
class Answers:
    """Everything."""

    done: int = 0  # steps that are complete
    language: str = ""
    site: str = ""
    gateway: str = "gw-01"
    name: str = ""
    timezone: str = "Asia/Shanghai"
    lines: list[LineAnswer] = field(default_factory=list)
    devices: list[DeviceAnswer] = field(default_factory=list)
    broker: str = ""
    username: str = ""
    password_file: str = ""

    def save(self, folder: Path) -> None:
        """Keep them. Raises OSError."""
        data = {"version": VERSION, **asdict(self)}
        replace_file(folder / FILE, json.dumps(data, ensure_ascii=False, indent=1).encode())


def load(folder: Path) -> Answers | None:
    """Return what was answered before; None when there is nothing that can be continued."""
    try:
        data: dict[str, Any] = json.loads((folder / FILE).read_text("utf-8"))
        if data.pop("version") != VERSION:
            return None
        lines = [LineAnswer(**line) for line in data.pop("lines")]
        devices = [DeviceAnswer(**device) for device in data.pop("devices")]
        return Answers(**data, lines=lines, devices=devices)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def forget(folder: Path) -> None:
    """Remove them: the setup is complete."""
    (folder / FILE).unlink(missing_ok=True)
