"""What is written by hand for speed is what the libraries would have written."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from gateway.board import Last
from gateway.links import encode
from gateway.links.mqtt_broker import Message, at_most_once
from gateway.model import Quality

VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans(), st.text(), st.none()
)
LAST = st.builds(
    Last, VALUES, st.sampled_from(list(Quality)), st.integers(0, 1 << 62), st.floats(0, 1e6, allow_nan=False)
)


@given(st.text(min_size=1), st.text(), st.dictionaries(st.text(min_size=1), LAST), st.floats(0, 1e6))
def test_live_is_the_json_of_its_points(device: str, kind: str, points: dict[str, Last], now: float) -> None:
    wanted = {
        "format": encode.FORMAT,
        "device": device,
        "kind": kind,
        "at": max((last.at for last in points.values()), default=0),
        "points": {
            name: {
                "value": last.value,
                "quality": last.quality.value,
                "at": last.at,
                "age": round(max(0.0, now - last.mono), 3),
            }
            for name, last in points.items()
        },
    }
    text = json.dumps(wanted, ensure_ascii=False, separators=(",", ":"))
    got = encode.live(device, encode.Facts(kind), points, now_mono=now)
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
