from app.core.floor.metric import Metric
from app.core.floor.state import Floor
from app.core.floor.targets import QueueTargets
from app.core.floor.view import FloorView
from tests.support.builders import NOW, a_contact, after, an_observation


def value(view: FloorView, metric: Metric) -> float | None:
    reading = view.reading("orders-voice", metric)
    assert reading is not None
    return reading.value


def test_queues_are_listed_by_name():
    floor = Floor()
    for queue in ("b", "a", "c"):
        floor.apply(an_observation(queue, backlog=1))
    assert list(floor.view(NOW).queues()) == ["a", "b", "c"]


def test_a_retired_queue_is_left_out_until_something_newer_is_heard():
    floor = Floor({"old": QueueTargets(retired_at=after(10))})
    floor.apply(an_observation("old", after(10), backlog=1))
    assert list(floor.view(after(20)).queues()) == []
    floor.apply(a_contact("queued", after(11), queue="old"))
    assert list(floor.view(after(20)).queues()) == ["old"]


def test_last_heard_is_of_the_queue_not_of_the_source():
    floor = Floor()
    floor.apply(an_observation("a", NOW, backlog=1))
    floor.apply(an_observation("b", after(5), backlog=1))
    assert floor.view(after(9)).last_heard_at("a") == NOW
    assert floor.view(after(9)).last_heard_at("unheard-of") is None


def test_looking_twice_gives_the_same_reading():
    floor = Floor()
    floor.apply(a_contact("queued", NOW))
    view = floor.view(after(5))
    first = view.reading("orders-voice", Metric.BACKLOG)
    floor.apply(a_contact("queued", after(1), "c-2"))
    assert view.reading("orders-voice", Metric.BACKLOG) is first
    assert value(floor.view(after(5)), Metric.BACKLOG) == 2


def test_a_settled_view_stays_as_it_was_whatever_is_applied_later():
    floor = Floor()
    floor.apply(a_contact("queued", NOW))
    view = floor.view(after(5))
    view.settle()
    floor.apply(a_contact("answered", after(6)))
    floor.view(after(60)).reading("orders-voice", Metric.OLDEST_WAIT_SECONDS)
    assert view.at == after(5)
    assert value(view, Metric.OLDEST_WAIT_SECONDS) == 5
    assert value(view, Metric.SPEED_TO_ANSWER_SECONDS) is None


def test_time_does_not_go_back():
    floor = Floor()
    floor.apply(a_contact("queued", NOW))
    floor.view(after(60))
    view = floor.view(after(50))
    assert view.at == after(60)
    assert value(view, Metric.OLDEST_WAIT_SECONDS) == 60
