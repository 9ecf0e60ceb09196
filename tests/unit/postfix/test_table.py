"""The table [postfix_policy] as people write it, and what is said about one that cannot be."""

import re
import tomllib
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.errors import Invalid
from app.postfix.rules import Rule, Terms
from app.postfix.table import Address, OnUnreachable, policy_table

NEWS = {"name": "news", "kind": "bulk", "sender": ["news@*"]}


def test_a_plain_table_has_defaults_for_all_the_rest():
    table = policy_table({"rules": [NEWS]})
    assert table.rules == (Rule("news", Terms("default"), senders=("news@*",)),)
    assert table.listen == Address(None, "127.0.0.1", 10040)
    assert (table.url, table.api_key, table.on_unreachable) == ("http://127.0.0.1:8000", None, OnUnreachable.DEFER)
    assert table.defer_text == "contact center busy, retry later"


def test_a_full_table_is_read_as_written(tmp_path):
    (tmp_path / "key").write_text("hf_live_1_secret\n")
    table = policy_table(
        {
            "listen": "unix:/run/holdfire/policy.sock",
            "socket_mode": "666",
            "url": "https://holdfire.example",
            "api_key_file": str(tmp_path / "key"),
            "on_unreachable": "pass",
            "unreachable_seconds": 300,
            "defer_text": "later, please",
            "answer_seconds": 3,
            "ask_seconds": 10,
            "connections": 50,
            "rules": [
                {"name": "receipts", "kind": "transactional", "sasl_user": ["shop"]},
                {
                    "name": "spring",
                    "kind": "bulk",
                    "client": ["10.1.0.0/16", "2001:db8::/32", "192.0.2.7", "*.esp.example"],
                    "context": ["bulk"],
                    "recipients_at_least": 5,
                    "gate": "voice",
                    "campaign": "spring",
                    "wave": 1000,
                    "wave_gap_seconds": 0,
                    "per_minute": 600,
                },
                {"name": "the rest", "kind": "bulk"},
            ],
        }
    )
    assert table.listen == Address(Path("/run/holdfire/policy.sock"), mode=0o666)
    assert table.api_key is not None
    assert table.api_key.get_secret_value() == "hf_live_1_secret"
    assert (table.on_unreachable, table.unreachable_seconds) == (OnUnreachable.PASS, 300)
    assert (table.answer_seconds, table.ask_seconds, table.connections) == (3, 10, 50)
    receipts, spring, rest = table.rules
    assert receipts == Rule("receipts", None, sasl_users=("shop",))
    assert spring.terms == Terms("voice", "spring", 1000, 0, 600)
    networks = tuple(map(ip_network, ("10.1.0.0/16", "2001:db8::/32", "192.0.2.7/32")))
    assert spring.clients == (*networks, "*.esp.example")
    assert rest.fits_all


def test_the_table_of_the_page_for_operators_is_understood(tmp_path):
    page = Path(__file__).parents[3] / "docs/howto/gate-any-mail-server-with-postfix.md"
    (text,) = re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "key").write_text("hf_live_1_secret")
    values = tomllib.loads(text.replace("/etc/holdfire/policy.key", str(tmp_path / "key")))
    receipts, newsletter, esp = policy_table(values["postfix_policy"]).rules
    assert receipts.terms is None
    assert newsletter.terms == Terms("default", "spring", 500, 60.0)
    assert esp.terms == Terms("default", per_minute=600)


@pytest.mark.parametrize("text", ["inet:127.0.0.1:10040", "inet:[::1]:10040", "unix:/run/holdfire/policy.sock"])
def test_an_address_is_written_as_in_main_cf(text):
    assert str(policy_table({"rules": [NEWS], "listen": text}).listen) == text


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({}, "postfix_policy.rules"),
        ({"rules": []}, "postfix_policy.rules"),
        ({"rules": NEWS}, "postfix_policy.rules"),
        ({"rules": ["news"]}, "postfix_policy.rules[0]"),
        ({"rules": [NEWS], "lisen": "x"}, "postfix_policy.lisen"),
        ({"rules": [NEWS], "listen": "0.0.0.0:10040"}, "postfix_policy.listen"),
        ({"rules": [NEWS], "listen": "127.0.0.1"}, "postfix_policy.listen"),
        ({"rules": [NEWS], "listen": "127.0.0.1:65536"}, "postfix_policy.listen"),
        ({"rules": [NEWS], "listen": "unix:private/policy"}, "postfix_policy.listen"),
        ({"rules": [NEWS], "listen": "unix:/" + "x" * 100}, "postfix_policy.listen"),
        ({"rules": [NEWS], "socket_mode": "888"}, "postfix_policy.socket_mode"),
        ({"rules": [NEWS], "socket_mode": "4755"}, "postfix_policy.socket_mode"),
        ({"rules": [NEWS], "on_unreachable": "accept"}, "postfix_policy.on_unreachable"),
        ({"rules": [NEWS], "defer_text": "busy\naction=OK"}, "postfix_policy.defer_text"),
        ({"rules": [NEWS], "answer_seconds": 100}, "postfix_policy.answer_seconds"),
        ({"rules": [NEWS], "api_key": "k", "api_key_env": "K"}, "postfix_policy.api_key_env"),
        ({"rules": [NEWS | {"kind": "marketing"}]}, "postfix_policy.rules[0].kind"),
        ({"rules": [{"name": "news"}]}, "postfix_policy.rules[0].kind"),
        ({"rules": [NEWS | {"sender": "news@*"}]}, "postfix_policy.rules[0].sender"),
        ({"rules": [NEWS | {"sender": []}]}, "postfix_policy.rules[0].sender"),
        ({"rules": [NEWS | {"sender": [""]}]}, "postfix_policy.rules[0].sender"),
        ({"rules": [NEWS | {"client": ["10.1.0.0/33"]}]}, "postfix_policy.rules[0].client"),
        ({"rules": [NEWS | {"client": ["10.1.0.300"]}]}, "postfix_policy.rules[0].client"),
        ({"rules": [NEWS | {"client": ["10.1.0.1/16"]}]}, "postfix_policy.rules[0].client"),
        ({"rules": [NEWS | {"wave": 0}]}, "postfix_policy.rules[0].wave"),
        ({"rules": [NEWS | {"senders": ["x"]}]}, "postfix_policy.rules[0].senders"),
        ({"rules": [{"name": "r", "kind": "transactional", "gate": "voice"}]}, "postfix_policy.rules[0].gate"),
        ({"rules": [NEWS, NEWS]}, "postfix_policy.rules[1].name"),
        ({"rules": [{"name": "all", "kind": "bulk"}, NEWS]}, "postfix_policy.rules[0]"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_the_key_at_fault(values, place):
    with pytest.raises(Invalid) as fault:
        policy_table(values)
    assert str(fault.value).startswith(f"{place}:")
