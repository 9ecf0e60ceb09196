"""Replicas whose stream is in NATS: they go on without the database, but not past a change that they could not read."""

from contextlib import ExitStack

from sqlalchemy import make_url

from tests.integration.faults.test_replicas import decision, opened
from tests.support.cable import a_cable
from tests.support.nats import Nats
from tests.support.postgresql import Cluster
from tests.support.replicas import present
from tests.support.senders import wait_for_gate
from tests.support.server import a_server
from tests.support.shell import wait_until

HOLD = {"effect": "hold", "duration_minutes": 5, "comment": "a storm"}


def test_one_that_is_cut_off_from_the_database_goes_on_until_something_is_changed(tmp_path):
    with ExitStack() as stack:
        own, nats = Cluster(), Nats()
        for started in (own, nats):
            stack.callback(started.remove)
            started.start()
        cable = stack.enter_context(a_cable(own.port))
        url = own.database("holdfire")
        through = make_url(url).set(port=cable.port).render_as_string(hide_password=False)
        urls = {"HOLDFIRE_STREAM_URL": nats.url()}
        near = stack.enter_context(a_server(tmp_path / "near", HOLDFIRE_DATABASE_URL=url, **urls))
        far = stack.enter_context(a_server(tmp_path / "far", HOLDFIRE_DATABASE_URL=through, **urls))
        wait_until(lambda: len(present(url)) == 2, "both of them to be there")
        opened([near, far])

        cable.pull()
        wait_until(lambda: len(present(url)) == 1, "the far one to be missed")
        assert decision(far) == "send"
        with far.client() as client:
            assert client.get("/readyz").is_success
        with near.client() as client:
            assert client.post("/api/v1/gates/default/overrides", json=HOLD).status_code == 201
        with far.client() as client:
            held = client.get("/api/v1/readiness").json()
        assert (held["decision"], held["state"]) == ("hold", "unknown")
        assert "policies or overrides may have changed" in held["summary"]
        with far.client() as client:
            assert client.get("/readyz").status_code == 503

        cable.put_back()
        with far.client() as client:
            wait_for_gate(client, "hold")
            assert client.get("/api/v1/readiness").json()["override"]
