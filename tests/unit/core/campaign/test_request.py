from datetime import UTC, datetime, timedelta

import pytest

from app.core.campaign.campaign import Release, ReleaseMode, TrafficClass
from app.core.campaign.change import drafted
from app.core.campaign.request import PlanRefused, parse_plan, plan_document, slug
from tests.support.builders import NOW, after

LEAST = {"title": "Spring sale", "audience": 500_000}
WAVES = {"mode": "waves", "audience_per_wave": 25_000, "wave_gap_seconds": 900}
WHOLE = LEAST | {
    "id": "spring",
    "gate": "orders",
    "owner": "marketing",
    "kind": "offer",
    "traffic_class": "service",
    "contacts_per_1000": 12.5,
    "earliest_start": "2026-11-22T09:00:00-06:00",
    "give_up_at": "2026-11-23T00:00:00Z",
    "release": WAVES,
    "queue_mix": {"orders-voice": 0.7, "billing": 0.3},
    "holdout_ratio": 0.05,
}


def parse(document):
    return parse_plan(document, owner="key of ann", now=NOW)


def faults(document):
    with pytest.raises(PlanRefused) as refused:
        parse(document)
    return {problem.pointer: problem.detail for problem in refused.value.problems}


def test_a_title_and_an_audience_are_enough():
    plan = parse(LEAST)
    assert (plan.id, plan.gate, plan.owner, plan.traffic_class) == (
        *("spring-sale", "default", "key of ann"),
        TrafficClass.PROMOTIONAL,
    )
    assert plan.release == Release(ReleaseMode.MANUAL)
    assert (plan.earliest_start, plan.give_up_at, plan.contacts_per_1000) == (None, None, None)


def test_everything_is_read_and_times_become_utc():
    plan = parse(WHOLE)
    assert plan.earliest_start == datetime(2026, 11, 22, 15, tzinfo=UTC)
    assert plan.earliest_start.utcoffset() == timedelta(0)
    assert plan.release == Release(ReleaseMode.WAVES, 25_000, 900.0)
    assert (plan.traffic_class, plan.contacts_per_1000, plan.kind) == (TrafficClass.SERVICE, 12.5, "offer")


def test_nobody_is_held_out_and_no_mix_is_known_until_somebody_says():
    plan = parse(LEAST)
    assert (plan.queue_mix, plan.holdout_ratio, plan.recipients) == ((), 0.0, 500_000)
    assert parse(LEAST | {"queue_mix": None, "holdout_ratio": None}) == plan


def test_the_queues_are_kept_in_order_with_shares_that_add_up_to_one():
    assert parse(WHOLE).queue_mix == (("billing", 0.3), ("orders-voice", 0.7))
    thirds = dict(parse(LEAST | {"queue_mix": {"a": 0.333, "b": 0.333, "c": 0.333}}).queue_mix)
    assert thirds == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    assert sum(thirds.values()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    ("mix", "pointer", "detail"),
    [
        ({"orders": 0.7}, "/queue_mix", "add up to 0.7; they must add up to 1"),
        ({}, "/queue_mix", "1 to 50 queues"),
        ({f"q{number}": 1 / 51 for number in range(51)}, "/queue_mix", "1 to 50 queues"),
        ("orders", "/queue_mix", "an object of"),
        ({"orders": 0, "billing": 1}, "/queue_mix/orders", "must be a share: above 0"),
        ({"orders": 1.5}, "/queue_mix/orders", "at most 1"),
        ({"orders": True}, "/queue_mix/orders", "must be a share"),
        ({"orders": float("nan")}, "/queue_mix/orders", "must be a share"),
        ({"": 1}, "/queue_mix/", "there cannot be"),
    ],
)
def test_a_mix_that_says_nothing_sound_is_refused_at_its_place(mix, pointer, detail):
    found = faults(LEAST | {"queue_mix": mix})
    assert list(found) == [pointer]
    assert detail in found[pointer]


@pytest.mark.parametrize("ratio", [-0.01, 0.51, "0.1", True, float("nan")])
def test_a_share_held_out_beyond_a_half_is_refused(ratio):
    assert set(faults(LEAST | {"holdout_ratio": ratio})) == {"/holdout_ratio"}


@pytest.mark.parametrize(("audience", "ratio", "recipients"), [(1, 0.5, 1), (3, 0.5, 2), (1000, 0.05, 950), (9, 0, 9)])
def test_who_is_held_out_is_a_share_rounded_down(audience, ratio, recipients):
    plan = parse(LEAST | {"audience": audience, "holdout_ratio": ratio})
    campaign = drafted(plan, NOW)
    assert plan.recipients == campaign.recipients == campaign.full_wave == recipients
    assert campaign.held_out + campaign.recipients == audience


def test_a_wave_bigger_than_those_who_are_sent_to_is_refused():
    found = faults(LEAST | {"audience": 100, "holdout_ratio": 0.1, "release": WAVES | {"audience_per_wave": 91}})
    assert found["/release/audience_per_wave"].endswith("bigger than the 90 who are sent to: 10 are held out")


