from datetime import UTC, datetime

import pytest

from app.errors import Invalid
from tests.unit.workers.test_registry import around
from workers.sources import registry
from workers.sources.freeswitch_esl import translate
from workers.sources.freeswitch_esl.frames import LARGEST_BODY_BYTES, Framer, event_of
from workers.sources.freeswitch_esl.held import Held
from workers.sources.freeswitch_esl.translate import AgentChanged, Came, Gone, Member, Reached, happened
from workers.systems.faults import TranslateError

AT = 1_795_334_400
NOW = datetime.fromtimestamp(AT, UTC)
HEAD = b"queue|uuid|session_uuid|cid_number|cid_name|joined_epoch|rejoined_epoch|bridge_epoch|abandoned_epoch|"
HEAD += b"serving_agent|state\n"


def listed(*rows, head=HEAD):
    return head + b"".join(row + b"\n" for row in rows) + b"+OK\n"


def an_event(action, **headers):
    of = {"cc-queue": "support", "cc-member-uuid": "m1", "event-date-timestamp": str(AT * 1_000_000)}
    return {"event-subclass": "callcenter::info", "cc-action": action, **of, **headers}


# --- frames and tables ---


def test_a_body_is_as_long_as_it_says_and_may_hold_blank_lines():
    frames = Framer().feed(b"Content-Type: api/response\nContent-Length: 4\n\na\n\nbContent-Type: auth/request\n\n")
    assert [(frame.kind, frame.body) for frame in frames] == [("api/response", b"a\n\nb"), ("auth/request", b"")]


@pytest.mark.parametrize("length", [b"-1", b"9" * 30, str(LARGEST_BODY_BYTES + 1).encode(), "\u0663".encode()])
def test_a_body_of_no_sensible_length_ends_the_understanding(length):
    framer = Framer()
    assert framer.feed(b"Content-Length: " + length + b"\n\nContent-Type: auth/request\n\n") == []
    assert framer.broken


def test_an_event_is_percent_decoded_and_names_no_caller():
    body = b"Event-Subclass: callcenter%3A%3Ainfo\nCC-Queue: Z%C3%BCrich\nCC-Member-CID-Number: 5550142\nA: 5550142\n"
    assert event_of(body) == {"event-subclass": "callcenter::info", "cc-queue": "Zürich"}


def test_a_bar_in_a_callers_name_moves_no_column():
    row = b"support|m1|s1|5550142|Bobby|tables|1795334400|0|0|0|ann|Waiting"
    (member,) = translate.members(listed(row))
    assert member == Member("support", "m1", AT, 0, 0, 0, "ann", "Waiting")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"-ERR Command not found!\n", "does not end as a list does"),
        (b"", "does not end as a list does"),
        (HEAD + b"support|m1", "does not end as a list does"),
        (listed(b"support|m1|s1|5550142"), "a row with other columns"),
        (listed(b"support|m1|s1|5550142|Bob|soon|0|0|0||Waiting"), "joined_epoch of a list is not a whole number"),
        (listed(b"support|m1|s1|5550142|Bob|17|0|0|0||Waiting"), "joined_epoch of the list of members is no time"),
        (listed(b"support|m1|s1|5550142|Bob|1795334400|0|0|0||Lost"), "a state that is not known"),
        (listed(b"x", head=b"queue\n"), "a list has no column uuid"),
    ],
)
def test_a_list_that_is_not_whole_is_not_believed_at_all(body, fault):
    with pytest.raises(TranslateError, match=fault) as refused:
        translate.members(body)
    assert "5550142" not in str(refused.value)


def test_an_empty_list_is_nobody():
    assert translate.members(b"+OK\n") == []


@pytest.mark.parametrize(
    ("body", "at"), [(b"1795334400\n", AT), (b"-ERR strepoch Command not found!\n", None), (b"12", None)]
)
def test_the_clock_is_epoch_seconds_or_none(body, at):
    assert translate.clock(body) == at


