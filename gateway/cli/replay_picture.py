"""The picture of a replay: the point with the most to show, its limits, and when the rules fired."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gateway import plot
from gateway.cli.output import Failure
from gateway.language import say
from rules.replay import Fired

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.cli.replay import Job
    from rules.rule import AlarmKey, AlarmSpec

NO_FIRING = Fired()


def draw(job: Job, found: list[dict[AlarmKey, Fired]], keys: list[AlarmKey]) -> plot.Picture | None:
    """Return the picture of the rule with the most to show; None when it judges no number."""
    sets = [job.today] + ([] if job.proposed is None else [job.proposed])
    specs = {spec.key: spec for each in reversed(sets) for spec in each}
    able = [key for key in keys if key in specs and specs[key].rule.inputs()]
    if not able:
        return None
    key = max(able, key=lambda key: sum(one.get(key, NO_FIRING).count for one in found))
    device, point = key[0], specs[key].rule.inputs()[0]
    curve = plot.Curve(job.since, job.until)
    for sample in job.read([device] if device in job.devices else []):
        curve.add(sample.at, sample.values.get(point))
    names = say("现行", "today"), say("拟改", "proposed")
    marks = tuple(
        plot.Marks(name, limits(each, key), one.get(key, NO_FIRING).times)
        for name, each, one in zip(names, sets, found, strict=False)
    )
    unit = specs[key].context.unit
    title = f"{device}.{point}{f' ({unit})' if unit else ''}  {key[1]}"
    return plot.Picture(title, curve, marks, job.zone)


def limits(specs: list[AlarmSpec], key: AlarmKey) -> tuple[float, ...]:
    """Return the limits of a rule that can be drawn beside its point."""
    rule = next((spec.rule for spec in specs if spec.key == key), None)
    stages = () if rule is None or len(rule.inputs()) > 1 else rule.stages()
    return tuple(stage.limit for stage in stages if stage.limit is not None)


def write_picture(path: Path, picture: plot.Picture) -> None:
    """Write the picture as SVG, whatever ending was asked for. Raises Failure."""
    if path.suffix.lower() != ".svg":
        path = path.with_suffix(".svg")
        text = f"只会写 SVG：{path}", f"only SVG can be drawn here: {path}"
        print(say(*text), file=sys.stderr)
    try:
        path.write_text(plot.svg(picture), encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
