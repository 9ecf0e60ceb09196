from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.client_profile import PLAIN, ClientProfile, RetryUnit
from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from app.core.problem import Problem
from app.core.staffing.hours_document import parse_hours
from app.core.staffing.refused import StaffingRefused
from app.core.webhooks.subscription import TOLD
from app.ports.keys import SCOPES, ApiKey
from app.ports.webhooks import Delivery, DeliveryState, Form, Webhook
from app.services.profiles import changed_profile
from app.web.settings import hours_form, key_form, queue_form, webhook_form
from app.web.settings.faults import faults_of
from app.web.settings.hours_form import HoursForm
from app.web.settings.key_view import answers, key_row, state_of
from app.web.settings.key_view import cells as key_cells
from app.web.settings.queue_view import COLUMNS, Known, cells, links_of, queue_row
from app.web.settings.webhook_view import cells as webhook_cells
from app.web.settings.webhook_view import delivery_row, told, type_groups, webhook_row
from tests.support.builders import NOW, after

ZONE = ZoneInfo("America/Chicago")


# --- faults ---


def test_faults_stand_at_the_field_that_they_are_about():
    problems = [
        Problem("/profile/max_rps", "9e9 must be less"),
        Problem("/types/3", "'x' is not told."),
        Problem("/types/4", "'y' is not told"),
        Problem("/elsewhere", "no"),
    ]
    assert faults_of(problems, ("max_rps", "types")) == {
        "max_rps": "9e9 must be less.",
        "types": "'x' is not told.",
        "": "No.",
    }


# --- queues ---


def test_what_was_typed_of_a_queue_is_what_was_saved():
    targets = QueueTargets(30, ServiceLevelVariant.POSITIVE, 5.5, "Orders", NOW, 2.5)
    read = queue_form.read(queue_form.typed(targets), NOW)
    assert (read.targets, read.faults) == (targets, {})


def test_numbers_are_read_as_people_write_them_and_others_are_named():
    form = queue_form.QueueForm(service_level_seconds=" 20,5 ", short_abandon_seconds="five", title="  ")
    read = queue_form.read(form.model_copy(update={"service_level_variant": "best"}), None)
    assert (read.targets.service_level_seconds, read.targets.title) == (20.5, None)
    assert set(read.faults) == {"short_abandon_seconds", "service_level_variant"}


KNOWN = Known("orders/voice", QueueTargets(title="Orders"), True, NOW, ("voice",), "own")


def test_a_queue_is_in_use_or_quiet_or_retired():
    row = queue_row(KNOWN, ZONE, NOW)
    assert (row.title, row.word, row.channels, row.target, row.hours) == (
        *("Orders", "in use", "voice", "answered in 20\u202fs", "its own"),
    )
    assert queue_row(replace(KNOWN, is_in_use=False, own=None), ZONE, NOW).word == "nothing heard"
    assert queue_row(replace(KNOWN, is_in_use=False, own=QueueTargets(retired_at=NOW)), ZONE, NOW).word == "retired"
    assert len(cells(KNOWN)) == len(COLUMNS)


def test_names_with_odd_characters_lead_to_their_own_pages():
    links = links_of("a b/c&d")
    assert links["settings"] == "/settings/queues/one?queue=a+b%2Fc%26d"
    assert links["staffing"] == "/queues/a%20b%2Fc%26d/staffing"


# --- hours ---


def test_hours_are_read_as_people_write_them():
    form = HoursForm(
        time_zone=" America/Chicago ", mon="8-12, 13:00 to 18.30", tue="closed", wed="–", sat="always",  # noqa: RUF001
        closed="2026-12-25\n\n 2027-01-01 ", special="2026-12-24 08:00-13:00, 15-16\n",
    )  # fmt: skip
    read = hours_form.read(form)
    assert read.faults == {}
    assert read.document == {
        "time_zone": "America/Chicago",
        "weekly": [
            {"days": ["mon"], "from": "08:00", "to": "12:00"},
            {"days": ["mon"], "from": "13:00", "to": "18:30"},
            {"days": ["sat"], "from": "00:00", "to": "24:00"},
        ],
        "closed": ["2026-12-25", "2027-01-01"],
        "special": [
            {"date": "2026-12-24", "from": "08:00", "to": "13:00"},
            {"date": "2026-12-24", "from": "15:00", "to": "16:00"},
        ],
    }
    assert parse_hours(read.document).time_zone == "America/Chicago"


