"""The fuzzer's checks on what is known: every seed, everything that was ever found, and defects they must see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fuzz.codecs import CODECS, check
from fuzz.planted import raises
from fuzz.seeds import findings, seeds

from drivers.cutter import Cutter, Step
from drivers.dlt645 import frame as dlt645
from gateway.cli.decode import DECODERS

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = pytest.mark.parametrize("codec", sorted(CODECS))


def test_every_protocol_that_can_be_explained_is_fuzzed() -> None:
    assert CODECS.keys() == DECODERS.keys()
    assert {name: codec.explain for name, codec in CODECS.items()} == DECODERS


@EVERY
def test_every_known_frame_and_every_finding_passes(codec: str) -> None:
    inputs = [*seeds(codec), *findings(codec)]
    assert len(inputs) >= 6
    for data in inputs:
        for how in (0, 100):
            check(codec, bytes([how]) + data[1:])


@EVERY
def test_frames_sealed_by_the_checks_are_whole(codec: str) -> None:
    for seed in seeds(codec):
        frame = CODECS[codec].seal(seed[1:])
        try:
            CODECS[codec].explain(frame)
        except ValueError as error:
            assert getattr(error, "step", Step.SANITY) not in {Step.MARK, Step.CHECKSUM}, error


def test_a_planted_defect_is_in_reach() -> None:
    frame = dlt645.encode_frame(dlt645.Frame("000000000161", 0x91, b"\x02\x00\x80\x02\x01"))
    with pytest.raises(IndexError):
        raises(frame)


class Forgetful(Cutter[Any]):
    """Loses the first byte of what waits when more comes."""

    def feed(self, data: bytes) -> list[Any]:
        del self._buffer[:1]
        return super().feed(data)


class Hoarding(Cutter[Any]):
    """Never lets go of anything."""

    def _cut(self, *, final: bool) -> list[Any]:
        return []


@pytest.mark.parametrize("broken", [Forgetful, Hoarding])
def test_the_checks_see_a_cutter_that_is_broken(
    broken: type[Cutter[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Callable[[], Cutter[Any]] = lambda: broken(dlt645.FRAMING)  # noqa: E731
    from fuzz.codecs import _cut  # noqa: PLC0415

    stream = _cut(made, dlt645.encode_frame)
    frame = dlt645.encode_frame(dlt645.Frame("000000000161", 0x91, b"\0\0\1\0\x26\0\0\0"))
    with pytest.raises(AssertionError):
        stream(frame * 200, [3, 5])


@pytest.mark.parametrize("wrong", [IndexError, UnicodeDecodeError, float])
def test_the_checks_see_an_explanation_that_is_none(wrong: type[Any]) -> None:
    def explain(_: bytes) -> dict[str, Any]:
        if wrong is IndexError:
            raise IndexError("list index out of range")
        if wrong is UnicodeDecodeError:
            b"\xff".decode("utf-8")
        return {"value": float("nan")}

    from fuzz.codecs import _explained  # noqa: PLC0415

    with pytest.raises((AssertionError, IndexError, ValueError)):
        _explained(CODECS["dlt645"]._replace(explain=explain), b"")
