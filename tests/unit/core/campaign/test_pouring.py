"""When the rest of a campaign goes out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.core.campaign.campaign import Campaign, Release, ReleaseMode
from app.core.campaign.pouring import MOST_PARTS, pouring

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
START = NOW + timedelta(days=1)
SALE = Campaign("spring", "Spring", "default", 1000, "Kim", NOW, earliest_start=START)
WAVES = replace(SALE, release=Release(ReleaseMode.WAVES, 300, 900.0))


def test_without_waves_all_goes_at_the_start_or_now_where_that_is_over():
    assert pouring(SALE, 800, NOW) == ((START, 800.0),)
    assert pouring(SALE, 800, START + timedelta(hours=1)) == ((START + timedelta(hours=1), 800.0),)
    assert pouring(SALE, 0, NOW) == ()


def test_waves_go_one_after_another_and_the_last_has_the_rest():
    poured = pouring(WAVES, 1000, NOW)
    assert [(at - START).total_seconds() for at, _ in poured] == [0, 900, 1800, 2700]
    assert [size for _, size in poured] == [300, 300, 300, 100]


def test_nothing_goes_from_the_deadline_on():
    late = replace(WAVES, give_up_at=START + timedelta(minutes=20))
    assert [size for _, size in pouring(late, 1000, NOW)] == [300, 300]


def test_very_many_waves_count_as_fewer_larger_ones_and_none_lies_beyond_a_year():
    many = replace(WAVES, audience=1_000_000, release=Release(ReleaseMode.WAVES, 1, 60.0))
    poured = pouring(many, 500_000, NOW)
    assert len(poured) == MOST_PARTS
    assert sum(size for _, size in poured) == 500_000
    slow = replace(many, release=Release(ReleaseMode.WAVES, 1, 86_400.0 * 30))
    assert max(at for at, _ in pouring(slow, 500_000, NOW)) <= START + timedelta(days=366)
