"""Decisions, sources and settings over HTTP, with sign-in on: who may look, who may change, what the log says of it."""

from collections.abc import Iterator

import pytest

from tests.support.people import signed_in
from tests.support.server import Server, a_server

READ = ("/decisions", "/decisions/events", "/sources", "/settings/queues", "/settings/queues/one?queue=q")
ADMIN = ("/settings/keys", "/settings/webhooks", "/settings/keys/nobody", "/settings/webhooks/nobody")
FILES = (
    "/decisions?format=csv",
    "/decisions/events?format=json",
    "/sources?format=csv",
    "/settings/queues?format=json",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with a_server(tmp_path_factory.mktemp("settings"), auth="on") as started:
        yield started


@pytest.fixture(scope="module")
def people(server):
    clients = {role: signed_in(server, role) for role in ("viewer", "marketer", "workforce", "admin")}
    yield clients
    for client in clients.values():
        client.close()


def last_event(client, kind):
    return client.get(f"/decisions/events?type={kind}&format=json").json()[0]


@pytest.mark.parametrize("path", [*READ, *ADMIN, *FILES])
def test_strangers_are_led_to_the_form(server, path):
    with server.client() as client:
        answer = client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("role", ["viewer", "marketer", "workforce", "admin"])
def test_everybody_may_look_and_only_admins_see_keys_and_webhooks(people, role):
    assert [people[role].get(path).status_code for path in (*READ, *FILES)] == [200] * 9
    expected = [200, 200, 404, 404] if role == "admin" else [403] * 4
    assert [people[role].get(path).status_code for path in ADMIN] == expected


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("marketer", 403), ("workforce", 303), ("admin", 303)])
def test_who_may_set_policies_may_set_up_queues_and_hours(people, role, status):
    sent = {"title": f"Orders of {role}", "service_level_seconds": "30"}
    assert people[role].post("/settings/queues/one?queue=orders", data=sent).status_code == status
    hours = {"time_zone": "UTC", "mon": "8-18"}
    assert people[role].post(f"/settings/queues/hours?queue={role}", data=hours).status_code == status
    if status == 303:
        event = last_event(people["viewer"], "queue.changed")
        assert event["subject"] == "queue/orders"
        assert event["after"]["title"] == f"Orders of {role}"
        assert event["actor_name"] not in {"", "holdfire", "anonymous"}
        assert last_event(people["viewer"], "hours.saved")["subject"] == f"queue/{role}"
    else:
        assert "disabled" in people[role].get("/settings/queues/one?queue=orders").text


def test_a_form_of_another_site_or_without_its_token_changes_nothing(people):
    sent = {"title": "Forged"}
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert people["admin"].post("/settings/queues/one?queue=forged", data=sent, headers=foreign).status_code == 403
    no_token = {"X-CSRF-Token": "x"}
    assert people["admin"].post("/settings/queues/one?queue=forged", data=sent, headers=no_token).status_code == 403
    assert "forged" not in people["admin"].get("/settings/queues?format=csv").text


@pytest.mark.parametrize("role", ["viewer", "marketer", "workforce"])
@pytest.mark.parametrize(
    "path",
    [
        *("/settings/keys", "/settings/keys/x/revoke", "/settings/keys/x/profile", "/settings/webhooks"),
        *("/settings/webhooks/x", "/settings/webhooks/x/test", "/settings/webhooks/x/secret"),
        *("/settings/webhooks/x/switch", "/settings/webhooks/x/delete", "/settings/webhooks/x/deliveries/y/retry"),
    ],
)
def test_nobody_but_an_admin_changes_keys_or_webhooks(people, role, path):
    assert people[role].post(path, data={"name": "x", "scopes": "admin"}).status_code == 403


def test_a_key_is_made_under_its_makers_name_and_never_shown_again(people):
    admin = people["admin"]
    made = admin.post(
        "/settings/keys", data={"name": "mailer", "scopes": ["readiness", "permits"], "hold_status": "404"}
    )
    assert made.status_code == 201
    token = made.text.partition('value="hf_live_')[2].partition('"')[0]
    assert len(token) == 55
    event = last_event(admin, "key.created")
    assert (event["after"]["name"], event["after"]["scopes"]) == ("mailer", ["permits", "readiness"])
    key_id = event["subject"].removeprefix("key/")
    for path in ("/settings/keys", f"/settings/keys/{key_id}", "/settings/keys?format=json"):
        assert token not in admin.get(path).text
    assert admin.post(f"/settings/keys/{key_id}/revoke").status_code == 303
    assert last_event(admin, "key.revoked")["actor_name"] == event["actor_name"]
    assert [
        key["revoked_at"] is None for key in admin.get("/settings/keys?format=json").json() if key["id"] == key_id
    ] == [False]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"name": "", "scopes": "read"}, "printable characters; say who will use it"),
        ({"name": "x"}, "a key needs at least one scope"),
        ({"name": "x", "scopes": "root"}, "is not a scope"),
        ({"name": "x", "scopes": "read", "env": "LIVE!"}, "lower-case letters and digits"),
        ({"name": "x", "scopes": "read", "hold_status": "418"}, "must be 429"),
        ({"name": "x<b>", "scopes": "read", "max_rps": "many"}, "write a number"),
    ],
)
def test_what_is_wrong_with_a_key_is_said_and_nothing_is_made(people, sent, said):
    before = people["admin"].get("/settings/keys?format=json").json()
    answer = people["admin"].post("/settings/keys", data=sent)
    assert answer.status_code == 422
    assert said.lower() in answer.text.lower()
    assert "x<b>" not in answer.text
    assert people["admin"].get("/settings/keys?format=json").json() == before


def test_names_that_no_queue_can_have_are_not_set_up(people):
    for name in ("%20x", "x%00", "a" * 150):
        assert people["admin"].get(f"/settings/queues/one?queue={name}").status_code == 404
        assert people["admin"].post(f"/settings/queues/one?queue={name}", data={}).status_code == 404
    assert people["admin"].get("/settings/queues/one?queue=").status_code == 404


def test_the_log_is_checked_for_who_may_read(people):
    found = people["viewer"].post("/decisions/events/verification")
    assert found.status_code == 200
    assert "everything is as it was written." in found.text


def test_places_and_filters_that_are_none_are_no_fault_of_ours(server, people):
    for path in (
        "/decisions?before=%00&kind=x&zone=Mars",
        "/decisions/events?after=9999999999999999999",
        "/sources/%FF",
    ):
        assert people["viewer"].get(path).status_code in {200, 404}
    assert people["viewer"].get("/decisions?from=never").status_code == 422
    assert people["viewer"].get("/decisions?format=xml").status_code == 422
    assert not [line for line in server.lines if "Traceback" in line]


def test_who_did_it_is_found_by_name_key_or_person(people):
    admin = people["admin"]
    admin.post("/settings/queues/one?queue=found", data={"title": "Found"})
    event = last_event(admin, "queue.changed")
    for who in (event["actor_id"], event["actor_name"]):
        found = admin.get("/decisions/events", params={"who": who, "type": "queue.changed", "format": "json"}).json()
        assert found[0] == event
    assert event["actor_name"] in admin.get("/decisions").text  # offered to choose from
