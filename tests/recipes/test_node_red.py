"""Real Node-RED runs the flow that is to be imported: one mail where it may go, none where it may not."""

import json

from tests.recipes.answering import NEVER, ONCE, RECIPES, cases, hasty
from tests.support.node_red import a_node_red
from tests.support.shell import wait_until
from tests.support.smtp_sink import an_smtp_sink

FLOW = RECIPES / "node-red" / "hold-or-send.json"
KEY = "hf_test_ab12cd34_canary"
RUN_SECONDS = 200
ENOUGH = 3  # asks, after which a flow that sends on what it gets would have sent


def mail_node(case, number, port):
    """Return what stands where the user's own sender would: a mail to the case's recipient."""
    return {
        "id": f"n{number}_mail",
        "type": "e-mail",
        "z": f"n{number}_tab",
        "server": "127.0.0.1",
        "port": str(port),
        "authtype": "NONE",
        "saslformat": True,
        "token": "oauth2Response",
        "secure": False,
        "tls": False,
        "name": case.recipient,
        "dname": "",
        "x": 800,
        "y": 180,
        "wires": [],
    }


def the_flow(case, number, port):
    """Return the recipe for one case: its own ids, its own server, started at once, with less patience."""
    text = hasty(FLOW.read_text(encoding="utf-8"), (": 60000)", ": 100)"), ('"10000"', '"1000"'))
    nodes = json.loads(text.replace('"hf_', f'"n{number}_'))
    by_name = {node.get("name"): node for node in nodes}
    settings = {"HOLDFIRE_URL": case.url, "HOLDFIRE_API_KEY": KEY}
    nodes[0]["env"] = [{"name": name, "value": value, "type": "str"} for name, value in settings.items()]
    by_name["Start"]["once"] = True
    by_name["May go"]["rules"].append({"t": "set", "p": "from", "pt": "msg", "to": "news@example.com", "tot": "str"})
    by_name["May go"]["wires"] = [[f"n{number}_mail"]]
    return [*nodes, mail_node(case, number, port)]


def straight(case, number, port, *, senderr):
    """Return what people wire who trust the node: request, then mail. senderr: "non-2xx to Catch" is ticked."""
    nodes = the_flow(case, number, port)
    by_name = {node.get("name"): node for node in nodes}
    by_name["Ask holdfire"] |= {"senderr": senderr, "wires": [[f"n{number}_straight"]]}
    rules = [{"t": "set", "p": "from", "pt": "msg", "to": "news@example.com", "tot": "str"}]
    place = {"id": f"n{number}_straight", "type": "change", "z": f"n{number}_tab", "x": 700, "y": 80}
    kept = [node for node in nodes if node.get("type") not in ("switch", "delay", "catch")]
    return [*kept, place | {"rules": rules, "wires": [[f"n{number}_mail"]]}]


def flows_of(run, port, make):
    return [node for number, case in enumerate(run) for node in make(case, number, port)]


def test_one_mail_where_it_may_go_and_none_on_anything_else(tmp_path):
    with an_smtp_sink() as sink, cases() as run:
        held = [case for case in run if case.name in NEVER]
        with a_node_red(tmp_path, flows_of(run, sink.port, the_flow)):
            sink.wait_for(len(ONCE), RUN_SECONDS)
            wait_until(lambda: all(case.asked >= ENOUGH for case in held), "every case to be asked again", RUN_SECONDS)
        sent = sorted(to for each in sink.received for to in each.recipients)
        asked = next(case.server.asked[0] for case in run if case.server and case.name == "go")
    assert sent == sorted(case.recipient for case in run if case.name in ONCE)
    assert (asked.method, asked.path) == ("GET", "/api/v1/readiness")
    assert asked.given == {"gate": "default", "campaign": "spring", "audience": "500000"}
    assert asked.headers["authorization"] == f"Bearer {KEY}"


def test_who_wires_the_request_to_the_mail_sends_on_everything(tmp_path):
    """Why the flow looks at status and body: the node has one way out, and takes it on a hold, too."""
    with an_smtp_sink() as sink, cases() as run:
        held = [case for case in run if case.name in ("hold", "unknown", "accepted", "hold in the body", "error")]
        refused = next(case for case in run if case.name == "refused")
        nodes = flows_of(held, sink.port, lambda *args: straight(*args, senderr=True))
        nodes += straight(refused, len(held), sink.port, senderr=False)
        with a_node_red(tmp_path, nodes):
            sink.wait_for(len(held) + 1, RUN_SECONDS)
        sent = sorted(to for each in sink.received for to in each.recipients)
    assert sent == sorted(case.recipient for case in [*held, refused])
