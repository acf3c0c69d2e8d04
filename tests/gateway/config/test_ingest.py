from __future__ import annotations

from pathlib import Path

import pytest
from siteyaml import write

from gateway.config import ConfigError, Secret, load_ingest

EXAMPLE = Path(__file__).parents[3] / "config" / "ingest.example.yaml"
MQTT = "mqtt: {url: mqtts://broker, username: ingest, password: {credential: mqtt}}\n"


def test_the_example_is_right() -> None:
    settings = load_ingest(EXAMPLE)
    assert settings.influx is not None
    assert (settings.influx.api, settings.influx.bucket) == ("v2", "tocsin")
    assert settings.influx.token == Secret(credential="influx")
    assert (settings.mqtt.share, settings.mqtt.client_id, settings.workers) == ("ingest", None, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("influx: {url: http://h, api: v1}\n", "2: influx: api v1 needs database"),
        ("influx: {url: http://h, bucket: b, database: d}\n", "2: influx: api v2 has no database"),
        ("influx: {url: h, bucket: b}\n", "2: influx.url: must be http://host:port or https://host:port"),
        (
            "influx: {url: http://h, bucket: b, token: abc}\n",
            "2: influx.token: a secret never stands in the file",
        ),
        ("", "1: give either influx or archive"),
        ("archive: {path: a}\nworkers: 0\n", "3: workers: must be at least 1, not 0"),
        ("archive: {path: a}\nworker: 2\n", "3: worker: unknown key; did you mean `workers`?"),
        ("archive: {path: a}\ndemo: yes\n", "3: demo: must be true or false, not 'yes'"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, expected: str, tmp_path: Path) -> None:
    path = write(tmp_path, MQTT + text, name="ingest.yaml")
    with pytest.raises(ConfigError) as caught:
        load_ingest(path)
    [message] = caught.value.messages
    assert message.startswith(f"{path}:{expected}")


def test_an_archive_takes_the_place_of_a_database(tmp_path: Path) -> None:
    settings = load_ingest(write(tmp_path, MQTT + "archive: {path: a.lp}\n", name="i.yaml"))
    assert settings.archive is not None
    assert settings.archive.path == tmp_path / "a.lp"
