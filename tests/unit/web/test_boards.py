"""Boards over real services in memory: what is drawn reaches from history to this moment."""

from datetime import timedelta

import pytest

from app.web.now.boards import Boards, present
from app.web.now.sparkline import WIDTH
from app.web.now.views import Board
from app.web.rendering import environment
from tests.support.api import Api, an_api
from tests.support.builders import an_observation


@pytest.fixture
async def api() -> Api:
    made = await an_api()
    await made.services.gates.create("default")
    rules = [{"metric": "backlog", "hold_above": 10, "resume_below": 5}]
    document = {"queues": ["*"], "time_zone": "Europe/Berlin", "rules": rules}
    await made.services.gates.save("default", document, author="test", reason="", expected=0)
    return made


async def report(api: Api, backlog: int, *, written: bool = True) -> None:
    """Report every ten seconds of a minute; unless `written`, history knows nothing of it."""
    services = api.services
    for _ in range(6):
        api.clock.move(10)
        observation = an_observation(observed_at=api.clock.now(), backlog=backlog)
        await services.ingest.observations([observation])
        services.evaluator.apply(await api.stream.read(services.evaluator.position))
        services.evaluator.tick(api.clock.now())
    if written:
        await services.evaluator.flush()


async def look(api: Api, boards: Boards) -> Board:
    published, state = present(api.services, None)
    assert state is not None
    return await boards.of(api.services, state, published)


async def test_the_line_ends_with_the_value_the_tile_shows(api: Api):
    boards = Boards(environment())
    for backlog in (2, 4, 9):
        await report(api, backlog)
    tile = (await look(api, boards)).tiles[0]
    assert tile.backlog.value == "9"
    assert tile.trend is not None
    assert tile.trend.last_x == WIDTH
    assert tile.trend.high == 9


async def test_what_history_has_not_written_yet_is_drawn_from_what_was_seen(api: Api):
    boards = Boards(environment())
    await report(api, 2)
    await look(api, boards)
    for backlog in (3, 8, 3):
        await report(api, backlog, written=False)
        await look(api, boards)
    trend = (await look(api, boards)).tiles[0].trend
    assert trend is not None
    assert trend.high == 8
    assert trend.line.count("M") == 1


async def test_a_board_is_html_of_its_own_and_escapes_what_came_from_outside(api: Api):
    boards = Boards(environment())
    await report(api, 1)
    source = '"><script>alert(1)</script>'
    at = api.clock.now() + timedelta(seconds=1)
    api.services.evaluator.floor.apply(an_observation(observed_at=at, source=source, backlog=3))
    await api.evaluate(2)
    html = boards.render(await look(api, boards))
    assert html.lstrip().startswith('<div class="board"')
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<html" not in html


async def test_a_board_leads_to_the_staffing_of_each_queue(api: Api):
    boards = Boards(environment())
    api.services.evaluator.floor.apply(an_observation("orders & more/voice", api.clock.now(), backlog=1))
    await api.evaluate(2)
    assert 'href="/queues/orders%20%26%20more/voice/staffing"' in boards.render(await look(api, boards))


async def test_a_gate_that_is_not_there_has_no_board(api: Api):
    assert present(api.services, "nowhere")[1] is None