# --- events ---


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (an_event("member-queue-start"), Came("support", "m1", AT, again=False)),
        (an_event("member-queue-resume"), Came("support", "m1", AT, again=True)),
        (
            an_event("bridge-agent-start", **{"cc-agent": "ann", "cc-agent-answered-time": str(AT)}),
            Reached("support", "m1", AT, "ann"),
        ),
        (
            an_event("member-queue-end", **{"cc-cause": "Cancel", "cc-member-leaving-time": str(AT)}),
            Gone("support", "m1", AT, "NONE"),
        ),
        (an_event("agent-state-change", **{"cc-agent": "ann", "cc-agent-state": "Waiting"}),
         AgentChanged("ann", None, "Waiting")),
        (an_event("members-count"), None),
        ({"event-subclass": "sofia::register", "cc-action": "member-queue-start"}, None),
    ],
)  # fmt: skip
def test_an_event_becomes_what_it_tells(event, expected):
    assert happened(event) == expected


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("BREAK_OUT", "abandoned"),
        ("NONE", "abandoned"),
        ("TIMEOUT", "abandoned"),
        ("NO_AGENT_TIMEOUT", "abandoned"),
        ("EXIT_WITH_KEY", "transferred"),
    ],
)
def test_every_cancelled_wait_is_an_abandonment_but_the_way_out_that_was_offered(reason, kind):
    held = Held("switch")
    held.event(an_event("member-queue-start"))
    end = {"cc-cause": "Cancel", "cc-cancel-reason": reason, "cc-member-leaving-time": str(AT + 30)}
    (event,) = held.event(an_event("member-queue-end", **end))
    assert (event.event, (event.at - NOW).total_seconds()) == (kind, 30)


def test_who_gave_up_on_the_list_of_an_earlier_time_is_neither_counted_nor_waiting():
    held = Held("switch")
    bodies = {
        "queues": b"name\nsupport\n+OK\n",
        "members": listed(b"support|m1|s1|5550142|Bob|1795334000|0|0|1795334100||Abandoned"),
        "agents": b"+OK\n",
        "tiers": b"+OK\n",
    }
    assert held.listed(bodies, AT) == []
    assert held.observe(NOW)[0].backlog == 0


@pytest.mark.parametrize(
    ("status", "state", "ready_at", "counts"),
    [
        ("Available", "Waiting", 0, (1, 1, 0)),
        ("Available (On Demand)", "Waiting", 0, (1, 1, 0)),
        ("Available (On Demand)", "Idle", 0, (0, 0, 0)),
        ("Available", "Receiving", 0, (1, 0, 1)),
        ("Available", "Waiting", AT + 9, (1, 0, 1)),
        ("On Break", "Waiting", 0, (0, 0, 0)),
        ("On Break", "In a queue call", 0, (1, 0, 1)),
        ("Logged Out", "Waiting", 0, (0, 0, 0)),
    ],
)
def test_an_agent_is_free_only_if_available_and_waiting_and_not_pausing(status, state, ready_at, counts):
    held = Held("switch")
    head = "name|status|state|wrap_up_time|last_bridge_end|ready_time"
    bodies = {
        "queues": b"name\nsupport\n+OK\n",
        "members": b"+OK\n",
        "agents": f"{head}\nann|{status}|{state}|10|0|{ready_at}\n+OK\n".encode(),
        "tiers": b"queue|agent|state\nsupport|ann|Ready\n+OK\n",
    }
    held.listed(bodies, AT)
    (seen,) = held.observe(NOW)
    assert (seen.agents_staffed, seen.agents_available, seen.agents_busy) == counts


# --- configuration ---


def a_table(**keys):
    return {"type": "freeswitch-esl", "host": "switch.example", "password": "s3cr3t", **keys}


def test_a_table_becomes_a_worker_that_shows_its_password_nowhere():
    worker = registry.configured([a_table(user="holdfire@example")])["freeswitch_esl"](around())
    assert "s3cr3t" not in str(vars(worker))
    assert "holdfire@example" in str(vars(worker))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"host": ""}, r"sources\[0\].host: .* is not text"),
        ({"user": "holdfire:x@y"}, r"sources\[0\].user: holds a colon"),
        ({"poll_seconds": 30, "silence_seconds": 20}, r"sources\[0\].silence_seconds: 20 is less than poll_seconds"),
        ({"username": "x"}, r"sources\[0\].username: is not known"),
    ],
)
def test_a_bad_table_is_refused_by_the_key_at_fault(keys, sentence):
    with pytest.raises(Invalid, match=sentence):
        registry.configured([a_table(**keys)])
