"""Seeds for the fuzzer, made from the frames whose meaning is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Callable

CAPTURES: Final = Path(__file__).parents[1] / "captures"
FINDINGS: Final = Path(__file__).parent / "findings"
"""What the fuzzer found once, in a folder per codec: inputs of `codecs.check`, tried by every test run."""
_CONTENT: Final[dict[str, Callable[[bytes], bytes]]] = {
    "dc589": lambda f: bytes([f[2] - 0xA0 & 0xFF]) + f[3:-1],
    "dlt645": lambda f: f[1:7] + f[8:9] + bytes((b - 0x33) & 0xFF for b in f[10:-2]),
    "dny": lambda f: f[5:-2],
    "gb26875": lambda f: f[2:4] + f[6:12] + f[12:13] + f[18:19] + f[26:-3],
    "gst9000": lambda f: f[21:22] + f[25:26] + f.partition(b"\x1b9")[2].rstrip(b"\n"),
    "modbus-rtu": lambda f: bytes([f[0] - 1 & 0xFF]) + f[1:-2],
    "modbus-tcp": lambda f: f[:2] + f[6:],
    "tilt68": lambda f: f[2:-1],
    "tilt77": lambda f: f[2:-1],
    "witmotion": lambda f: f[1:-1],
}
"""What `seal` of each codec puts into a frame, taken out of one."""


def frames(codec: str) -> list[bytes]:
    """Return the known frames of a codec, refused ones too."""
    yaml = YAML(typ="safe")
    if not codec.startswith("modbus"):
        rows = yaml.load((CAPTURES / "vectors" / f"{codec}.yaml").read_text("utf-8"))["frames"]
        return [bytes.fromhex(row["frame"]) for row in rows]
    found: list[bytes] = []
    for file in sorted(CAPTURES.glob("*.yaml")):
        for exchange in yaml.load(file.read_text("utf-8")).get("exchanges", []):
            found += [bytes.fromhex(exchange[side]) for side in ("request", "answer")]
    if codec == "modbus-rtu":
        return found
    return [bytes([0, 1, 0, 0, 0, len(frame) - 2]) + frame[:-2] for frame in found]


def seeds(codec: str) -> list[bytes]:
    """Return inputs of `codecs.check`: each frame as a stream, and its content to be sealed again."""
    known = frames(codec)
    streams = [bytes([37 * number % 256]) + frame for number, frame in enumerate(known)]
    return streams + [b"\0" + _CONTENT[codec](frame.lstrip(b"\xfe")) for frame in known]


def findings(codec: str) -> list[bytes]:
    """Return what was found in a codec before."""
    folder = FINDINGS / codec
    return [path.read_bytes() for path in sorted(folder.iterdir())] if folder.is_dir() else []
