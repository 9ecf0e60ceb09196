"""What Five9's ACD status means. Pure: any table of texts in, observations out, or TranslateError.

Durations are milliseconds. "Current Longest Queue Time" is now; "Longest Queue Time" is the most of the whole session,
so it is neither asked for nor read.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from app.core.floor.observation import Observation
from app.services.trials import Rejected
from workers.sources.figures import count, number
from workers.sources.five9.soap import Statistics
from workers.sources.lot import Lot
from workers.systems.faults import TranslateError

KIND = "ACDStatus"
SKILL, WAITING, OLDEST = "Skill Name", "Calls In Queue", "Current Longest Queue Time"
LOGGED_IN, READY, ON_CALL = "Agents Logged In", "Agents Ready For Calls", "Agents On Call"
COLUMNS = (SKILL, WAITING, OLDEST, LOGGED_IN, READY, ON_CALL)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def translate(found: Statistics, queues: Mapping[str, str], source: str, asked_at: datetime) -> Lot:
    """Return what is now of the skills that have a name in queues (ours by the skill's). Raises TranslateError."""
    if SKILL not in found.columns or WAITING not in found.columns or len(set(found.columns)) != len(found.columns):
        raise TranslateError(f"the answer has no columns {SKILL} and {WAITING}, or one of them twice")
    at = _instant(found.timestamp) or asked_at
    seen: dict[str, Observation] = {}
    spoiled: set[str] = set()
    rejected = []
    for row, values in enumerate(found.rows, start=1):
        said = dict(zip(found.columns, values, strict=False))
        queue = queues.get(said.get(SKILL, ""))
        if queue is None:
            continue
        try:
            if len(values) != len(found.columns):
                raise TranslateError("the row has not as many values as there are columns")  # noqa: TRY301 - noted below
            if queue in seen:
                raise TranslateError("the skill has another row, and either may be the right one")  # noqa: TRY301 - same
            seen[queue] = _observation(said, Observation(queue, at, source, channel="voice"))
        except TranslateError as fault:
            spoiled.add(queue)
            rejected.append(Rejected(row, "", str(fault)))
    return Lot([each for queue, each in seen.items() if queue not in spoiled], rejected)


def _observation(said: Mapping[str, str], empty: Observation) -> Observation:
    waiting, oldest = count(said, WAITING), number(said, OLDEST)
    logged_in, ready, on_call = (count(said, column) for column in (LOGGED_IN, READY, ON_CALL))
    if waiting is None and ready is None and logged_in is None:
        raise TranslateError("the row says nothing of calls and agents")
    known = logged_in is not None and ready is not None and on_call is not None
    return empty._replace(
        backlog=waiting,
        oldest_wait_seconds=0.0 if waiting == 0 else None if oldest is None else oldest / 1000,
        agents_staffed=min(logged_in or 0, (ready or 0) + (on_call or 0)) if known else None,
        agents_available=ready,
        agents_busy=on_call,
    )


def _instant(text: str) -> datetime | None:
    """Return the instant of a timestamp in milliseconds since 1970; None where there is none."""
    if not text:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=int(text[:20]))
    except (ValueError, OverflowError):
        raise TranslateError("the answer's timestamp is no instant") from None
