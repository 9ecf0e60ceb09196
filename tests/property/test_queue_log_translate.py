from hypothesis import given
from hypothesis import strategies as st

from app.core.floor.contact import ContactEvent
from app.core.floor.contact import problems as contact_problems
from app.core.floor.observation import problems as observation_problems
from workers.sources.queue_log.translate import Translator

EVENTS = [
    "ENTERQUEUE", "CONNECT", "COMPLETEAGENT", "COMPLETECALLER", "ABANDON", "EXITWITHKEY", "EXITWITHTIMEOUT",
    "EXITEMPTY",
    "WITHDRAW", "SYSCOMPAT", "AGENTDUMP", "BLINDTRANSFER", "ATTENDEDTRANSFER", "TRANSFER", "RINGNOANSWER", "ADDMEMBER",
    "REMOVEMEMBER", "PAUSE", "UNPAUSE", "PAUSEALL", "UNPAUSEALL", "AGENTLOGIN", "AGENTLOGOFF", "QUEUESTART", "DID",
]  # fmt: skip
EPOCHS = st.integers(1_700_000_000, 1_700_000_120)
FIELDS = st.tuples(
    EPOCHS.map(str) | st.text(max_size=12),
    st.sampled_from(["7.1", "7.2", "7.3", "NONE", "MANAGER", "CLI", "REALTIME"]) | st.text(max_size=8),
    st.sampled_from(["sales", "billing", "NONE"]) | st.text(max_size=8),
    st.sampled_from(["SIP/1", "SIP/2", "NONE", ""]) | st.text(max_size=8),
    st.sampled_from(EVENTS) | st.text(max_size=12),
)
DATA = st.lists(st.text(alphabet="0123456789|abc", max_size=5), max_size=5)
LINES = st.text() | st.builds(lambda fields, data: "|".join([*fields, *data]), FIELDS, DATA)

PLAIN = st.tuples(
    EPOCHS, st.sampled_from(["7.1", "7.2"]), st.sampled_from(["sales", "billing"]), st.sampled_from(EVENTS)
)


def payloads(lines):
    translator = Translator()
    return [payload for line in lines for payload in translator.line(line)]


@given(st.lists(LINES, max_size=30))
def test_any_text_becomes_acceptable_payloads_or_is_counted_and_never_raises(lines):
    translator = Translator()
    for number, line in enumerate(lines, 1):
        before = translator.tally.malformed + translator.tally.skipped.total()
        said = translator.line(line)
        assert translator.tally.lines == number
        assert translator.tally.malformed + translator.tally.skipped.total() >= before
        for payload in said:
            if isinstance(payload, ContactEvent):
                assert contact_problems(payload, payload.at) == ()
            else:
                assert observation_problems(payload, payload.observed_at) == ()
    translator.end()


@given(st.lists(PLAIN, max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_reading_any_part_again_names_the_same_stays_alike(rows, start, end):
    rows = sorted(rows, key=lambda row: row[0])
    lines = [f"{epoch}|{call}|{queue}|SIP/1|{event}|1|1|1" for epoch, call, queue, event in rows]
    # A part begins with a whole second: within one, only the order tells a second visit from the first.
    while 0 < start < len(rows) and rows[start - 1][0] == rows[start][0]:
        start += 1
    whole = {(event.contact_id, event.event) for event in payloads(lines) if isinstance(event, ContactEvent)}
    part = {(event.contact_id, event.event) for event in payloads(lines[start:end]) if isinstance(event, ContactEvent)}
    assert part <= whole


@given(st.lists(PLAIN, max_size=40))
def test_a_stay_begins_once_and_ends_at_most_once(rows):
    rows = sorted(rows, key=lambda row: row[0])
    lines = [f"{epoch}|{call}|{queue}|SIP/1|{event}|1|1|1" for epoch, call, queue, event in rows]
    seen: dict[str, list[str]] = {}
    for event in payloads(lines):
        if isinstance(event, ContactEvent):
            seen.setdefault(event.contact_id, []).append(event.event)
    for events in seen.values():
        assert events[0] == "queued"
        assert events.count("queued") == 1
        assert len(set(events) - {"queued", "answered"}) <= 1
        assert len(events) == len(set(events))
