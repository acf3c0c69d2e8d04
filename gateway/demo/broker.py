"""Runs the embedded broker until it is told to stop: `python -m gateway.demo.broker CONFIG`."""

from __future__ import annotations

import signal
import sys

from iotcore import Broker


def main() -> None:
    """Run the broker described by the file in argv until SIGTERM."""
    with Broker(config_path=sys.argv[1]):
        # Blocked only now: the broker's child must not inherit the mask, or it could not be ended politely.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
