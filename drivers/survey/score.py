"""How well what a unit holds fits each known profile, as a share of belief. Pure.

The percentage is a posterior: of all explanations we have (every profile, and "a model nobody has
described"), which share of the likelihood is this one's? Each piece of evidence multiplies it by how much
likelier it is from this model than from another one:

* **A span of registers that exists or is refused.** This model has it in 97 of 100 cases; another one as
  often as this very unit answers elsewhere (`Image.openness`). So a unit that answers whatever it is asked
  proves nothing by answering, and one that refuses nearly everything proves much.
* **What the unit holds beside it.** A model that leaves most of what is there unexplained is less likely.
* **A point whose value is believable, usual, a sentinel, or impossible** (range, enum, digits, sensible
  floats). Another model would show such a value by chance: how often is counted on samples of the same class
  of raw number (zero; small; large), because registers full of zeros fit everything and prove nothing.
* **An identity register** that holds what it must, or does not.
* **Rate, parity and address** as they come from the factory: a hint.

Points are not independent, so each may only shift the balance so far (`MOST`, `LEAST`), and no sum of
evidence makes it certain (`SURE`). Generic profiles are templates and start behind real models. What is
`confirm`ed by the site (an unknown scale) is no evidence.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from drivers.points import compile_block
from drivers.registers import parse_register
from drivers.survey.image import Span, spans
from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.profile import Identity, Point, Profile
    from drivers.survey.image import Image
    from drivers.survey.talk import Setting
    from gateway.model import Value

SURE: Final = 0.99
MOST, LEAST = 1.6, -3.0  # of the logarithm that one piece of evidence may add
HAS: Final = 0.97  # a device has what its profile says it has
UNKNOWN: Final = math.log(3.0)  # the weight of "a model nobody has described", against one of a real profile
GENERIC: Final = math.log(0.5)
TRIALS: Final = 96
USUAL: Final[Mapping[str, tuple[float, float]]] = {
    "Hz": (45, 65),
    "V": (80, 480),
    "%LEL": (-1, 5),
    "ppm": (-1, 30),
    "°C": (-30, 75),
    "%RH": (5, 100),
    "g": (-1.2, 1.2),
}
"""What a healthy sensor at rest mostly reads, by unit: tells apart what is merely possible."""
SENSIBLE: Final = (1e-5, 1e9)  # a float of a real quantity is 0 or lies between these


class Look(Enum):
    """How a value looks."""

    USUAL = 0
    GOOD = 1
    SENTINEL = 2
    BAD = 3


class Class(Enum):
    """What kind of raw number it is decoded from."""

    ZERO = 0
    SMALL = 1  # whole numbers below 1000
    LARGE = 2


Looker = Callable[[list[int]], "tuple[Look, Value | None]"]


@dataclass(frozen=True, slots=True)
class Match:
    """One profile, and how much of the belief is its own."""

    profile: str
    share: float  # 0 to SURE
    seen: int  # points with a believable value
    points: int  # points it has
    values: Mapping[str, Value]  # of the believable points


@dataclass(frozen=True, slots=True)
class Sketch:
    """A profile made ready for scoring. Make it once with `sketch`."""

    name: str
    profile: Profile
    spans: tuple[Span, ...]
    lookers: Mapping[str, Looker]
    chances: Mapping[str, Mapping[Class, Mapping[Look, float]]]  # of another model, to look so by chance


def sketch(name: str, profile: Profile) -> Sketch:
    """Make a Modbus profile ready for scoring."""
    lookers = {n: _looker(p) for n, p in profile.points.items() if p.readable}
    chances = {n: _chances(profile.points[n], looker) for n, looker in lookers.items()}
    return Sketch(name, profile, spans(profile), lookers, chances)


def rank(sketches: list[Sketch], image: Image, address: int, setting: Setting | None = None) -> list[Match]:
    """Return the profiles by how well they fit, best first; shares and that of the unknown add up to 1."""
    open_to = image.openness()
    weights = [_weigh(each, image, open_to, address, setting) for each in sketches]
    top = max([UNKNOWN, *(weight for weight, _ in weights)])
    total = math.exp(UNKNOWN - top) + sum(math.exp(weight - top) for weight, _ in weights)
    matches = []
    for each, (weight, values) in zip(sketches, weights, strict=True):
        share = min(math.exp(weight - top) / total, SURE)
        matches.append(Match(each.name, share, len(values), len(each.chances), values))
    return sorted(matches, key=lambda match: (-match.share, match.profile))


def _weigh(
    each: Sketch, image: Image, open_to: float, address: int, setting: Setting | None
) -> tuple[float, Mapping[str, Value]]:
    """Return the logarithm of a profile's weight, and the values that speak for it."""
    profile = each.profile
    weight = GENERIC if each.name.endswith("/generic") else 0.0
    weight += _factory(profile, address, setting)
    for span in each.spans:
        if image.has(span):
            weight += _bound(math.log(HAS / open_to))
        elif image.lacks(span):
            weight += _bound(math.log((1 - HAS) / (1 - open_to)))
    for identity in profile.identity:
        weight += _identity(identity, image)
    weight += _beside(each.spans, image, open_to)
    values: dict[str, Value] = {}
    for name, chances in each.chances.items():
        point = profile.points[name]
        span = Span(point.table, point.address, point.count)
        if not image.has(span) or not spans_know(each.spans, span):
            continue
        words = [image.words[span.table, a] for a in range(span.start, span.end)]
        look, value = each.lookers[name](words)
        whole = point.scale_from is None and not point.internal  # else the number alone means nothing
        if look in {Look.USUAL, Look.GOOD} and value is not None and whole:
            values[name] = value
        chance = chances[_class(point, words)].get(look, 0.0)
        weight += _bound(math.log(_own(point, look) / max(chance, 1 / (2 * TRIALS))))
    return weight, values


