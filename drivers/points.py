"""Values out of register bytes: compiled once per block, then straight from the answer. Pure, no I/O.

`compile_block` gives a `Decoder` for the points that one request brings; `compile_finish` gives what has to
be done once all blocks of a device are in: decimals from elsewhere, quality from a status, computed points.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from drivers.codec.encode import encode, refusal
from drivers.codec.finish import Finish, compile_finish
from drivers.codec.layout import layers, place
from drivers.codec.scale import Raw, believable, scaling
from drivers.codec.single import Reader, is_plain, make_reader, why
from gateway.model import Quality, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drivers.profile import Point
    from drivers.registers import Table

__all__ = ["BitDecoder", "Decoder", "Finish", "compile_block", "compile_finish", "encode", "refusal"]

Good = dict[str, Value]
Bad = dict[str, Quality]
_Plain = tuple[str, int, float, float, int, float, int]  # name, index, lowest raw, highest raw, n, k, d


class Decoder:
    """Decodes the data bytes of one answer. Make it with `compile_block`."""

    __slots__ = ("_layers", "_names", "_plain", "_points", "_readers", "_size", "_unpack")

    def __init__(self, points: Mapping[str, Point], start: int, count: int) -> None:
        self._points = dict(points)
        self._size = 2 * count
        places = {name: place(point, start) for name, point in points.items()}
        self._layers, index = layers(places, self._size)
        only = self._layers[0] if len(self._layers) == 1 and not self._layers[0].swapped else None
        self._unpack: Callable[[bytes], Sequence[Raw]] = only.struct.unpack if only else self._unpack_layers
        self._names = {name: index[place] for name, place in places.items()}
        self._plain: list[_Plain] = []
        self._readers: list[tuple[str, int, Reader]] = []
        for name, point in points.items():
            if is_plain(point):
                low_high = believable(point)
                self._plain.append((name, self._names[name], *low_high, *scaling(point.scale, point.offset)))
            else:
                self._readers.append((name, self._names[name], make_reader(point)))

    def decode(self, data: bytes) -> tuple[Good, Bad]:
        """Return good values, and the reasons for the others. Raises ValueError for a wrong size."""
        if len(data) != self._size:
            raise ValueError(f"{len(data)} bytes of data where {self._size} were asked for")
        raws = self._unpack(data)
        values: Good = {}
        bad: Bad = {}
        for name, index, low, high, n, k, d in self._plain:
            raw = raws[index]
            if low <= raw <= high:  # type: ignore[operator]  # plain ones are numbers; NaN fails this too
                values[name] = (raw * n + k) / d if d else raw  # type: ignore[operator,assignment]
            else:
                bad[name] = why(self._points[name], raw)
        for name, index, reader in self._readers:
            value = reader(raws[index])
            if type(value) is Quality:
                bad[name] = value
            else:
                values[name] = value
        return values, bad

    def raw(self, data: bytes) -> dict[str, Raw]:
        """Return the numbers as the device sent them, before scale and words: for people and the log."""
        raws = self._unpack(data)
        return {name: raws[index] for name, index in self._names.items()}

    def _unpack_layers(self, data: bytes) -> list[Raw]:
        swapped = array("H", data)
        swapped.byteswap()
        raws: list[Raw] = []
        for layer in self._layers:
            raws += layer.struct.unpack(swapped if layer.swapped else data)
        return raws


class BitDecoder:
    """Decodes the data bytes of an answer about coils or discrete inputs."""

    __slots__ = ("_enums", "_places", "_size")

    def __init__(self, points: Mapping[str, Point], start: int, count: int) -> None:
        self._size = (count + 7) // 8
        self._places = [(n, (p.address - start) >> 3, (p.address - start) & 7) for n, p in points.items()]
        self._enums = {name: point.enum for name, point in points.items() if point.enum is not None}

    def decode(self, data: bytes) -> tuple[Good, Bad]:
        """Return good values, and the reasons for the others. Raises ValueError for a wrong size."""
        if len(data) != self._size:
            raise ValueError(f"{len(data)} bytes of data where {self._size} were asked for")
        values: Good = {name: data[byte] >> bit & 1 == 1 for name, byte, bit in self._places}
        bad: Bad = {}
        for name, words in self._enums.items():
            word = words.get(int(values[name]))
            if word is None:
                bad[name] = Quality.UNKNOWN_CODE
                del values[name]
            else:
                values[name] = word
        return values, bad

    def raw(self, data: bytes) -> dict[str, Raw]:
        """Return the bits as 0 and 1."""
        return {name: data[byte] >> bit & 1 for name, byte, bit in self._places}


def compile_block(points: Mapping[str, Point], start: int, count: int, table: Table) -> Decoder | BitDecoder:
    """Return the decoder for `count` addresses from `start`. Raises ValueError if a point is outside."""
    for name, point in points.items():
        if point.table is not table or not start <= point.address <= start + count - point.count:
            raise ValueError(f"{name} ({point.register}) is not within {table}:{start}+{count}")
    return BitDecoder(points, start, count) if table.is_bits else Decoder(points, start, count)
