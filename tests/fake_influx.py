"""The write API of InfluxDB 2 as far as its answers go; no real 2.x server can be had here (lab.md 1.4)."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


class FakeInflux:
    """Stores lines; answers as told: a list of statuses for the next requests, then 204."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.requests: list[tuple[int, dict[str, list[str]], str]] = []  # status, query, authorization
        self.url = ""

    def answer(self, status: int, times: int = 1, **headers: str) -> None:
        self.answers += [(status, {k.replace("_", "-"): v for k, v in headers.items()})] * times

    def take(self, path: str, authorization: str, body: str) -> tuple[int, dict[str, str], str]:
        parts = urlsplit(path)
        status, headers, said = 204, dict[str, str](), ""
        pieces = body.split("\n")
        if parts.path != "/api/v2/write":
            status = 404
        elif self.answers:
            status, headers = self.answers.pop(0)
        elif bad := [line for line in pieces if "bad=" in line]:
            self.lines += [line for line in pieces if line not in bad]
            status, said = 400, f"partial write: field type conflict dropped={len(bad)}"
        else:
            self.lines += pieces
        self.requests.append((status, parse_qs(parts.query), authorization))
        said = said or f"answer {status}"
        return status, headers, "" if status == 204 else json.dumps({"code": "invalid", "message": said})


@contextmanager
def fake_influx() -> Iterator[FakeInflux]:
    fake = FakeInflux()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, headers, text = fake.take(self.path, self.headers.get("Authorization", ""), body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
