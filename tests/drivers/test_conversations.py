"""Whatever bytes come: no conversation raises, none grows, and a sound frame after the rubbish is still heard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from talk import fed, merged, moment

from drivers.conversation import Listeners
from drivers.registry import PROTOCOLS

CAPTURES = Path(__file__).parents[1] / "captures"
TALKING = [name for name, entry in PROTOCOLS.items() if entry.talk is not None]
HEARD: list[dict[str, Any]] = [
    found for file in sorted(CAPTURES.glob("*.yaml")) if "heard" in (found := YAML(typ="safe").load(file))
]
FRAMES = [bytes.fromhex(each["frames"]) for found in HEARD for each in found["heard"]]


def mangled(frame: bytes) -> st.SearchStrategy[bytes]:
    """A frame with a few bytes changed, cut or doubled."""
    spots = st.lists(st.tuples(st.integers(0, len(frame) - 1), st.integers(0, 255)), max_size=3)

    def change(given: tuple[list[tuple[int, int]], int]) -> bytes:
        changed = bytearray(frame)
        for place, byte in given[0]:
            changed[place] = byte
        return bytes(changed[: len(frame) - given[1]] * (1 + given[1] % 2))

    return st.tuples(spots, st.integers(0, len(frame) // 2)).map(change)


PIECES = st.one_of(st.binary(max_size=60), st.sampled_from(FRAMES).flatmap(mangled))


@pytest.mark.parametrize("protocol", TALKING)
@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(PIECES, st.floats(0, 3)), max_size=12))
def test_no_bytes_make_it_raise(protocol: str, pieces: list[tuple[bytes, float]]) -> None:
    entry = PROTOCOLS[protocol]
    assert entry.talk is not None
    talk, now = entry.talk(Listeners({entry.address(SPEAKER.get(protocol, 1)): 1.0})), 0.0
    for data, later in pieces:
        now += later
        talk.receive(data, moment(now))
        talk.tick(moment(now))
        while talk.to_send(now):
            pass
        deadline = talk.next_deadline()
        assert deadline is None or deadline >= now, "it is never owed the past"
    assert 0 <= talk.noise <= sum(len(data) for data, _ in pieces)


SPEAKER = {"dc589": "5348111111111111", "gst9000": "panel"}


@pytest.mark.parametrize("found", HEARD, ids=lambda found: str(found["profile"]))
@settings(deadline=None, max_examples=20)
@given(rubbish=st.binary(max_size=400))
def test_after_rubbish_and_a_silence_it_is_heard_again(found: dict[str, Any], rubbish: bytes) -> None:
    entry = PROTOCOLS[found.get("line") or found["profile"].split("/")[1].split("-")[0]]
    assert entry.talk is not None
    who = entry.address(found["address"])
    talk, frame = entry.talk(Listeners({who: 1.0})), bytes.fromhex(found["heard"][0]["frames"])
    told = [*fed(talk, rubbish, 0.0).told]
    for number in range(40):  # what rubbish seemed to begin has its end in here
        told += [*fed(talk, frame, 10.0 + number).told, *talk.tick(moment(10.5 + number)).told]
    last = merged(told[-6:])
    assert any(last.get(name) for name in (who, None))
