"""What a site says about one line. Plain data: the settings room fills it, the line reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

PORTLESS = frozenset({"gpio"})  # protocols that need no port: they are this machine's own
Parity = Literal["none", "even", "odd"]


@dataclass(frozen=True, slots=True)
class LineSettings:
    """One serial port, one TCP endpoint, or one port where a unit dials in.

    Exactly one of `serial`, `tcp` and `listen` is given, none for PORTLESS protocols. All durations are
    seconds.
    """

    __pydantic_config__: ClassVar[Mapping[str, str]] = {"extra": "forbid"}

    name: str
    protocol: str  # a key of drivers.registry.PROTOCOLS
    serial: str | None = None  # "/dev/ttyUSB0", better "/dev/serial/by-id/..."
    tcp: str | None = None  # "host:port"
    listen: str | None = None  # "address:port"
    peers: tuple[str, ...] = ()  # listen: addresses or networks that may dial in; empty: all
    baud: int = 9600
    parity: Parity = "none"
    stop: Literal[1, 2] = 1
    timeout: float = 0.3  # for the device to begin its answer; time on the wire is added to it
    quarantine: float = 1.0  # a unit that did not answer is left alone so long, unless it answers late
    inflight: int = 1  # modbus-tcp: requests under way at a time
    gap: float | None = None  # extra silence before each request
    echo: bool = False  # the adapter gives back what we send

    @property
    def address(self) -> str:
        """Where the line leads, for people."""
        if self.protocol in PORTLESS:
            return "pins of this machine"
        return self.serial or self.tcp or f"listening on {self.listen}"
