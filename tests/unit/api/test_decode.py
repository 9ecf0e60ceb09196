import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api import decode as decoding
from app.api.decode import CONTACTS, JSON, MAX_ITEMS, NDJSON, OBSERVATIONS, decode
from app.api.explain import explain
from app.api.problems import Refused
from app.core.floor.contact import ContactEventKind

GOOD = {"queue": "orders", "observed_at": "2026-11-21T15:04:05Z", "source": "acd-1", "backlog": 3}
EVENT = {"contact_id": "c-1", "queue": "orders", "event": "queued", "at": "2026-11-21T15:04:05Z", "source": "pbx"}


async def read(body, media_type=JSON, coding=None, form=OBSERVATIONS):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await decode(form, raw, media_type, coding, "the-key")


async def the_fault(item, form=OBSERVATIONS):
    decoded = await read([item], form=form)
    (rejection,) = decoded.rejected
    assert rejection.index == 0
    assert not decoded.items
    return rejection.pointer, rejection.detail


async def test_one_object_an_array_and_lines_mean_the_same():
    one = await read(GOOD)
    many = await read([GOOD])
    lines = await read(json.dumps(GOOD).encode() + b"\r\n\n", NDJSON)
    assert one.items == many.items == lines.items
    assert one.items[0].backlog == 3
    assert one.items[0].observed_at == datetime(2026, 11, 21, 15, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-11-21T16:04:05+01:00", "2026-11-21T09:34:05-05:30", "2026-11-21T15:04:05.000+00:00"]
)
async def test_any_offset_is_accepted_and_normalised_to_utc(text):
    (item,) = (await read(GOOD | {"observed_at": text})).items
    assert item.observed_at == datetime(2026, 11, 21, 15, 4, 5, tzinfo=UTC)
    assert item.observed_at.tzinfo is UTC


async def test_a_missing_source_is_the_key_and_a_given_one_stays():
    nameless = {name: value for name, value in GOOD.items() if name != "source"}
    assert [item.source for item in (await read([nameless, GOOD])).items] == ["the-key", "acd-1"]


async def test_null_means_not_reported():
    (item,) = (await read(GOOD | {"channel": None, "offered": None})).items
    assert item.channel is None
    assert item.offered is None


AMBIGUOUS = '{"queue": "orders", "observed_at": "2026-11-21T15:04:05Z", "backlog": %s, "backlog" : %s}'


@pytest.mark.parametrize("said", [(50, 0), ("null", 0), (0, "null"), (0, 0)], ids=str)
async def test_what_is_said_twice_is_not_guessed_and_the_others_are_taken(said):
    body = f"[{json.dumps(GOOD)}, {AMBIGUOUS % said}]".encode()
    for decoded in (await read(body), await read(body[1:-1].replace(b"}, {", b"}\n{"), NDJSON)):
        assert [item.backlog for item in decoded.items] == [3]
        assert [(each.index, each.pointer, each.detail) for each in decoded.rejected] == [
            (1, "", "'backlog' is there twice in one object, and either may be meant; send it once")
        ]


async def test_a_caller_that_is_said_twice_is_not_quoted():
    decoded = await read(b'[{"+1 555 0100 100": 1, "+1 555 0100 100": 2}]')
    assert decoded.rejected[0].detail.startswith("a member is there twice")


async def test_names_and_nulls_that_only_look_like_repeats_are_taken():
    odd = GOOD | {"queue": 'a":b":null', "channel": None}
    (item,) = (await read([odd])).items
    assert (item.queue, item.channel) == ('a":b":null', None)


async def test_a_whole_number_written_with_a_point_is_a_count():
    (item,) = (await read(GOOD | {"backlog": 12.0})).items
    assert item.backlog == 12
    assert type(item.backlog) is int


async def test_good_items_are_kept_when_others_are_bad_and_each_keeps_its_index():
    decoded = await read([GOOD, GOOD | {"backlog": "3"}, 7, GOOD | {"queue": "returns"}])
    assert [item.queue for item in decoded.items] == ["orders", "returns"]
    assert decoded.indexes == [0, 3]
    assert [rejection.index for rejection in decoded.rejected] == [1, 2]
    assert decoded.refused["acd-1"].count == 1


@pytest.mark.parametrize(
    ("changed", "pointer", "said"),
    [
        ({"backlogg": 1}, "/backlogg", "unknown field 'backlogg'; known are queue, observed_at,"),
        ({"caller_id": "+15550100"}, "/caller_id", "never accepted"),
        ({"Phone-Number": "x"}, "/Phone-Number", "never accepted"),
        ({"name": "Smith"}, "/name", "names and numbers of callers are never accepted"),
        ({"a/b~c": 1}, "/a~1b~0c", "unknown field"),
        ({"backlog": "12"}, "/backlog", "'12' is not a whole number"),
        ({"backlog": 1.5}, "/backlog", "a count has no fraction"),
        ({"backlog": True}, "/backlog", "true is not a whole number"),
        ({"backlog": {}}, "/backlog", "is not a whole number"),
        ({"oldest_wait_seconds": "94"}, "/oldest_wait_seconds", "is not a number"),
        ({"oldest_wait_seconds": 10**400}, "/oldest_wait_seconds", "is not a finite number"),
        (
            {"oldest_wait_seconds": float("nan")},
            "/oldest_wait_seconds",
            "nan is not a finite number; leave the field out",
        ),
        ({"service_level_ratio": float("inf")}, "/service_level_ratio", "inf is not a finite number"),
        ({"backlog": float("-inf")}, "/backlog", "-inf is not a finite number"),
        ({"queue": 7}, "/queue", "7 is not text"),
        ({"queue": None}, "/queue", "null is not text"),
        ({"queue": "\ud800"}, "/queue", "surrogate"),
        ({"observed_at": "2026-11-21T15:04:05"}, "/observed_at", "has no time zone; append Z for UTC"),
        ({"observed_at": "yesterday"}, "/observed_at", "'yesterday' is not a time"),
        ({"observed_at": "2026-02-30T00:00:00Z"}, "/observed_at", "is not a time"),
        ({"observed_at": "9999-12-31T23:59:59-05:00"}, "/observed_at", "is not a time"),
        ({"observed_at": 1764000245}, "/observed_at", "RFC 3339"),
    ],
)
async def test_each_fault_is_named_with_its_pointer(changed, pointer, said):
    found, detail = await the_fault(GOOD | changed)
    assert found == pointer
    assert said in detail


