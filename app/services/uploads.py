"""Schedules out of uploaded files: for one queue, or for all queues that a file names."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from app.core.problem import Problem
from app.core.staffing.columns import Role
from app.core.staffing.moments import DateOrder
from app.core.staffing.refused import StaffingRefused
from app.core.staffing.upload import Reading, Understood, Upload, of_queue, read_schedule
from app.errors import Invalid
from app.ports.staffing import ALL_QUEUES
from app.services.schedules import NewSchedule, Schedules

REFUSED = "the schedule was refused; nothing was changed"


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What a user says of a file. columns: headings by role; queue_value: what the file calls the queue.

    time_zone None: the queue's own. gaps_closed: nobody is there where a day's lines leave a gap.
    """

    columns: Mapping[Role, str] = field(default_factory=dict)
    time_zone: str | None = None
    order: DateOrder | None = None
    decimal: str | None = None
    interval_minutes: int | None = None
    gaps_closed: bool = False
    queue_value: str | None = None


async def read_for_queue(
    schedules: Schedules, queue: str, content: bytes, options: FileOptions
) -> tuple[NewSchedule, Understood]:
    """Return one queue's schedule from a CSV file, and how it was read. Raises Invalid with a problem per bad line."""
    time_zone = options.time_zone or await schedules.time_zone(queue)
    upload = await _read(content, replace(options, time_zone=time_zone))
    try:
        placed = of_queue(upload, queue, options.queue_value)
    except StaffingRefused as refused:
        raise Invalid(REFUSED, refused.problems) from refused
    return NewSchedule(queue, placed, time_zone, options.gaps_closed), upload.understood


async def read_for_all(
    schedules: Schedules, content: bytes, options: FileOptions
) -> tuple[list[NewSchedule], Understood]:
    """Return the schedules of all queues that a CSV file names in a column, and how it was read. Raises Invalid."""
    time_zone = options.time_zone or await schedules.time_zone(ALL_QUEUES)
    upload = await _read(content, replace(options, time_zone=time_zone))
    if None in upload.queues:
        said = "no column names the queue; say which does with queue_column=, or upload to one queue"
        raise Invalid(REFUSED, [Problem("", said)])
    found = ((queue, placed) for queue, placed in upload.queues.items() if queue is not None)
    return [NewSchedule(queue, placed, time_zone, options.gaps_closed) for queue, placed in found], upload.understood


async def _read(content: bytes, options: FileOptions) -> Upload:
    reading = Reading(options.columns, options.time_zone, options.order, options.decimal, options.interval_minutes)
    try:
        return await asyncio.to_thread(read_schedule, content, reading)
    except StaffingRefused as refused:
        raise Invalid(REFUSED, refused.problems) from refused
