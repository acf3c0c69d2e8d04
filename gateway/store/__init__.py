"""The durable journal: two lanes, alarm state, one cursor per link. The edge's only user of sqlite3.

Two lanes in files of their own under `data/`: `alarms.db`, where a commit is on disk before it returns
and nothing is ever dropped for space, and `telemetry-NNNNNN.db`, groups of readings as compressed
blobs, unlinked oldest first when a bound is reached. Every record is `(epoch, seq)` in its lane; it
waits until every registered link has confirmed it. What is lost before that leaves a gap record.
"""

from __future__ import annotations

from gateway.store.cursor import Cursor
from gateway.store.history import History
from gateway.store.journal import Store
from gateway.store.records import Backlog, Gap, Lane, Limits, Place, Record, StoreError, StoreHealth

__all__ = [
    "Backlog",
    "Cursor",
    "Gap",
    "History",
    "Lane",
    "Limits",
    "Place",
    "Record",
    "Store",
    "StoreError",
    "StoreHealth",
]
