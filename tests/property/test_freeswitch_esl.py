from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.floor.contact import problems as contact_problems
from app.core.floor.metric import Metric
from app.core.floor.observation import problems as observation_problems
from app.core.floor.state import Floor
from workers.sources.freeswitch_esl import translate
from workers.sources.freeswitch_esl.frames import KEPT, Framer, event_of
from workers.sources.freeswitch_esl.held import Held
from workers.systems.faults import TranslateError

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
AT = int(NOW.timestamp())
ACTIONS = [
    "member-queue-start", "member-queue-resume", "bridge-agent-start", "bridge-agent-end", "member-queue-end",
    "agent-status-change", "agent-state-change", "members-count",
]  # fmt: skip
SECONDS = st.integers(AT - 90, AT).map(str)
SOUND = st.fixed_dictionaries(
    {
        "event-subclass": st.just("callcenter::info"),
        "cc-action": st.sampled_from(ACTIONS),
        "cc-queue": st.sampled_from(["support", "sales"]),
        "cc-member-uuid": st.sampled_from(["m1", "m2"]),
        "event-date-timestamp": st.integers((AT - 90) * 10**6, AT * 10**6).map(str),
        "cc-member-leaving-time": SECONDS,
        "cc-agent-answered-time": SECONDS,
        "cc-cause": st.sampled_from(["Cancel", "Terminated"]),
        "cc-cancel-reason": st.sampled_from(["BREAK_OUT", "NONE", "TIMEOUT", "EXIT_WITH_KEY", ""]),
        "cc-agent": st.sampled_from(["ann", "ben"]),
        "cc-agent-bridged": st.sampled_from(["true", "false"]),
        "cc-agent-status": st.sampled_from(["Available", "On Break"]),
        "cc-agent-state": st.sampled_from(["Waiting", "In a queue call"]),
    }
)
EVENTS = SOUND | st.dictionaries(st.sampled_from(sorted(KEPT)), st.text(max_size=10), max_size=8)
TIMES = st.sampled_from([AT, AT, AT - 30])  # of lists: a clock may be set between two
PIECES = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"Content-Length: ", b"3", b"Content-Type: a", b"x" * 5_000])
    | st.binary(max_size=6)
).map(b"".join)
HEAD = "queue|uuid|cid_number|cid_name|joined_epoch|rejoined_epoch|bridge_epoch|abandoned_epoch|serving_agent|state"
INSTANT = st.integers(AT - 90, AT)
ROWS = st.builds(
    "{}|{}|5|Bob|{}|{}|{}|{}|ann|{}".format,
    st.sampled_from(["support", "sales"]),
    st.sampled_from(["m1", "m2"]),
    INSTANT,
    st.just(0) | INSTANT,
    st.just(0) | INSTANT,
    st.just(0) | INSTANT,
    st.sampled_from(["Waiting", "Trying", "Answered", "Abandoned"]),
)
LISTS = st.lists(ROWS, max_size=3, unique_by=lambda row: row.split("|")[:2].__str__())
OTHERS = {
    "queues": b"name\nsupport\nsales\n+OK\n",
    "agents": b"name|status|state|wrap_up_time|last_bridge_end|ready_time\nann|Available|Waiting|0|0|0\n+OK\n",
    "tiers": b"queue|agent\nsupport|ann\n+OK\n",
}


@given(PIECES, st.lists(st.integers(0, 20_000), max_size=6))
def test_bytes_cut_anywhere_give_the_same_frames(data, cuts):
    whole, chunked = Framer(), Framer()
    places = sorted({0, *(cut % (len(data) + 1) for cut in cuts), len(data)})
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert [frame for piece in pieces for frame in chunked.feed(piece)] == whole.feed(data)
    assert chunked.broken == whole.broken


@given(st.binary(max_size=60) | st.text(alphabet="ab|1\n", max_size=60).map(lambda text: f"{text}\n+OK\n".encode()))
def test_any_bytes_are_an_event_and_a_list_or_refused(body):
    assert event_of(body).keys() <= KEPT
    for read in (translate.queues, translate.members, translate.agents, translate.tiers):
        try:
            rows = read(body)
        except TranslateError:
            continue
        assert len(rows) <= body.count(b"\n")


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
@given(st.lists(EVENTS, max_size=20), st.lists(st.tuples(TIMES, LISTS), max_size=3))
def test_whatever_comes_what_is_sent_is_acceptable_and_a_stay_begins_once_and_ends_once(events, lists):
    held = Held("switch")
    sent = [each for event in events for each in held.event(event)]
    for at, rows in lists:
        held.asking()
        body = "".join(f"{row}\n" for row in ([HEAD, *rows] if rows else [])) + "+OK\n"
        sent += held.listed({**OTHERS, "members": body.encode()}, at)
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
