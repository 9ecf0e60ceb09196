from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.floor.contact import problems as contact_problems
from app.core.floor.metric import Metric
from app.core.floor.observation import problems as observation_problems
from app.core.floor.state import Floor
from workers.sources.asterisk_ami.frames import KEPT, Framer
from workers.sources.asterisk_ami.held import Held
from workers.sources.asterisk_ami.translate import OF_QUEUES, happened, told
from workers.systems.faults import TranslateError

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
EVENTS = sorted(OF_QUEUES | {"QueueParams", "QueueMember", "QueueEntry", "QueueSummary", "Newexten"})
AT = int(NOW.timestamp())
VALUES = st.text(max_size=8) | st.integers(-3, 400).map(str) | st.floats(AT - 5_000, AT + 5_000).map(str)
MESSAGES = st.dictionaries(st.sampled_from(sorted(KEPT)), VALUES, max_size=8).flatmap(
    lambda rest: st.fixed_dictionaries({"event": st.sampled_from(EVENTS) | st.text(max_size=8)}).map(
        lambda event: {**rest, **event}
    )
)
NAMED = {
    "queue": st.sampled_from(["sales", "billing"]),
    "uniqueid": st.sampled_from(["1.1", "1.2"]),
    "interface": st.sampled_from(["PJSIP/1", "PJSIP/2"]),
    "holdtime": st.integers(0, 90).map(str),
    "talktime": st.integers(0, 90).map(str),
    "wait": st.sampled_from(["0", "9"]),
    "timestamp": st.integers(AT - 60, AT + 60).map(str),
    "status": st.integers(0, 9).map(str),
    "incall": st.sampled_from(["0", "1"]),
}
SOUND = st.fixed_dictionaries({"event": st.sampled_from(EVENTS), **NAMED})
ROWS = SOUND.map(lambda row: {**row, "event": "QueueEntry" if row["event"] < "QueueCallerJoin" else "QueueMember"})
LISTS = st.lists(ROWS | MESSAGES, max_size=6).map(
    lambda rows: [{"event": "QueueParams", "queue": queue} for queue in ("sales", "billing")] + rows
)
TIMES = st.sampled_from([AT, AT, AT - 30])  # of lists: a clock may be set between two
PIECES = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"Event: A", b"Queue: ", "ë".encode(), b":", b"\r", b"x" * 5_000])
    | st.binary(max_size=6)
).map(b"".join)


@given(PIECES, st.lists(st.integers(0, 20_000), max_size=6))
def test_bytes_cut_anywhere_give_the_same_messages(data, cuts):
    whole, chunked = Framer(), Framer()
    places = sorted({0, *(cut % (len(data) + 1) for cut in cuts), len(data)})
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert [message for piece in pieces for message in chunked.feed(piece)] == whole.feed(data)
    assert chunked.banner == whole.banner


@given(st.dictionaries(st.text(max_size=12) | st.sampled_from(sorted(KEPT)), st.text(max_size=20)) | MESSAGES)
def test_any_headers_are_understood_or_refused(message):
    for read in (happened, told):
        try:
            what = read(message)
        except TranslateError:
            continue
        assert what is None or what.queue == message["queue"]


def agrees_with_the_floor(held, sent):
    """Show that a floor made of what was sent has as many waiting as are held."""
    floor = Floor()
    for event in sent:
        floor.apply(event)
    view = floor.view(NOW + timedelta(minutes=5))
    for observation in held.observe(NOW):
        reading = view.reading(observation.queue, Metric.BACKLOG)
        assert observation.backlog == (0 if reading is None else reading.value)


@settings(max_examples=60)
@given(
    st.lists(SOUND | MESSAGES, max_size=25),
    st.lists(st.tuples(TIMES, st.lists(SOUND | MESSAGES, max_size=8)), max_size=3),
)
def test_whatever_comes_what_is_sent_is_acceptable_and_a_stay_begins_once_and_ends_once(events, lists):
    held = Held("pbx")
    held.begin()
    sent = [event for message in events for event in held.event(message, NOW)]
    for at, rows in lists:
        held.asking()
        sent += held.listed(rows, at)
        assert all(observation_problems(each, NOW) == () for each in held.observe(NOW))
        sent += held.heard_until(at + 4)
    sent += held.heard_until(AT + 100)
    assert all(contact_problems(event, NOW) == () for event in sent)
    agrees_with_the_floor(held, sent)
    told_of: dict[str, list[str]] = {}
    for event in sent:
        told_of.setdefault(event.contact_id, []).append(str(event.event))
    for kinds in told_of.values():
        assert kinds.count("queued") <= 1
        assert len([kind for kind in kinds if kind not in {"queued", "answered"}]) <= 1
