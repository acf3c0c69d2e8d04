"""A subscriber that does nothing but note when bytes came: `python ear.py PORT TOPIC...`, until its stdin is closed.

What it has heard is looked into afterwards, so that it never is the one that is waited for: a subscriber that decodes
each message as it comes is busy with one while the next one waits. Prints a JSON list of [monotonic seconds, topic,
payload], where the time is that of the last byte. MQTT 3.1.1, QoS 0, no keep-alive (OASIS, sections 3.1, 3.3, 3.8).
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PUBLISH = 3
MOST = 1 << 16


def text(value: str) -> bytes:
    """Return a string as MQTT writes it."""
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def packet(head: int, body: bytes) -> bytes:
    """Return a packet with the length of its body."""
    length, left = bytearray(), len(body)
    while True:
        left, digit = left >> 7, left & 0x7F
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes((head,)) + bytes(length) + body


def greeting(name: str, topics: Sequence[str]) -> bytes:
    """Return CONNECT, with a clean session, and SUBSCRIBE."""
    connect = packet(0x10, text("MQTT") + b"\x04\x02\0\0" + text(name))
    return connect + packet(0x82, b"\0\x01" + b"".join(text(topic) + b"\0" for topic in topics))


def messages(chunks: Sequence[tuple[float, bytes]]) -> Iterator[tuple[float, str, bytes]]:
    """Yield what was published: when its last byte came, topic, payload."""
    data = b"".join(chunk for _, chunk in chunks)
    ends, end = list[tuple[int, float]](), 0
    for at, chunk in chunks:
        end += len(chunk)
        ends.append((end, at))
    place, known = 0, 0
    while place < len(data):
        kind, size, shift, place = data[place] >> 4, 0, 0, place + 1
        while True:
            digit = data[place]
            size, shift, place = size | (digit & 0x7F) << shift, shift + 7, place + 1
            if not digit & 0x80:
                break
        body, place = data[place : place + size], place + size
        if place > len(data):
            return  # cut off in the middle
        while ends[known][0] < place:
            known += 1
        if kind == PUBLISH:
            cut = 2 + int.from_bytes(body[:2], "big")
            yield ends[known][1], body[2:cut].decode(), body[cut:]


def hear(port: int, topics: Sequence[str]) -> list[tuple[float, bytes]]:
    """Return what came, with its times, until stdin is closed. Says "ready" on stdout when it is subscribed."""
    chunks: list[tuple[float, bytes]] = []
    with socket.create_connection(("127.0.0.1", port)) as broker, selectors.DefaultSelector() as waiting:
        broker.sendall(greeting("bench-ear", topics))
        waiting.register(broker, selectors.EVENT_READ)
        waiting.register(sys.stdin, selectors.EVENT_READ)
        print("ready", flush=True)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is sys.stdin:
                    return chunks
                data = broker.recv(MOST)
                chunks.append((time.monotonic(), data))
                if not data:
                    return chunks


def main() -> None:
    """Hear, then tell what was heard."""
    heard = hear(int(sys.argv[1]), sys.argv[2:])
    json.dump([(at, topic, payload.decode()) for at, topic, payload in messages(heard)], sys.stdout)


if __name__ == "__main__":
    main()