def test_saved_hours_come_back_as_they_would_be_typed():
    document = {
        "time_zone": "UTC",
        "weekly": [
            {"days": ["mon", "tue"], "from": "13:00", "to": "18:00"},
            {"days": ["mon"], "from": "08:00", "to": "12:00"},
        ],
        "closed": ["2026-12-25"],
        "special": [{"date": "2026-12-24", "from": "08:00", "to": "13:00"}],
    }
    form = hours_form.typed(document, 7, "America/Chicago")
    assert (form.mon, form.tue, form.wed, form.revision) == ("08:00-12:00, 13:00-18:00", "13:00-18:00", "", "7")
    assert (form.time_zone, form.closed, form.special) == ("UTC", "2026-12-25", "2026-12-24 08:00-13:00")
    assert parse_hours(hours_form.read(form).document) == parse_hours(document)
    assert hours_form.typed(None, 0, "America/Chicago").time_zone == "America/Chicago"


@pytest.mark.parametrize("text", ["mornings", "8", "8-", "8--9", "08:0-9", "8-9 10-11", "٨-٩"])
def test_a_day_that_cannot_be_read_is_a_fault_of_its_field(text):
    assert list(hours_form.read(HoursForm(time_zone="UTC", fri=text)).faults) == ["fri"]


def test_a_day_of_its_own_needs_times_and_a_week_needs_a_day():
    assert list(hours_form.read(HoursForm(time_zone="UTC", mon="8-9", special="2026-12-24")).faults) == ["special"]
    assert list(hours_form.read(HoursForm(time_zone="UTC")).faults) == ["mon"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"time_zone": "Mars"}, "time_zone"),
        ({"tue": "22-06"}, "tue"),
        ({"wed": "8-9, 8-10"}, "wed"),
        ({"thu": "25:00-26:00"}, "thu"),
        ({"closed": "2026-02-30"}, "closed"),
        ({"special": "25.12.2026 8-9"}, "special"),
    ],
)
def test_what_the_core_refuses_stands_at_the_field_it_was_typed_into(changes, field):
    read = hours_form.read(HoursForm(**{"time_zone": "UTC", "mon": "8-12"} | changes))
    assert read.faults == {}
    with pytest.raises(StaffingRefused) as refused:
        parse_hours(read.document)
    assert list(read.refused(refused.value.problems)) == [field]


# --- keys ---

KEY = ApiKey("abc", "mailer", frozenset({SCOPES[0]}), b"", NOW)


def test_a_profile_comes_back_as_it_was_typed():
    for profile in (PLAIN, ClientProfile(404, 200, RetryUnit.MILLISECONDS, 2.5)):
        wanted = key_form.read_profile(key_form.typed_profile(profile))
        assert wanted.faults == {}
        assert changed_profile(PLAIN, wanted.profile) == profile


def test_what_is_no_number_is_a_fault_and_what_is_no_status_is_left_to_the_service():
    wanted = key_form.read_profile(key_form.ProfileForm(hold_status="²", max_rps="lots"))
    assert (wanted.profile["hold_status"], list(wanted.faults)) == ("²", ["max_rps"])


def test_the_end_of_a_key_is_typed_by_the_wall_clock():
    wanted = key_form.read_key(key_form.KeyForm(expires_at="2027-01-01T09:00"), ZONE)
    assert wanted.expires_at == datetime(2027, 1, 1, 15, tzinfo=UTC)
    assert list(key_form.read_key(key_form.KeyForm(expires_at="soon"), ZONE).faults) == ["expires_at"]
    assert key_form.read_key(key_form.KeyForm(), ZONE).expires_at is None


def test_every_scope_says_what_it_is_for():
    assert [scope for scope, meaning in key_form.scope_choices() if meaning] == list(SCOPES)


