"""A campaign's form: what is typed becomes a document, each fault stands at its field, what was not touched stays."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.campaign.campaign import Campaign, Release, ReleaseMode, TrafficClass
from app.core.campaign.handover import Handover, ToolCampaign
from app.core.campaign.request import parse_plan, plan_document
from app.core.problem import Problem
from app.web.campaigns.form import Read, changed_fields, changes_of, faults_of, read_plan, typed_of

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAIN = {"title": "Spring sale", "audience": "25,000"}
WHOLE = Campaign(
    "spring",
    "Spring sale",
    "default",
    500_000,
    "Kim",
    NOW,
    kind="offer",
    contacts_per_1000=2.5,
    earliest_start=NOW + timedelta(days=1),
    give_up_at=NOW + timedelta(days=2),
    release=Release(ReleaseMode.WAVES, 20_000, 900.0),
    queue_mix=(("billing", 0.3), ("orders-voice", 0.7)),
    holdout_ratio=0.05,
    sender=Handover("keila", (ToolCampaign("nmc_1", 2_500), ToolCampaign("nmc_2", 25_000))),
)


def read(**typed: str) -> Read:
    return read_plan(PLAIN | typed, CHICAGO, owner="Kim", now=NOW)


def faults(**typed: str) -> dict[str, str]:
    return read(**typed).faults


# --- what is typed ----------------------------------------------------------------------------------------------------


def test_the_least_that_makes_a_campaign_is_a_title_and_an_audience():
    found = read()
    assert found.faults == {}
    plan = parse_plan(found.document, owner="Kim", now=NOW)
    assert (plan.id, plan.audience, plan.release.mode, plan.owner) == ("spring-sale", 25_000, "manual", "Kim")


def test_every_field_is_read_as_people_write_it():
    found = read(
        id="spring",
        kind=" offer ",
        contacts="2,5",
        start="2026-11-23T09:00",
        mode="waves",
        wave="5 000",
        gap="7.5",
        mix="orders-voice 70\r\nbilling: 30 %",
        holdout="10 %",
        sender="keila",
        tool="nmc_1 2,500\r\n nmc_2   500 ",
    )
    assert found.faults == {}
    plan = parse_plan(found.document, owner="Kim", now=NOW)
    assert plan.earliest_start == datetime(2026, 11, 23, 15, tzinfo=UTC)
    assert plan.release == Release(ReleaseMode.WAVES, 5_000, 450.0)
    assert (plan.kind, plan.contacts_per_1000, plan.holdout_ratio) == ("offer", 2.5, 0.1)
    assert plan.sender == Handover("keila", (ToolCampaign("nmc_1", 2_500), ToolCampaign("nmc_2", 500)))
    assert dict(plan.queue_mix) == {"orders-voice": pytest.approx(0.7), "billing": pytest.approx(0.3)}


def test_what_is_typed_of_waves_means_nothing_for_another_release():
    assert read(mode="when-ready", wave="many", gap="-3").document["release"] == {"mode": "when-ready"}


def test_one_campaign_of_a_tool_needs_no_size_and_none_without_a_tool():
    assert read(sender="listmonk", tool="12").document["sender"] == {"name": "listmonk", "campaigns": ["12"]}
    assert read(tool="12").document["sender"] is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"tool": ""}, "Name the tool's own campaign"),
        ({"tool": "12 many"}, "Write a whole number of recipients"),
        ({"tool": "../12"}, "cannot be the id of a tool's campaign"),
        ({"tool": "a 5\nb"}, "Of several campaigns each needs its size"),
    ],
)
def test_what_is_wrong_with_a_tools_campaigns_is_said_there(typed, said):
    found = faults(sender="keila", **typed)
    assert list(found) == ["tool"]
    assert said in found["tool"]


def test_a_tool_that_asks_for_itself_is_refused_where_it_is_chosen():
    assert list(faults(sender="keila", tool="12", mode="by-tool")) == ["sender"]


# --- faults -----------------------------------------------------------------------------------------------------------


def test_each_fault_is_said_once_at_its_field_in_the_order_of_the_form():
    found = faults(title=" ", audience="lots", contacts="few", mode="waves", gap="x", mix="orders-voice", holdout="90")
    assert list(found) == ["title", "audience", "contacts", "wave", "gap", "mix", "holdout"]
    assert found["audience"] == "Write a whole number of recipients, such as 25,000."
    assert found["contacts"] == "“few” is no number of at least 0; write it as 6 or 2.5."
    assert found["wave"] == "A release in waves needs audience_per_wave."
    assert "is no queue with a percentage" in found["mix"]


def test_what_the_plan_as_a_whole_cannot_be_is_said_too():
    late = faults(start="2026-11-23T09:00", give_up="2026-11-22T09:00")
    assert list(late) == ["give_up"]
    assert "must be after earliest_start" in late["give_up"]
    assert "bigger than the audience" in faults(mode="waves", wave="50,000", gap="5")["wave"]
    assert "add up to 0.9" in faults(mix="a 60\nb 30")["mix"]
    assert "is there twice" in faults(mix="a 60\na 40")["mix"]


def test_a_time_that_comes_twice_is_asked_back_about():
    found = read(start="2026-11-01T01:30", give_up="2026-12-01T09:00")
    assert list(found.faults) == ["start"]
    assert found.twice == {"start": (("first", "the first, CDT"), ("second", "the second, CST"))}
    assert read(start="2026-11-01T01:30", start_which="second").document["earliest_start"] == "2026-11-01T07:30:00Z"


def test_a_fault_of_no_field_is_not_lost():
    problems = [Problem("/queue_mix/a", "wrong."), Problem("/elsewhere", "odd"), Problem("/queue_mix", "later")]
    assert faults_of(problems) == {"mix": "Wrong.", "": "Odd."}


# --- changes ----------------------------------------------------------------------------------------------------------


def test_a_form_that_nobody_touched_changes_nothing():
    typed = typed_of(plan_document(WHOLE), CHICAGO)
    assert changed_fields(typed, typed) == frozenset()
    found = read_plan(typed, CHICAGO, owner="Kim", now=NOW)
    assert found.faults == {}
    assert parse_plan(found.document, owner="Kim", now=NOW) == parse_plan(plan_document(WHOLE), owner="Kim", now=NOW)


def test_only_what_was_typed_over_is_changed():
    before = typed_of(plan_document(WHOLE), CHICAGO)
    typed = before | {"audience": "400,000", "give_up": "", "gap": "20"}
    fields = changed_fields(typed, before)
    assert fields == {"audience", "give_up", "gap"}
    document = read_plan(typed, CHICAGO, owner="Kim", now=NOW).document
    assert changes_of(document, fields) == {
        "audience": 400_000,
        "give_up_at": None,
        "release": {"mode": "waves", "audience_per_wave": 20_000, "wave_gap_seconds": 1200.0},
    }


def test_the_other_hour_of_the_same_time_is_a_change():
    first = {"start": "2026-11-01T01:30", "start_which": "first"}
    assert changed_fields(first | {"start_which": "second"}, first) == {"start"}


@given(
    st.integers(1, 10**9),
    st.none() | st.floats(0, 10_000),
    st.none() | st.integers(60, 1_000_000),
    st.sampled_from(TrafficClass),
    st.floats(0, 0.5),
)
def test_any_campaign_survives_its_form_to_the_minute(audience, contacts, start, traffic_class, holdout):
    start = start and NOW + timedelta(minutes=start)
    campaign = Campaign(
        *("any", "Any", "default", audience, "Kim", NOW),
        contacts_per_1000=contacts,
        earliest_start=start,
        traffic_class=traffic_class,
        holdout_ratio=holdout,
    )
    found = read_plan(typed_of(plan_document(campaign), CHICAGO), CHICAGO, owner="Kim", now=NOW)
    assert found.faults == {}
    plan = parse_plan(found.document, owner="Kim", now=NOW)
    assert (plan.audience, plan.earliest_start, plan.traffic_class) == (audience, start, traffic_class)
    assert plan.contacts_per_1000 == (None if contacts is None else pytest.approx(contacts, rel=1e-8, abs=1e-12))
    assert plan.holdout_ratio == pytest.approx(holdout, rel=1e-8, abs=1e-12)
