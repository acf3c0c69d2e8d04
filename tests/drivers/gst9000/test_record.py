"""GST9000 records: words nobody knows are kept, records broken by the line are not believed."""

from __future__ import annotations

import pytest

from drivers.gst9000.record import MOST, Cutter, Gst9000Error, Record, decode_record, encode_record

FIRE = Record(4, 17, "火警", "08/12/02  17:24")


def test_words_nobody_knows_are_kept() -> None:
    record = decode_record(encode_record(Record(1, 2, "回路故障", "08/12/02  17:24")))
    assert (record.words, record.kind) == ("回路故障", None)


def test_a_record_that_breaks_off_does_not_take_the_next_one_with_it() -> None:
    cutter = Cutter()
    data = encode_record(FIRE)
    for length in range(1, len(data)):
        assert cutter.feed(data[:length] + data) == [FIRE]


def test_a_record_after_a_false_beginning_is_found_wherever_the_bytes_are_cut() -> None:
    # Found by fuzzing: with so much noise that the false beginning had just been given up, a piece that ended
    # between the two bytes of the true one took its first byte along.
    data = encode_record(FIRE)
    for noise in range(MOST - 4, MOST + 4):
        stream = b"\x1b6" + b"." * noise + data
        for cut in range(len(stream)):
            cutter = Cutter()
            assert cutter.feed(stream[:cut]) + cutter.feed(stream[cut:]) == [FIRE]


def test_a_record_with_a_lost_byte_is_not_believed() -> None:
    data = encode_record(FIRE)
    for place in (3, 10, 15, 17, 21, 24, 26, 29):
        with pytest.raises(Gst9000Error):
            decode_record(data[:place] + data[place + 2 :])


@pytest.mark.parametrize(
    "bad",
    [
        Record(1000, 1, "火警", FIRE.printed),
        Record(1, 1, "", FIRE.printed),
        Record(1, 1, "火警", "yesterday"),
    ],
)
def test_what_could_not_be_printed_is_not_written(bad: Record) -> None:
    with pytest.raises(Gst9000Error):
        encode_record(bad)
