"""A holdfire with campaigns planned for a week, a schedule, and enough history to tell the work of its hours.

Contacts are foreseen for seven days. On a Monday or Tuesday the week is the one that has begun, and the day on which
much is planned is tomorrow; later it is the next week and its Tuesday.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import httpx2

from tests.browser.floor import ZONE, use_policy
from tests.browser.quiet_floor import observed, report
from tests.support.campaigning import BRIEFING
from tests.support.pictures import an_image
from tests.support.shell import wait_until

CENTER = ZoneInfo(ZONE)
QUEUE = "orders-voice"
PAST_MINUTES = 120
DAYS = 14
EARLY_IN_THE_WEEK = 2  # Monday and Tuesday
BY_DAY, BY_NIGHT = 7, 6
HALF = timedelta(minutes=30)
SPRING_API = "/api/v1/campaigns/spring"


class Week(NamedTuple):
    """The midnight, in the center, that begins it, and the day on which much is planned; Monday is day 0."""

    monday: datetime
    busy: int


@cache
def week() -> Week:
    """Return the week that is planned: the same one even if another begins meanwhile."""
    now = datetime.now(CENTER)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    weeks, busy = (0, now.weekday() + 1) if now.weekday() < EARLY_IN_THE_WEEK else (1, 1)
    return Week(midnight + timedelta(days=7 * weeks - now.weekday()), busy)


def its_monday() -> str:
    """Return the week's first day, as the calendar's address has it."""
    return f"{week().monday:%Y-%m-%d}"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant of that week, by the center's clock; Monday is day 0."""
    return (week().monday + timedelta(days=day)).replace(hour=hour, minute=minute)


def busy(hour: int, minute: int = 0) -> datetime:
    """Return an instant of the day on which much is planned."""
    return at(week().busy, hour, minute)


def a_plan(client: httpx2.Client, campaign_id: str, title: str, start: datetime, **members: Any) -> None:
    """Draft a campaign to 50,000 people."""
    plan = {"id": campaign_id, "title": title, "audience": 50_000, "contacts_per_1000": 6.0}
    document = plan | {"earliest_start": start.isoformat()} | members
    client.post("/api/v1/campaigns", json=document).raise_for_status()


def announce(client: httpx2.Client, campaign_id: str) -> None:
    client.post(f"/api/v1/campaigns/{campaign_id}/schedule").raise_for_status()


def plan_a_week(client: httpx2.Client) -> None:
    """Report two hours of a quiet team, schedule it, and plan six campaigns, of which two overlap."""
    now = datetime.now(UTC)
    report(client, *(observed(now - timedelta(minutes=minute)) for minute in range(PAST_MINUTES)))
    wait_until(lambda: minutes_kept(client) >= PAST_MINUTES - 1, "the history that is written some seconds behind")
    use_policy(client, notice_minutes=240, briefing="required")
    named = client.put(f"/api/v1/queues/{QUEUE}", json={"title": "Orders"}, headers={"If-Match": "*"})
    named.raise_for_status()
    schedule(client)
    waves = {"mode": "waves", "audience_per_wave": 5000, "wave_gap_seconds": 1800}
    a_plan(client, "spring", "Spring sale", busy(9, 30), release=waves, audience=100_000)
    a_plan(client, "renewal", "Policy renewal letters", busy(10, 30), audience=8000)
    a_plan(client, "autumn", "Autumn preview", at(3, 13))
    a_plan(client, "wrong", "Wrong price", at(2, 9))
    for campaign_id in ("spring", "renewal", "wrong"):
        announce(client, campaign_id)
    client.post("/api/v1/campaigns/wrong/cancel").raise_for_status()
    client.put(f"{SPRING_API}/briefing", json=BRIEFING).raise_for_status()
    picture = {"name": "letter.png", "alt": "The letter: a green button"}
    headers = {"Content-Type": "image/png"}
    content = an_image(size=(600, 800))
    client.post(f"{SPRING_API}/briefing/images", params=picture, content=content, headers=headers).raise_for_status()
    someday = {"id": "someday", "title": "Someday sale", "audience": 1000}
    client.post("/api/v1/campaigns", json=someday).raise_for_status()


def minutes_kept(client: httpx2.Client) -> int:
    """Return how many minutes of the queue the history has."""
    since = datetime.now(UTC) - timedelta(hours=3)
    asked: dict[str, str | int] = {"queue": QUEUE, "metric": "backlog", "from": since.isoformat(), "points": 200}
    return len(client.get("/api/v1/history", params=asked).raise_for_status().json()["points"])


def schedule(client: httpx2.Client) -> None:
    """Schedule more agents by day than by night, from today on, until the end of next week at least."""
    today = datetime.now(CENTER).replace(hour=0, minute=0, second=0, microsecond=0)
    begins, ends = today.astimezone(UTC), (today + timedelta(days=DAYS)).astimezone(UTC)
    halves = [(begins + HALF * number).astimezone(CENTER) for number in range((ends - begins) // HALF)]
    lines = [f"{half:%Y-%m-%d,%H:%M},{BY_DAY if 8 <= half.hour < 20 else BY_NIGHT}" for half in halves]
    url = f"/api/v1/queues/{QUEUE}/staffing?time_zone={ZONE}"
    client.put(
        url, content="\n".join(["Date,Time,Agents", *lines]), headers={"Content-Type": "text/csv"}
    ).raise_for_status()
