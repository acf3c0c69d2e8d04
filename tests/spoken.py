"""Protocols of requests and answers without registers, for tests over all profiles: what is asked, what is carried."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from drivers.dlt645 import frame as dlt645
from drivers.dlt645.identifiers import decode_value, decode_values
from drivers.dlt645.items import RELAY, RELAY_BIT, RELAY_WORD, Di, di_of
from drivers.dlt645.plan import Cost, plan
from drivers.dlt645.query import width
from drivers.tilt import frame as tilt
from drivers.tilt.family import commands, told
from drivers.tilt.values import decode_tilt

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.profile import Profile
    from gateway.model import Value

    Carried = dict[str, Value | None]

METER = "000000000161"
COST = Cost(11 / 2400, 0.02)


class Spoken(NamedTuple):
    """One protocol: the requests of a profile without frame, a frame of a reply, and what it carries."""

    asks: Callable[[Profile], list[bytes]]
    frame: Callable[[bytes], bytes]
    asked: Callable[[bytes], bytes]  # a whole request, without its frame
    carried: Callable[[bytes, Profile], Carried]


def _dlt_asks(profile: Profile) -> list[bytes]:
    wanted = {di_of(point.item) for point in profile.points.values()}
    reads = plan(sorted(wanted), COST, blocks=profile.limits.bridge)
    old = dlt645.Edition.Y1997
    return [
        bytes((dlt645.READ_1997 if r.di.edition is old else dlt645.READ,))
        + r.di.number.to_bytes(width(r.di.edition), "little")
        for r in reads
    ]


def _dlt_carried(frame: bytes, profile: Profile) -> Carried:
    answer = dlt645.decode_frame(frame)
    size = width(answer.edition)
    di = Di(int.from_bytes(answer.data[:size], "little"), answer.edition)
    wanted = [di_of(point.item) for point in profile.points.values()]
    found: dict[Di, Value | None] = {}
    for read in plan(wanted, COST):
        if read.di == di and read.is_block:
            values = decode_values(di.number, answer.data[size:])
            found |= {member: values[at] for member, at in read.members}
    if not found and di.how is not None:
        found = {di: decode_value(di.how, answer.data[size:])}
    carried = {str(member): value for member, value in found.items()}
    word = carried.get(f"{RELAY_WORD:08X}")
    return carried | ({RELAY: int(word) >> RELAY_BIT & 1} if word is not None else {})


def _tilt(family: tilt.Family) -> Spoken:
    def carried(frame: bytes, profile: Profile) -> Carried:
        answer = tilt.decode_frame(frame, family)
        reading = decode_tilt(answer)
        assert reading is not None
        return dict(told(tilt.GRAVITY if answer.command == tilt.GRAVITY else tilt.READ, reading))

    def asked(frame: bytes) -> bytes:
        request = tilt.decode_frame(frame, family)
        return bytes((request.command,)) + request.data

    return Spoken(
        lambda profile: [bytes((c,)) for c in commands(tuple(p.item for p in profile.points.values()))],
        lambda reply: tilt.encode_frame(tilt.Frame(family, 0, reply[0], reply[1:])),
        asked,
        carried,
    )


def _dlt_asked(frame: bytes) -> bytes:
    request = dlt645.decode_frame(frame)
    return bytes((request.control,)) + request.data


SPOKEN = {
    "dlt645": Spoken(
        _dlt_asks,
        lambda reply: dlt645.encode_frame(dlt645.Frame(METER, reply[0], reply[1:])),
        _dlt_asked,
        _dlt_carried,
    ),
    "tilt68": _tilt(tilt.Family.RION),
    "tilt77": _tilt(tilt.Family.BW),
}
