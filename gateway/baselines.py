"""Baselines taken on the site, with their history. They stand in the journal, beside the audit.

The site file may say a baseline, too. The one that was taken later counts: a captured one holds until
somebody edits the baseline in the file. Pure.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rules.rule import AlarmSpec

KEY = "baselines"  # of the small values
KEPT = 50  # versions of one device; older ones are in the audit


class Baselines:
    """Every version of every captured baseline, newest last."""

    def __init__(self, kept: str | None, filed: Mapping[str, Mapping[str, float]]) -> None:
        """Take what the journal kept, and what the site file says of each device."""
        self._versions: dict[str, list[dict[str, Any]]] = json.loads(kept) if kept else {}
        self._filed = {name: dict(baseline) for name, baseline in filed.items()}

    def of(self, device: str) -> dict[str, float]:
        """Return the baseline that counts."""
        filed, versions = self._filed.get(device, {}), self._versions.get(device, [])
        if not versions or versions[-1]["filed"] != filed:
            return filed
        return {**filed, **versions[-1]["values"]}

    def versions(self, device: str) -> list[dict[str, Any]]:
        """Return the history of a device, newest last."""
        return list(self._versions.get(device, []))

    def take(self, device: str, values: Mapping[str, float], facts: Mapping[str, Any]) -> str:
        """Add a version; return what the journal is to keep."""
        versions = self._versions.setdefault(device, [])
        number = versions[-1]["version"] + 1 if versions else 1
        filed = self._filed.get(device, {})
        versions.append(
            {"version": number, "values": dict(values), "before": self.of(device), "filed": filed, **facts}
        )
        del versions[:-KEPT]
        return json.dumps(self._versions, ensure_ascii=False)

    def void(self, device: str, facts: Mapping[str, Any]) -> str:
        """Note that the sensor is another one now; return what the journal is to keep.

        What was taken of the old one goes on being the baseline: by it its alarms know it (`rules.replace`).
        """
        return self.take(device, self.of(device), {"void": True, "spread": 0.0, **facts})

    def apply(self, specs: Iterable[AlarmSpec]) -> Iterator[AlarmSpec]:
        """Yield the alarms with the baselines that count."""
        for spec in specs:
            baseline = self.of(spec.device)
            if not baseline or baseline == dict(spec.context.baseline):
                yield spec
            else:
                yield replace(spec, context=replace(spec.context, baseline=baseline))
