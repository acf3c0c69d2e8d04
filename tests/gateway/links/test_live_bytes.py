"""What is written by hand for speed is what the libraries would have written."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.links import encode
from gateway.links.mqtt_broker import Message, at_most_once
from gateway.model import Quality, Sample, Value

VALUES = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans(), st.text())
POINTS = st.dictionaries(
    st.text(min_size=1), st.one_of(VALUES, st.sampled_from([q for q in Quality if q is not Quality.GOOD]))
)
TIMES = st.tuples(st.integers(0, 1 << 62), st.floats(0, 1e6, allow_nan=False))


def samples_of(
    points: dict[str, Value | Quality], parts: int, times: list[tuple[int, float]]
) -> list[Sample]:
    """Deal the points to so many samples."""
    dealt = [dict(list(points.items())[n::parts]) for n in range(parts)]
    return [
        Sample(
            "d",
            *when,
            {name: value for name, value in part.items() if not isinstance(value, Quality)},
            {name: value for name, value in part.items() if isinstance(value, Quality)},
        )
        for part, when in zip(dealt, times, strict=True)
    ]


@given(st.text(min_size=1), st.text(), POINTS, st.lists(TIMES, min_size=1, max_size=3), st.floats(0, 1e6))
def test_live_is_the_json_of_its_points(
    device: str, kind: str, points: dict[str, Value | Quality], times: list[tuple[int, float]], now: float
) -> None:
    samples = samples_of(points, len(times), times)
    wanted = {
        "format": encode.FORMAT,
        "device": device,
        "kind": kind,
        "at": max(sample.at for sample in samples),
        "points": {
            reading.point: {
                "value": reading.value,
                "quality": reading.quality.value,
                "at": reading.at,
                "age": round(max(0.0, now - reading.mono), 3),
            }
            for sample in samples
            for reading in sample.readings()
        },
    }
    text = json.dumps(wanted, ensure_ascii=False, separators=(",", ":"))
    got = encode.live(device, encode.Facts(kind), samples, now_mono=now)
    assert got == text.encode(errors="surrogatepass")


class Tap:
    """Stands in for a socket and keeps what paho sends."""

    def __init__(self) -> None:
        self.sent = b""

    def send(self, data: bytes) -> int:
        self.sent += data
        return len(data)


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.integers(0, 70_000), st.booleans())
def test_a_message_without_acknowledgement_is_the_packet_that_paho_sends(
    name: str, size: int, retain: bool
) -> None:
    topic = "t/" + name.replace("+", "").replace("#", "").replace("\0", "")
    message = Message(topic, b"x" * size, qos=0, retain=retain)
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    tap = Tap()
    client._sock = tap  # type: ignore[assignment]  # all it needs to write
    client.publish(message.topic, message.payload, 0, retain)
    client._sock = None
    assert at_most_once(message) == tap.sent
