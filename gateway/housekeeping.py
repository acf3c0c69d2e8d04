"""What is done now and then, by the calendar: reminders that a calibration is due. Never polling.

APScheduler goes by the wall clock, which a board without a battery sets by leaps; so nothing that
safety hangs on is scheduled here (retention of the journal is the store's own business).
"""

from __future__ import annotations

import asyncio
import logging
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from gateway.config import Site
    from gateway.report import Report

log = logging.getLogger(__name__)

CALIBRATE = {
    "gas": 365
}  # days: verification of gas detectors is yearly (JJG 693, from memory: a reminder only)
EVERY = 3600 * 6
AFTER = 5.0  # seconds after the start


async def housekeeping(site: Site, report: Report) -> None:
    """Run the calendar until cancelled. The first readings need not wait for it to be loaded."""
    await asyncio.sleep(AFTER)
    scheduler = (await asyncio.to_thread(_calendar))(timezone=site.timezone)
    scheduler.add_job(
        lambda: remind(site, report),
        "interval",
        seconds=EVERY,
        next_run_time=datetime.now(site.timezone),
        coalesce=True,
        misfire_grace_time=None,
    )
    scheduler.start()
    try:
        await asyncio.Event().wait()
    finally:
        scheduler.shutdown(wait=False)


def _calendar() -> type[AsyncIOScheduler]:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler  # noqa: PLC0415  a tenth of a second, in a thread

    return AsyncIOScheduler  # type: ignore[no-any-return]  # apscheduler leaves it untyped


def remind(site: Site, report: Report) -> None:
    """Note which devices are due for calibration today."""
    due = dict(calibration_due(site, datetime.now(site.timezone).date()))
    if due.keys() - report.calibration_due.keys():
        log.warning("calibration due devices=%s", ",".join(due))
    report.calibration_due = due


def calibration_due(site: Site, today: date) -> Iterator[tuple[str, int]]:
    """Yield the devices whose calibration is overdue, and by how many days."""
    for device in site.devices.values():
        period = CALIBRATE.get(device.profile.kind)
        if period is not None and device.calibrated is not None:
            overdue = (today - device.calibrated).days - period
            if overdue >= 0:
                yield device.name, overdue
