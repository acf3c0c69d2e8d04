"""WitMotion sensors that send by themselves: see `drivers.entry`."""

from __future__ import annotations

from drivers.heard_entry import heard
from drivers.witmotion import family as witmotion
from drivers.witmotion.stream import Stream

STREAM = heard(witmotion.FAMILY, Stream, witmotion.address)