async def test_a_missing_field_is_named():
    assert await the_fault({"observed_at": GOOD["observed_at"], "backlog": 1}) == (
        "/queue",
        "queue is missing; it is required",
    )


@pytest.mark.parametrize("item", [7, "text", None, True, [GOOD]])
async def test_an_item_that_is_no_object_is_refused_as_a_whole(item):
    pointer, detail = await the_fault(item)
    assert pointer == ""
    assert "is not an object" in detail


async def test_all_faults_of_an_item_are_named():
    decoded = await read([{"queue": 7, "backlog": "x", "colour": "red"}])
    assert [rejection.pointer for rejection in decoded.rejected] == ["/observed_at", "/queue", "/backlog", "/colour"]


async def test_the_list_of_faults_stays_bounded():
    bad = {str(number): 1 for number in range(50)}
    decoded = await read([bad] * 300)
    assert len(decoded.rejected) == 100 * decoding.FAULTS_EACH + 200


async def test_one_bad_line_does_not_spoil_the_others():
    good = json.dumps(GOOD)
    decoded = await read(f"{good}\n{{cut off\n\n{good}".encode(), NDJSON)
    assert decoded.indexes == [0, 2]
    (rejection,) = decoded.rejected
    assert rejection.index == 1
    assert "this line is not JSON" in rejection.detail


async def test_a_contact_event_needs_a_known_event_and_its_source():
    (item,) = (await read(EVENT, form=CONTACTS)).items
    assert item.event is ContactEventKind.QUEUED
    assert (await the_fault(EVENT | {"event": "rang"}, CONTACTS))[1].startswith(
        "'rang' is not an event; allowed: queued,"
    )
    without = {name: value for name, value in EVENT.items() if name != "source"}
    assert (await the_fault(without, CONTACTS))[0] == "/source"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the body is empty"),
        (b"  \n", "the body is empty"),
        (b"[]", "holds no observations"),
        (b'[{"queue": "orders", "obs', "is not JSON"),
        (b"[1]]", "is not JSON"),
        (b'{"queue": "\xff"}', "not UTF-8: byte 11 is 0xff"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[" + b"9" * 5_000 + b"]", "too many digits"),
    ],
)
async def test_a_body_that_cannot_be_read_at_all_is_422(body, said):
    with pytest.raises(Refused) as refused:
        await read(body)
    assert refused.value.kind.status == 422
    assert said in str(refused.value)


async def test_a_byte_order_mark_does_no_harm():
    assert len((await read(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())).items) == 1


@pytest.mark.parametrize(
    "media_type", [None, "", "text/plain", "application/x-www-form-urlencoded", f"{JSON}; charset=latin1"]
)
async def test_another_form_is_415_and_says_what_is_supported(media_type):
    with pytest.raises(Refused) as refused:
        await read(GOOD, media_type)
    assert refused.value.kind.status == 415
    assert "application/json" in str(refused.value)


@pytest.mark.parametrize("media_type", [f"{JSON}; charset=utf-8", f'{JSON};charset="UTF-8"', "Application/JSON"])
async def test_the_charset_may_be_named(media_type):
    assert (await read(GOOD, media_type)).items


async def test_a_content_coding_is_415():
    with pytest.raises(Refused) as refused:
        await read(GOOD, coding="gzip")
    assert refused.value.kind.status == 415
    assert refused.value.headers == {"Accept-Encoding": "identity"}
    assert (await read(GOOD, coding="identity")).items


@pytest.mark.parametrize("last", [{}, {"backlog": "x"}])
async def test_more_than_ten_thousand_items_are_413_whichever_way_they_are_read(last):
    with pytest.raises(Refused) as refused:
        await read([GOOD] * MAX_ITEMS + [GOOD | last])
    assert refused.value.kind.status == 413
    assert "10,000" in str(refused.value)


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["2026-11-21T15:04:05Z", "2026-11-21T15:04:05.1234567+02:00", "2026-11-21", "queued", ""]),
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
    st.timedeltas(timedelta(days=-1), timedelta(days=1)).map(str),
)
names = st.sampled_from([*OBSERVATIONS.fields.readers, *CONTACTS.fields.readers, "colour"])


@given(
    st.sampled_from([(OBSERVATIONS, GOOD), (CONTACTS, EVENT)]),
    st.dictionaries(names, values, max_size=4),
    st.booleans(),
)
def test_the_fast_way_takes_nothing_that_the_exact_way_refuses_and_reads_it_the_same(kind, changes, bare):
    form, good = kind
    item = changes if bare else {**good, **changes}
    exact = explain(form.fields, item, "the-key", 5)
    try:
        (fast,) = decoding._fast(form, json.dumps([item]).encode(), "the-key", lines=False)
    except (ValueError, OverflowError, decoding._NotFast):
        return  # the exact way decides then, whatever it says
    assert fast == exact
    assert [type(value) for value in fast] == [type(value) for value in exact]
