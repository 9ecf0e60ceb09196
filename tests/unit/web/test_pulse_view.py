"""The pulse says a gate's verdict in a word, what decides it, and who overrides it now."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core.gate.override import Effect, Matcher, Override
from app.services.published import GateState
from app.web.now.boards import present
from app.web.pulse.pulses import Pulses, pulse_of
from app.web.pulse.view import pulse
from app.web.rendering import environment
from tests.support.api import Api, an_api
from tests.support.builders import an_observation

LIMIT = {"queues": ["*"], "time_zone": "America/Chicago", "rules": [{"metric": "backlog", "hold_above": 10}]}


@pytest.fixture
async def api() -> Api:
    made = await an_api()
    await made.services.gates.create("default")
    await made.services.gates.save("default", LIMIT, author="test", reason="", expected=0)
    await made.services.ingest.observations([an_observation(observed_at=made.clock.now(), backlog=14)])
    await made.evaluate()
    return made


def holding(api: Api) -> GateState:
    _, state = present(api.services, None)
    assert state is not None
    return state


def an_override(api: Api, **changes: Any) -> Override:
    now = api.clock.now()
    made = Override("ovr_1", "default", Effect.HOLD, now, now + timedelta(minutes=40), "Ann", "storm", now)
    return replace(made, **changes)


async def test_it_names_the_deciding_queue_and_gives_the_whole_sentence_to_be_heard(api: Api):
    shown = pulse_of(api.services, holding(api), api.services.evaluator.published)
    assert (shown.state, shown.word, shown.about) == ("hold", "HOLD", "orders-voice")
    assert shown.announcement.startswith("HOLD: orders-voice: 14 waiting")
    assert shown.zone == "America/Chicago"
    assert shown.overriding == ()


async def test_a_queue_is_called_by_its_title_and_behind_its_gate_where_there_are_several(api: Api):
    await api.services.gates.create("emea")
    await api.evaluate()
    published = api.services.evaluator.published
    shown = pulse(published, holding(api), api.clock.now(), {"orders-voice": "Orders"})
    assert shown.about == "default: Orders"
    assert pulse(published, published.gates["emea"], api.clock.now(), {}).about == "emea"


async def test_overrides_are_shown_while_they_apply_the_next_to_end_first(api: Api):
    now, published = api.clock.now(), api.services.evaluator.published
    allow = an_override(
        api, id="ovr_2", effect=Effect.ALLOW, ends_at=now + timedelta(minutes=5), matchers=(Matcher("campaign", "x"),)
    )
    over = an_override(api, id="ovr_3", ends_at=now)
    pending = an_override(api, id="ovr_4", starts_at=now + timedelta(minutes=1))
    state = holding(api)._replace(overrides=(an_override(api), allow, over, pending))
    shown = pulse(published, state, now, {}).overriding
    assert [(each.id, each.effect, each.narrowed) for each in shown] == [
        ("ovr_2", "send", True),
        ("ovr_1", "hold", False),
    ]
    assert shown[1].left == "40\u202fmin left"


async def test_an_override_ends_at_the_minute_that_the_verdict_names_and_its_day_where_that_is_another(api: Api):
    now, published = api.clock.now(), api.services.evaluator.published
    soon = an_override(api, ends_at=now + timedelta(minutes=40, seconds=1))
    later = an_override(api, id="ovr_2", ends_at=now + timedelta(days=1))
    shown = pulse(published, holding(api)._replace(overrides=(soon, later)), now, {}).overriding
    assert [(each.until.text, each.form) for each in shown] == [("09:41", "minute"), ("Sun 22 Nov 09:00", "moment")]
    assert shown[0].ends_at == (now + timedelta(minutes=40, seconds=1)).isoformat().replace("+00:00", "Z")


async def test_its_html_keeps_what_people_wrote_as_text(api: Api):
    state = holding(api)._replace(overrides=(an_override(api, comment="<script>alert(1)</script>"),))
    frame = await Pulses(environment()).live_view(api.services, state, api.services.evaluator.published)
    assert frame["state"] == "hold"
    assert "&lt;script&gt;alert(1)" in frame["pulse"]
    assert "<script>" not in frame["pulse"]
