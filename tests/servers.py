"""Real servers for tests: a private Mosquitto, a private InfluxDB 1.x. Loopback, free ports, ended by pid."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/bin", "/opt/influxdb")
REQUIRED = "TOCSIN_REQUIRE_SERVERS"


def program(name: str) -> str:
    """The path of a program; skips the test without it, or fails where servers are required."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *PLACES]))
    if found is None:
        why = f"{name} is not installed: apt-get install {PACKAGES.get(name, name)}"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(why)
        pytest.skip(why)
    return found


PACKAGES = {"influxd": "influxdb"}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.01)
    raise RuntimeError(f"no server on {port}: {log.read_text(errors='replace')[-2000:]}")


class Server:
    """A server process that can be killed, frozen and started again in the same place."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.frozen = False

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def start(self) -> Self:
        log = self.folder / "server.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(self.command(), stdout=out, stderr=out)
        wait_for_port(self.port, self.process, log)
        return self

    def end(self, sign: signal.Signals) -> None:
        if self.process is None:
            return
        self.thaw()
        if self.process.poll() is None:
            self.process.send_signal(sign)
        self.process.wait(20)
        self.process = None

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def stop(self) -> None:
        self.end(signal.SIGTERM)

    def freeze(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        if self.frozen and self.process:
            self.process.send_signal(signal.SIGCONT)
        self.frozen = False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()


class Mosquitto(Server):
    """A broker. `users` turns on passwords, `acl` is the text of an ACL file, `tls` needs openssl.

    Persistence is on with Mosquitto's own defaults, so a kill loses what it holds (lab.md 2.2).
    """

    def __init__(
        self,
        folder: Path,
        *,
        users: Mapping[str, str] | None = None,
        acl: str = "",
        tls: bool = False,
        client_certificates: bool = False,
        extra: str = "",
    ) -> None:
        self.binary = program("mosquitto")
        super().__init__(folder)
        self.tls = tls
        self.certificates = Certificates(folder / "tls") if tls else None
        lines = [f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/"]
        lines += [f"allow_anonymous {'false' if users else 'true'}"]
        if os.geteuid() == 0:
            lines.append("user root")  # else it drops to `mosquitto`, who may not enter our folder
        if users:
            for number, (name, password) in enumerate(users.items()):
                create = ["-c"] if number == 0 else []
                run([program("mosquitto_passwd"), "-b", *create, f"{folder}/passwd", name, password])
            lines.append(f"password_file {folder}/passwd")
        if acl:
            (folder / "acl").write_text(acl, encoding="utf-8")
            lines.append(f"acl_file {folder}/acl")
        if self.certificates:
            c = self.certificates
            lines += [f"cafile {c.ca}", f"certfile {c.server}", f"keyfile {c.server_key}"]
            if client_certificates:
                lines += ["require_certificate true", "use_identity_as_username true"]
        self.config = folder / "mosquitto.conf"
        self.config.write_text("\n".join([*lines, extra, ""]), encoding="utf-8")

    def command(self) -> Sequence[str]:
        return [self.binary, "-c", str(self.config)]

    @property
    def url(self) -> str:
        return f"mqtts://localhost:{self.port}" if self.tls else f"mqtt://127.0.0.1:{self.port}"


class Certificates:
    """A small authority, a server certificate for localhost and a client certificate `gw-01`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        openssl = program("openssl")
        self.ca, ca_key = folder / "ca.pem", folder / "ca.key"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        usage = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
        base = [openssl, "req", "-x509", *curve, "-days", "30"]
        run([*base, "-subj", "/CN=test CA", *usage, "-keyout", str(ca_key), "-out", str(self.ca)])
        for name, subject in (("server", "localhost"), ("client", "gw-01")):
            key, request, cert = (folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
            names = folder / f"{name}.ext"
            names.write_text(f"subjectAltName=DNS:{subject},IP:127.0.0.1\n", encoding="utf-8")
            run(
                [openssl, "req", *curve, "-subj", f"/CN={subject}", "-keyout", str(key), "-out", str(request)]
            )
            sign = ["-CA", str(self.ca), "-CAkey", str(ca_key), "-CAcreateserial", "-days", "30"]
            run(
                [
                    openssl,
                    "x509",
                    "-req",
                    "-in",
                    str(request),
                    *sign,
                    "-extfile",
                    str(names),
                    "-out",
                    str(cert),
                ]
            )
        self.server, self.server_key = folder / "server.pem", folder / "server.key"
        self.client, self.client_key = folder / "client.pem", folder / "client.key"


def run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)


INFLUX = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-body-size = {max_body}
"""


class Influx(Server):
    """An InfluxDB 1.x with one database."""

    def __init__(self, folder: Path, database: str = "tocsin", max_body: int = 25_000_000) -> None:
        self.binary = program("influxd")
        super().__init__(folder)
        self.database = database
        text = INFLUX.format(folder=folder, port=self.port, rpc=free_port(), max_body=max_body)
        self.config = folder / "influxdb.conf"
        self.config.write_text(text, encoding="utf-8")

    def command(self) -> Sequence[str]:
        return [self.binary, "run", "-config", str(self.config)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        super().start()
        self.post(f'CREATE DATABASE "{self.database}"')
        return self

    def post(self, query: str) -> Any:
        data = urllib.parse.urlencode({"q": query, "db": self.database, "epoch": "ns"}).encode()
        end = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/query", data, timeout=20) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code != 503 or time.monotonic() > end:
                    raise
                time.sleep(0.05)  # it listens before it is ready

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of the first statement, as mappings; `time` in nanoseconds."""
        result = self.post(query)["results"][0]
        if "error" in result:
            raise RuntimeError(result["error"])
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True))}
            for series in result.get("series", [])
            for row in series["values"]
        ]

    def count(self, measurement: str, field: str) -> int:
        """How many points of a measurement have the field."""
        rows = self.rows(f'SELECT COUNT("{field}") FROM "{measurement}"')
        return int(rows[0]["count"]) if rows else 0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "mosquitto") as server:
        yield server


@pytest.fixture
def influx(tmp_path: Path) -> Iterator[Influx]:
    with Influx(tmp_path / "influx") as server:
        yield server
