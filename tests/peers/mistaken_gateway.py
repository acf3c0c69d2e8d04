"""`tocsin` with one mistake made on purpose: what the controls of the system tests run.

python mistaken_gateway.py puback run -c SITE     forgets a record when the broker acknowledges it
python mistaken_gateway.py fifo run -c SITE       one queue: alarms wait until the readings before them are gone
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from gateway.cli import main
from gateway.links import custody, mqtt, mqtt_lanes
from gateway.links.outbox import Outbox
from gateway.links.record import ALARM, TELEMETRY, Record

if TYPE_CHECKING:
    from paho.mqtt.reasoncodes import ReasonCode


class TrustsPuback(mqtt_lanes.Lanes):
    """Forgets what the broker has acknowledged."""

    def puback(self, mid: int, reason: ReasonCode) -> str | None:
        place = self._in_hand.get(mid)
        found = super().puback(mid, reason)
        if place:
            lane, key = place
            self.receipt(lane, custody.Receipt(key.epoch, [(key.seq, key.seq)]))
        return found


class OneQueue(Outbox):
    """Sends an alarm when all readings that were kept before it have their receipt."""

    def next(self, now: float) -> Record | None:
        box = self.lanes[TELEMETRY]
        if box.ready or box.flights or not box.drained:
            return box.next(now)
        return self.lanes[ALARM].next(now)


if __name__ == "__main__":
    mistake = sys.argv.pop(1)
    if mistake == "puback":
        vars(mqtt)["Lanes"] = TrustsPuback
    elif mistake == "fifo":
        vars(mqtt_lanes)["Outbox"] = OneQueue
    else:
        sys.exit(__doc__)
    sys.exit(main())
