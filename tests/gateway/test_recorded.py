"""Readings of the past: what telemetry kept, what it did not say, and tables of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from journals import WALL, opened

from gateway import telemetry
from gateway.model import Quality, Sample
from gateway.recorded import lines, merged, missing, of_folder, samples, table

if TYPE_CHECKING:
    from pathlib import Path

NANO = 10**9
GROUPS = (("a", "b"), ("c",))


def test_missing_points_of_what_was_read_together_are_the_bad_ones() -> None:
    assert missing({"a": 1.0}, GROUPS, Quality.SENTINEL) == {"b": Quality.SENTINEL}
    assert missing({"c": 1.0}, GROUPS, Quality.SENTINEL) == {}
    assert missing({}, GROUPS, Quality.NO_ANSWER) == dict.fromkeys("abc", Quality.NO_ANSWER)


def test_a_sample_comes_back_as_it_was_judged() -> None:
    encode = telemetry.Encoder("gas", "d").encode
    first = Sample("d", WALL, 0.0, {"a": 1.5, "b": True}, {})
    second = Sample("d", WALL + NANO, 1.0, {"a": 2.5}, {"b": Quality.OVER_RANGE})
    spoilt: list[str] = []
    text = [encode(first), "nonsense", encode(second), encode(first)]
    assert list(samples(text, GROUPS, WALL, spoilt)) == [first, second]
    assert len(spoilt) == 1


def test_a_long_record_is_asked_for_in_pieces_that_can_be_answered_whole() -> None:
    asked: list[int] = []

    def ask(device: str, since: int, until: int) -> tuple[list[str], bool]:
        found = [str(t) for t in range(0, 100_000 * NANO, 10 * NANO) if since <= t <= until]
        asked.append(len(found))
        return found[-100:], len(found) <= 100

    found = list(lines(ask, "d", 0, 99_990 * NANO))
    assert found == [str(t) for t in range(0, 100_000 * NANO, 10 * NANO)]
    assert len(asked) < 1000


async def test_the_files_of_a_data_folder_are_read_without_a_daemon(tmp_path: Path) -> None:
    encode = telemetry.Encoder("gas", "d").encode
    kept = [Sample("d", WALL + i * NANO, float(i), {"a": float(i)}) for i in range(50)]
    async with opened(tmp_path) as store:
        for sample in kept:
            store.add(encode(sample).encode(), 1, sample.at)
        store.add(b"gas,device=other a=1.0,q=0i %d" % WALL, 1, WALL)
    found = lines(of_folder(tmp_path), "d", WALL, WALL + 100 * NANO)
    assert list(samples(found, GROUPS, WALL, [])) == kept


def test_devices_are_brought_together_by_time() -> None:
    one = [Sample("a", 1, 0.0, {}), Sample("a", 4, 0.0, {})]
    two = [Sample("b", 2, 0.0, {}), Sample("b", 3, 0.0, {})]
    assert [s.at for s in merged([one, two])] == [1, 2, 3, 4]


def test_a_table_with_its_own_times_and_words() -> None:
    text = "at,device,p,q\n10,a,1,\n12.5,a,bad,true\n13,b,2.5,x\n"
    assert table(text, "z", 1.0) == [
        Sample("a", 10 * NANO, 0.0, {"p": 1}, {}),
        Sample("a", 12_500_000_000, 2.5, {"q": True}, {"p": Quality.SENTINEL}),
        Sample("b", 13 * NANO, 3.0, {"p": 2.5, "q": "x"}, {}),
    ]


def test_a_table_without_times_and_one_with_the_calendar() -> None:
    assert [s.mono for s in table("p\n1\n2\n3\n", "d", 5.0)] == [0.0, 5.0, 10.0]
    found = table("at,p\n2026-11-22T08:00:00+08:00,1\n2026-11-22T08:00:01+08:00,2\n", "d", 1.0)
    assert [s.mono for s in found] == [0.0, 1.0]


@pytest.mark.parametrize("text", ["at,p\nsoon,1\n", "at,p\n5,1\n4,1\n"])
def test_a_table_that_cannot_be_read_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ValueError, match="line "):
        table(text, "d", 1.0)
