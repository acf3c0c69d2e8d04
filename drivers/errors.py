"""What can go wrong between us and a device. Expected in service, never a bug."""

from __future__ import annotations


class DriverError(Exception):
    """The device could not do what was asked."""


class NoAnswer(DriverError):
    """Nothing, or nothing whole, came back in time."""


class Held(NoAnswer):
    """Not asked at all: the unit may still be answering an older request. Ask again after `until`.

    Nothing was put on the wire, so this says nothing about the health of the device.
    """

    def __init__(self, message: str, until: float) -> None:
        super().__init__(message)
        self.until = until  # monotonic seconds


class BadAnswer(DriverError):
    """Something came back that is no answer to the question: broken, cut short, or of a wrong form."""


class Refused(DriverError):
    """The device understood the question and said no."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code  # Modbus exception code: 1 function, 2 address, 3 value, 4 failure, 6 busy ...


class LineDown(DriverError):
    """The port or connection is gone or will not open. No device behind it can be reached."""
