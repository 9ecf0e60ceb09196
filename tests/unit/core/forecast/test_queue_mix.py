import pytest

from app.core.forecast.queue_mix import learned_mix
from app.core.forecast.refused import ResponseRefused

VOLUMES = {"orders": 300.0, "billing": 100.0}


def test_without_anything_better_contacts_split_as_all_contacts_do():
    assert learned_mix({}, VOLUMES) == pytest.approx({"orders": 0.75, "billing": 0.25})


def test_what_its_makers_expect_comes_before_volumes():
    assert learned_mix({}, VOLUMES, {"returns": 1.0}) == {"returns": 1.0}


def test_tagged_contacts_soon_say_more_than_volumes_and_later_more_than_its_makers():
    tagged = {"billing": 20.0}
    assert learned_mix(tagged, VOLUMES)["billing"] == pytest.approx((20 * 0.25 + 20) / 40)
    assert learned_mix(tagged, VOLUMES, {"orders": 1.0})["billing"] == pytest.approx(20 / 70)
    assert learned_mix({"billing": 5000.0}, VOLUMES, {"orders": 1.0})["billing"] > 0.98


def test_shares_add_up_to_one():
    assert sum(learned_mix({"chat": 3.0}, VOLUMES, {"orders": 0.3, "billing": 0.3}).values()) == pytest.approx(1)


def test_tagged_contacts_alone_will_do():
    assert learned_mix({"chat": 3.0}, {"orders": 0.0}) == {"chat": 1.0}


@pytest.mark.parametrize(
    ("tagged", "volumes"), [({}, {}), ({}, {"orders": 0.0}), ({"chat": -1.0}, VOLUMES), ({}, {"orders": float("nan")})]
)
def test_a_mix_of_nothing_is_unknown(tagged, volumes):
    with pytest.raises(ResponseRefused):
        learned_mix(tagged, volumes)