def test_a_campaigns_document_makes_the_same_plan_again():
    plan = parse(WHOLE)
    assert parse(plan_document(drafted(plan, NOW))) == plan


@pytest.mark.parametrize(
    ("title", "made"),
    [("Spring sale", "spring-sale"), ("  Über 50% off! ", "uber-50-off"), ("-!-", ""), ("a" * 70, "a" * 63)],
)
def test_an_id_is_made_from_the_title(title, made):
    assert slug(title) == made


@pytest.mark.parametrize("audience", [0, -5, 10**9 + 1, 1.5, True, "500000", float("nan"), [1]])
def test_an_audience_out_of_range_or_not_whole_is_refused(audience):
    assert set(faults(LEAST | {"audience": audience})) == {"/audience"}


def test_the_largest_audience_is_taken():
    assert parse(LEAST | {"audience": 10**9}).audience == 10**9


def test_a_wave_bigger_than_the_audience_is_refused():
    found = faults(LEAST | {"audience": 100, "release": WAVES | {"audience_per_wave": 101}})
    assert found == {"/release/audience_per_wave": "a wave of 101 is bigger than the audience of 100"}


@pytest.mark.parametrize(
    ("start", "deadline"),
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T09:59:59Z"),
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
        (None, "2026-11-21T15:00:00Z"),
        ("2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z"),
    ],
)
def test_a_deadline_before_the_start_or_before_now_is_refused(start, deadline):
    assert set(faults(LEAST | {"earliest_start": start, "give_up_at": deadline})) == {"/give_up_at"}


@pytest.mark.parametrize("member", ["earliest_start", "give_up_at"])
@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("2026-12-24T18:00:00", "has no time zone"),
        ("2026-12-24", "is no RFC 3339 time"),
        ("tomorrow", "is no RFC 3339 time"),
        ("2026-12-24T25:00:00Z", "is no time that exists"),
        ("9999-12-24T18:00:00Z", "outside the years"),
        ("9990-12-31T23:59:59-00:01", "outside the years"),
        ("1970-01-01T00:00:00+23:59", "outside the years"),
        ("0001-01-01T00:00:00+23:59", "outside the years"),
        ("٢٠٢٦-12-24T18:00:00Z", "is no RFC 3339 time"),
        (1_700_000_000, "is no RFC 3339 time"),
    ],
)
def test_a_time_without_a_zone_or_that_is_none_is_refused(member, value, sentence):
    assert sentence in faults(LEAST | {member: value})[f"/{member}"]


@pytest.mark.parametrize("given", ["Spring", "", "-spring", "spring sale", "s" * 64, "früh", 5, "spring\n"])
def test_an_id_that_is_no_name_is_refused(given):
    assert "cannot name a campaign" in faults(LEAST | {"id": given})["/id"]


def test_a_title_that_makes_no_id_asks_for_one():
    assert "choose one" in faults(LEAST | {"title": "日本"})["/id"]


@pytest.mark.parametrize("missing", ["audience_per_wave", "wave_gap_seconds"])
def test_waves_need_their_size_and_their_gap(missing):
    release = {name: value for name, value in WAVES.items() if name != missing}
    assert set(faults(LEAST | {"release": release})) == {f"/release/{missing}"}


@pytest.mark.parametrize("mode", ["manual", "when-ready"])
def test_only_waves_have_a_size_and_a_gap(mode):
    found = faults(LEAST | {"release": WAVES | {"mode": mode}})
    assert set(found) == {"/release/audience_per_wave", "/release/wave_gap_seconds"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": "a\x00b"}, "/title"),
        ({"title": "t" * 201}, "/title"),
        ({"contacts_per_1000": -1}, "/contacts_per_1000"),
        ({"contacts_per_1000": 10_001}, "/contacts_per_1000"),
        ({"traffic_class": "spam"}, "/traffic_class"),
        ({"release": "waves"}, "/release"),
        ({"release": {"mode": "now"}}, "/release/mode"),
        ({"release": WAVES | {"wave_gap_seconds": -1}}, "/release/wave_gap_seconds"),
        ({"release": WAVES | {"every_minutes": 5}}, "/release/every_minutes"),
        ({"audiense": 5}, "/audiense"),
    ],
)
def test_each_fault_has_its_place(changes, pointer):
    assert set(faults(LEAST | changes)) == {pointer}


def test_all_faults_are_told_at_once():
    assert set(faults({"audience": 0, "release": {"mode": "waves"}, "x": 1})) == {
        *("/title", "/audience", "/x"),
        *("/release/audience_per_wave", "/release/wave_gap_seconds"),
    }


def test_null_counts_as_absent():
    assert parse(LEAST | {"give_up_at": None, "release": None, "gate": None}) == parse(LEAST)


def test_a_deadline_ahead_is_taken():
    assert parse(LEAST | {"give_up_at": "2026-11-21T15:00:01Z"}).give_up_at == after(1)