def _beside(own: tuple[Span, ...], image: Image, open_to: float) -> float:
    """Return what speaks against a profile that does not explain what else is there."""
    claimed = {(span.table, address) for span in own for address in range(span.start, span.end)}
    more = len(image.words.keys() - claimed)
    return -(1 - open_to) * min(0.5 + 0.1 * more, 1.5) if more else 0.0


def spans_know(known: tuple[Span, ...], span: Span) -> bool:
    """Whether a point's span lies in one that the profile reads."""
    return any(k.table is span.table and k.start <= span.start and span.end <= k.end for k in known)


def _bound(weight: float) -> float:
    return min(max(weight, LEAST), MOST)


def _own(point: Point, look: Look) -> float:
    """Return how often the model itself looks so."""
    if _vague(point):
        return {Look.BAD: 0.5}.get(look, 0.5)
    if point.unit in USUAL:
        return {Look.USUAL: 0.8, Look.GOOD: 0.15, Look.SENTINEL: 0.02, Look.BAD: 0.03}[look]
    return {Look.USUAL: 0.95, Look.GOOD: 0.95, Look.SENTINEL: 0.02, Look.BAD: 0.03}[look]


def _vague(point: Point) -> bool:
    """Whether the value says nothing: its scale stands elsewhere or is the site's to tell."""
    return point.scale_from is not None or bool({"scale", "offset", "type", "order"} & set(point.confirm))


def _factory(profile: Profile, address: int, setting: Setting | None) -> float:
    weight, defaults = 0.0, profile.defaults
    if defaults.address is not None:
        weight += 0.7 if defaults.address == address else -0.2
    if setting is not None and defaults.baud is not None:
        weight += 0.4 if defaults.baud == setting.baud else -0.4
    if setting is not None and defaults.parity is not None:
        weight += 0.1 if defaults.parity == setting.parity else -0.4
    return weight


def _identity(identity: Identity, image: Image) -> float:
    register = parse_register(identity.register)
    word = image.words.get((register.table, register.address))
    if word is None:
        return 0.0
    if (word & identity.mask) not in identity.equals:
        return LEAST
    chance = len(identity.equals) / 2 ** min(identity.mask.bit_count(), 8)
    return min(-math.log(max(chance, 1 / 64)), 3.0)


def _class(point: Point, words: list[int]) -> Class:
    raw = 0
    for word in words[:: -1 if point.order.swaps_words else 1]:
        raw = raw << 16 | (
            int.from_bytes(word.to_bytes(2, "little"), "big") if point.order.swaps_bytes else word
        )
    return Class.ZERO if raw == 0 else Class.SMALL if raw < 1000 else Class.LARGE


def _looker(point: Point) -> Looker:
    """Return what says how the words of a point look, and its value."""
    if point.table.is_bits:
        return lambda words: (Look.GOOD, bool(words[0]))
    alone = replace(point, scale_from=None, quality_from=None)
    decode = compile_block({"it": alone}, point.address, point.count, point.table).decode
    low, high = USUAL.get(point.unit, (math.inf, -math.inf))

    def look(words: list[int]) -> tuple[Look, Value | None]:
        good, bad = decode(b"".join(word.to_bytes(2, "big") for word in words))
        if "it" in bad:
            return (Look.SENTINEL if bad["it"] is Quality.SENTINEL else Look.BAD), None
        value = good["it"]
        if isinstance(value, str):
            return (Look.GOOD, value) if point.enum is not None or value.isprintable() else (Look.BAD, None)
        if point.type.is_float and value and not SENSIBLE[0] <= abs(value) <= SENSIBLE[1]:
            return Look.BAD, None
        return (Look.USUAL if low <= value <= high else Look.GOOD), value

    return look


def _chances(point: Point, look: Looker) -> dict[Class, dict[Look, float]]:
    """Return how numbers of each class would look at this point, counted on samples."""
    chance = random.Random(1)  # noqa: S311 - the same samples always
    top = 1 << 16 * point.count
    samples = {
        Class.ZERO: [0],
        Class.SMALL: [chance.randrange(1, 1000) for _ in range(TRIALS)],
        Class.LARGE: [chance.randrange(1000, top) for _ in range(TRIALS)],
    }
    found = {}
    for kind, raws in samples.items():
        looks = Counter(look(_words(point, raw))[0] for raw in raws)
        found[kind] = {each: count / len(raws) for each, count in looks.items()}
    return found


def _words(point: Point, raw: int) -> list[int]:
    data = raw.to_bytes(2 * point.count, "big")
    words = [
        int.from_bytes(data[i : i + 2], "little" if point.order.swaps_bytes else "big")
        for i in range(0, len(data), 2)
    ]
    return words[:: -1 if point.order.swaps_words else 1]