def test_a_key_is_good_or_past_its_time_or_revoked():
    assert state_of(KEY, NOW)[1] == "good"
    assert state_of(replace(KEY, expires_at=NOW), NOW)[1] == "past its time"
    assert state_of(replace(KEY, expires_at=after(1)), NOW)[1] == "good"
    revoked = key_row(replace(KEY, expires_at=NOW, revoked_at=after(5)), ZONE, after(9))
    assert revoked.word == "revoked"
    assert revoked.ended is not None
    assert revoked.ended.text == "Sat 21 Nov 2026 09:00:05"
    assert key_row(KEY, ZONE, NOW).ended is None
    assert b"secret" not in str(key_cells(replace(KEY, secret_sha256=b"secret"))).encode()


def test_only_what_differs_from_the_usual_is_said_of_an_answer():
    assert answers(PLAIN) == "as usual"
    profile = ClientProfile(404, 200, RetryUnit.MILLISECONDS, 5)
    assert answers(profile) == "hold 404, unknown 200, retry in ms, 5 per second"


# --- webhooks ---

HOOK = Webhook("whk_1", "tool", "https://chat.example/T0/secret", Form.SLACK, ("permit.paused",), "whsec_x", NOW)
DELIVERY = Delivery("msg_1", "whk_1", 7, "permit.paused", True, b"", NOW, DeliveryState.FAILED, 3, None, after(5), 500)


def test_what_was_typed_of_a_webhook_is_what_was_saved():
    form = webhook_form.typed(replace(HOOK, gate="spring", revision=4))
    plan, faults = webhook_form.plan_of_form(form)
    assert (plan.name, plan.url, plan.form, plan.types, plan.gate) == (
        *("tool", "https://chat.example/T0/secret", Form.SLACK, ("permit.paused",), "spring"),
    )
    assert (faults, form.saw) == ({}, 4)


def test_all_types_are_none_because_more_may_come():
    every = webhook_form.WebhookForm(types=[kind.value for kind in TOLD])
    assert webhook_form.plan_of_form(every)[0].types == ()
    assert webhook_form.plan_of_form(webhook_form.WebhookForm(types=["x"]))[0].types == ("x",)


def test_a_form_that_is_none_is_a_fault_and_a_revision_that_is_none_is_not_read():
    form = webhook_form.WebhookForm(form="fax", revision="²")
    assert list(webhook_form.plan_of_form(form)[1]) == ["form"]
    assert form.saw == 0


def test_the_part_of_a_url_that_is_a_secret_is_shown_in_no_list():
    row = webhook_row(HOOK, ZONE, NOW)
    assert row.url == "https://chat.example/…"
    assert "secret" not in str(webhook_cells(HOOK))
    off = webhook_row(replace(HOOK, disabled_at=NOW, disabled_reason="gone"), ZONE, NOW)
    assert (off.word, off.why, off.is_enabled) == ("off", "gone", False)
    assert webhook_row(replace(HOOK, former_until=after(5)), ZONE, NOW).former_until is not None
    assert webhook_row(replace(HOOK, former_until=NOW), ZONE, NOW).former_until is None


def test_what_a_webhook_is_told_is_said_short():
    assert told(()) == "everything that is told"
    assert told(("a", "b")) == "a, b"
    assert told(("a", "b", "c", "d", "e")) == "a, b, c and 2 more"


def test_what_was_withdrawn_or_is_on_its_way_is_not_sent_again():
    states = {
        state: delivery_row(replace(DELIVERY, state=state), ZONE, NOW, is_enabled=True) for state in DeliveryState
    }
    assert [state for state, row in states.items() if row.may_retry] == [DeliveryState.DELIVERED, DeliveryState.FAILED]
    assert not delivery_row(DELIVERY, ZONE, NOW, is_enabled=False).may_retry
    assert states[DeliveryState.FAILED].said == "HTTP 500"
    late = replace(
        DELIVERY, state=DeliveryState.PENDING, next_at=NOW + timedelta(minutes=5), last_detail="HTTP 500: no"
    )
    waiting = delivery_row(late, ZONE, NOW, is_enabled=True)
    assert waiting.next is not None
    assert (waiting.next.text, waiting.said) == ("09:05:00", "HTTP 500: no")


def test_every_type_that_is_told_can_be_chosen_once():
    assert sorted(kind for group in type_groups() for kind, _ in group.types) == sorted(kind.value for kind in TOLD)
