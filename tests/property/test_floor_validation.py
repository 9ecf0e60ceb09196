"""Validation answers for every value a field can have, and lets nothing through that the floor could choke on."""

import math
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.core.floor import contact, observation
from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.core.floor.state import Floor
from tests.support.builders import NOW

anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**400, max_value=10**401)
    | st.floats()
    | st.decimals()
    | st.text(max_size=140)
    | st.binary(max_size=4)
    | st.datetimes()
    | st.datetimes(timezones=st.timezones())
    | st.lists(st.integers(), max_size=2)
    | st.just(datetime.max.replace(tzinfo=UTC))
    | st.just(datetime.min.replace(tzinfo=UTC))
)
name = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
number = st.none() | st.integers(0, 100) | st.floats(0, 1) | st.floats()


@given(st.tuples(*[anything] * len(Observation._fields)))
def test_judging_an_observation_never_raises(values):
    for problem in observation.problems(Observation(*values), NOW):
        assert problem.detail


@given(st.tuples(*[anything] * len(ContactEvent._fields)))
def test_judging_a_contact_event_never_raises(values):
    for problem in contact.problems(ContactEvent(*values), NOW):
        assert problem.detail


@given(name, st.lists(number, min_size=18, max_size=18))
def test_what_passes_holds_only_finite_numbers_of_the_right_size_and_can_be_applied(queue, numbers):
    given_observation = Observation(queue, NOW, "acd-1", None, *numbers)
    if observation.problems(given_observation, NOW):
        return
    assert all(number is None or (math.isfinite(number) and 0 <= number <= 1e9) for number in numbers)
    Floor().apply(given_observation)


batches = st.lists(
    st.builds(
        Observation,
        queue=name | anything,
        observed_at=st.just(NOW) | st.datetimes(timezones=st.just(UTC)) | anything,
        source=name,
        channel=st.none() | name,
        backlog=number | anything,
        oldest_wait_seconds=number,
        service_level_ratio=number,
        window_seconds=st.none() | st.just(300) | number,
        answered=number,
        answered_within_target=number,
        wait_seconds_sum=number,
    ),
    max_size=4,
)
plain = st.builds(
    Observation,
    queue=name,
    observed_at=st.just(NOW),
    source=st.just("acd-1"),
    backlog=st.integers(-1, 3),
    service_level_ratio=st.floats(-0.1, 1.1),
    window_seconds=st.just(300) | st.integers(0, 2),
    answered=st.integers(-1, 3),
    answered_within_target=st.integers(-1, 3),
)


@given(batches | st.lists(plain, max_size=4))
def test_a_batch_found_fine_as_a_whole_has_no_faulty_observation(batch):
    if observation.all_fine(batch, NOW):
        assert all(observation.problems(one, NOW) == () for one in batch)


@given(st.lists(plain, min_size=1, max_size=4))
def test_observations_of_one_form_are_found_fine_as_a_whole_when_each_of_them_is(batch):
    fine = all(observation.problems(one, NOW) == () for one in batch)
    if len({tuple(map(type, one)) for one in batch}) == 1:
        assert observation.all_fine(batch, NOW) is fine
