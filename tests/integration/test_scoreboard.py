"""The scoreboard over a whole holdfire: what is on it, what it comes to, by how few questions to the database."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event

from app.core.campaign.value import Source
from app.core.campaign.value_file import FileReading
from app.core.debrief.score import Score
from app.core.event import HOLDFIRE
from app.services.debriefs import kept_of
from tests.support.builders import NOW, after
from tests.support.campaigning import KIM, announce, draft
from tests.support.debriefing import FIRST, a_past, a_sent_campaign, a_window, brought
from tests.support.whole import a_whole

HOUR = 3600.0
START, UNTIL = NOW - timedelta(days=90), NOW + timedelta(days=1)
SCORE = Score(
    "c0", "Campaign", "default", "offer", NOW, is_final=True, messages=1_000, contacts=10.0, per_1000=10.0,
    per_1000_low=8.0, per_1000_high=12.0, is_distinguishable=True, reasons=(("complaint", 2), ("refund", 3)),
)  # fmt: skip


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as opened:
        yield opened


async def slammed(whole) -> None:
    """Fill the queue a moment later than it was last heard of."""
    whole.clock.move(5)
    await whole.slam()


async def board(whole, gate=None):
    return await whole.services.scoreboards.board(START, UNTIL, gate)


async def keep(whole, *scores: Score) -> None:
    await whole.store.scores.put_scores([kept_of(each) for each in scores])


async def test_it_is_empty_before_anything_was_sent(whole):
    await draft(whole)
    found = await board(whole)
    assert (found.lines, found.totals.campaigns) == ([], 0)


async def test_a_campaign_that_is_sent_is_on_it_and_its_final_debrief_takes_the_place_of_its_first(tmp_path):
    async with a_whole(tmp_path, now=FIRST) as whole:
        await a_past(whole, FIRST)
        await a_sent_campaign(whole, kind="offer")
        await a_window(whole, FIRST, 48, 60 + brought(12.0, 48))
        await whole.evaluate(4 * HOUR)
        await whole.services.debriefs.look()
        (running,) = (await board(whole)).lines
        assert (running.score.is_final, running.score.messages, running.score.kind) == (False, 50_000, "offer")
        assert running.score.delay_seconds == 0
        assert running.score.per_1000 is not None
        await whole.evaluate(92 * HOUR)
        await whole.services.debriefs.look()
        (final,) = (await board(whole)).lines
        assert final.score.is_final
        document = await whole.services.debriefs.of("spring")
        assert final.score.per_1000 == document["contacts"]["headline"]["per_1000"]
        assert final.score.avoided_minutes == document["slam"]["avoided_minutes"]


async def test_debriefs_of_before_there_was_a_scoreboard_get_their_lines(tmp_path):
    async with a_whole(tmp_path, now=FIRST) as whole:
        await a_past(whole, FIRST)
        await a_sent_campaign(whole)
        await a_window(whole, FIRST, 48, 60 + brought(12.0, 48))
        await whole.evaluate(96 * HOUR)
        await whole.services.debriefs.look()
        forget = "DELETE FROM campaign_scores"
        await whole.store.database.write(lambda connection: connection.exec_driver_sql(forget))
        assert (await board(whole)).lines == []
        await whole.services.debriefs.look()
        assert [each.score.campaign for each in (await board(whole)).lines] == ["spring"]


async def test_what_waits_for_its_gate_is_on_it_since_its_time_came(whole):
    await slammed(whole)
    await announce(whole)
    await whole.services.releases.advance()
    (waiting,) = (await board(whole)).lines
    assert (waiting.is_waiting, waiting.score.messages, waiting.score.began_at) == (True, 0, whole.clock.now())
    assert (await board(whole)).totals.waiting == 1


async def test_what_somebody_has_to_start_does_not_wait_for_its_gate(whole):
    await announce(whole, release={"mode": "manual"})
    await whole.services.releases.advance()
    assert (await board(whole)).lines == []


async def test_what_its_tool_asked_for_waits_since_it_asked(whole):
    await announce(whole, release={"mode": "by-tool"})
    await whole.services.releases.advance()
    assert (await board(whole)).lines == []
    await slammed(whole)
    asked_at = whole.clock.now()
    async with whole.client("readiness") as tool:
        answer = await tool.get("/api/v1/readiness", params={"gate": "default", "campaign": "spring", "audience": 5})
    assert answer.status_code == 429
    await whole.services.asks.write()
    (waiting,) = (await board(whole)).lines
    assert (waiting.is_waiting, waiting.score.wanted_at) == (True, asked_at)


async def test_what_was_given_up_before_its_gate_let_it_never_went(whole):
    await slammed(whole)
    deadline = (whole.clock.now() + timedelta(minutes=5)).isoformat()
    await announce(whole, give_up_at=deadline)
    await whole.services.releases.advance()
    whole.clock.move(600)
    await whole.services.releases.advance()
    (never,) = (await board(whole)).lines
    assert (never.never_went, never.is_waiting) == (True, False)
    assert (await board(whole)).totals.delays.never == 1


async def test_it_has_the_campaigns_of_its_span_and_gate_alone(whole):
    await keep(
        whole,
        replace(SCORE, campaign="early", began_at=START - timedelta(seconds=1)),
        replace(SCORE, campaign="first", began_at=START),
        replace(SCORE, campaign="other", gate="emea", began_at=NOW),
        replace(SCORE, campaign="late", began_at=UNTIL),
    )
    assert [each.score.campaign for each in (await board(whole)).lines] == ["first", "other"]
    assert [each.score.campaign for each in (await board(whole, "emea")).lines] == ["other"]


async def test_value_figures_stand_beside_the_campaign_they_were_reported_of(whole):
    await draft(whole, "c0")
    await keep(whole, SCORE)
    worth = {"new": 10, "lost": 4, "kept": 1, "value_per_customer": 2, "currency": "EUR"}
    await whole.services.values.save("c0", worth, KIM, Source.FORM, expected=0)
    found = await board(whole)
    assert found.totals.net.by_currency == {"EUR": (Decimal(14), 1)}
    await whole.services.values.save("c0", {}, KIM, Source.FORM, expected=1)
    assert (await board(whole)).lines[0].figures is None


async def test_complaints_are_what_the_setting_says(whole):
    await keep(whole, SCORE)
    assert (await board(whole)).lines[0].complaints == 2


async def test_two_hundred_campaigns_are_read_with_as_few_statements_as_one(whole):
    statements = []
    engine = whole.store.database._read_engine

    def note(_connection, _cursor, statement, *_):
        statements.append(statement)

    async def counted() -> int:
        statements.clear()
        event.listen(engine, "before_cursor_execute", note)
        await board(whole)
        event.remove(engine, "before_cursor_execute", note)
        return len(statements)

    await keep(whole, SCORE)
    few = await counted()
    for number in range(1, 200):
        await draft(whole, f"c{number}")
        await keep(whole, replace(SCORE, campaign=f"c{number}", began_at=after(-60.0 * number)))
    content = "campaign,new\n" + "".join(f"c{number},{number}\n" for number in range(1, 200))
    await whole.services.values.save_file(content.encode(), FileReading(), HOLDFIRE)
    assert await counted() == few
    found = await board(whole)
    assert (found.totals.campaigns, found.totals.new.total) == (200, sum(range(200)))


async def test_over_http_it_says_the_same_and_null_for_what_is_not_known(whole):
    await keep(whole, SCORE, replace(SCORE, campaign="c1", per_1000=None, began_at=after(-5)))
    async with whole.client("read") as client:
        found = (await client.get("/api/v1/scoreboard")).json()
        narrow = await client.get("/api/v1/scoreboard", params={"from": "2026-11-21T14:59:58Z"})
        refused = await client.get("/api/v1/scoreboard", params={"from": "2027-01-01T00:00:00Z"})
    assert (found["to"], found["totals"]["campaigns"]) == (
        "2026-11-21T15:00:00Z",
        1,
    )  # what began now is not before now
    assert found["items"][0]["per_1000"] is None
    assert found["totals"]["contacts_per_1000"]["per_1000"] is None
    assert narrow.json()["items"] == []
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/to")
    async with whole.client("ingest") as other:
        assert (await other.get("/api/v1/scoreboard")).status_code == 403
