"""Where lines are written: InfluxDB over v2 or v1, or a file a day. Blocking; each runs in a thread.

`write` returns when the lines are kept; it raises Refused, Misconfigured or Unavailable (`answers`) when not.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import urllib3

from gateway.ingest.answers import Unavailable, judge

if TYPE_CHECKING:
    from pathlib import Path

_NANOSECONDS: Any = "ns"  # WritePrecision.NS is this word; importing it costs what v1 need not pay
TIMEOUT = 10.0  # s for one write


class Target(Protocol):
    """Takes lines."""

    def write(self, lines: bytes) -> None:
        """Keep lines of line protocol, joined by newlines, times in nanoseconds."""

    def close(self) -> None:
        """Let go of connections and files."""


class InfluxV1:
    """`/write` of InfluxDB 1.x, which Debian and Raspberry Pi OS ship."""

    def __init__(self, url: str, database: str, username: str = "", password: str = "") -> None:
        self._url = f"{url.rstrip('/')}/write?{urlencode({'db': database, 'precision': 'ns'})}"
        self._headers = {"Content-Type": "text/plain; charset=utf-8"}
        if username:
            self._headers |= urllib3.make_headers(basic_auth=f"{username}:{password}")
        self._pool = urllib3.PoolManager(maxsize=2, retries=False, timeout=urllib3.Timeout(total=TIMEOUT))

    def write(self, lines: bytes) -> None:
        """Write with one request."""
        try:
            answer = self._pool.request("POST", self._url, body=lines, headers=self._headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        judge(answer.status, answer.data.decode(errors="replace"), dict(answer.headers))

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()


class InfluxV2:
    """The v2 write API through influxdb-client, in its synchronous mode: the batching one loses silently."""

    def __init__(self, url: str, org: str, bucket: str, token: str = "") -> None:
        # 15 MB and a quarter of a second, which v1 and the archive need not pay
        from influxdb_client.client.influxdb_client import InfluxDBClient  # noqa: PLC0415  as said
        from influxdb_client.client.write_api import SYNCHRONOUS  # noqa: PLC0415  as said

        self._org, self._bucket = org, bucket
        milliseconds = round(TIMEOUT * 1000)
        self._client = InfluxDBClient(url, token, org=org, timeout=milliseconds, retries=False)
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: bytes) -> None:
        """Write with one request."""
        from influxdb_client.rest import ApiException  # noqa: PLC0415  see __init__

        try:
            self._api.write(self._bucket, self._org, record=lines, write_precision=_NANOSECONDS)
        except ApiException as error:
            body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body)
            judge(int(error.status or 500), body, dict(error.headers or {}))
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()  # type: ignore[no-untyped-call]  # influxdb-client leaves it untyped


class Archive:
    """Line protocol in one file per UTC day, where there is no database; on disk before `write` returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._torn = False  # the file may end within a line

    def write(self, lines: bytes) -> None:
        """Append and sync. What was cut off by a full disk is repeated whole, on a line of its own."""
        day = time.strftime("%Y-%m-%d", time.gmtime())
        path = self._folder / f"{day}.lp"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = not path.exists()
            # One write of whole lines in append mode: several workers may share the file.
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
            try:
                rest = (b"\n" if self._torn else b"") + lines + b"\n"
                self._torn = True
                while rest:
                    rest = rest[os.write(fd, rest) :]
                os.fsync(fd)
                self._torn = False
            finally:
                os.close(fd)
            if fresh:
                self._sync_folder()
        except OSError as error:
            raise Unavailable(f"{path}: {error}") from error

    def _sync_folder(self) -> None:
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Nothing stays open."""
