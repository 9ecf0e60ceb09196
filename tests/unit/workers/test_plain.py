"""Secrets that would go unencrypted to another machine are named with their table and key, and never shown."""

import pytest

from app.clocks import SystemClock
from app.services.ingest import Ingest
from app.services.sources import Sources
from app.settings import Settings
from tests.support.memory import MemoryStream
from workers.sources.worker import Surroundings
from workers.supervisor import crew_for
from workers.systems.plain import readable_in, readable_secrets

SECRET = "canary-1234"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"type": "listmonk", "url": "http://news.example.com:9000", "username": "u", "password": SECRET},
            "t.url: anybody on the way to news.example.com can read password; write https://",
        ),
        (
            {"type": "prometheus", "url": "HTTP://10.0.0.7", "bearer_token_file": "/run/token"},
            "t.url: anybody on the way to 10.0.0.7 can read bearer_token_file; write https://",
        ),
        (
            {"type": "http-json", "url": "http://pbx.example.com", "headers": {"X-Api-Key_env": "PBX", "Accept": "x"}},
            "t.url: anybody on the way to pbx.example.com can read headers.X-Api-Key_env; write https://",
        ),
        (
            {"type": "http-json", "url": f"http://pbx.example.com/?token={SECRET}"},
            "t.url: anybody on the way to pbx.example.com can read token; write https://",
        ),
        (
            {"type": "nice-cxone", "token_url": "http://token.example.com", "access_key_secret": SECRET},
            "t.token_url: anybody on the way to token.example.com can read access_key_secret; write https://",
        ),
        (
            {"type": "mqtt", "host": "broker.example.com", "username": "u", "password_env": "BROKER"},
            "t.host: anybody on the way to broker.example.com can read password_env; write tls = true",
        ),
        (
            {"type": "asterisk-ami", "host": "pbx", "auth": "plain", "secret": SECRET},
            "t.host: anybody on the way to pbx can read secret; write tls = true",
        ),
        (
            {"type": "freeswitch-esl", "host": "pbx", "password": SECRET},
            "t.host: anybody on the way to pbx can read password; lead it through a tunnel that begins on this machine",
        ),
    ],
    ids=["password", "token", "header", "query", "another-url", "mqtt", "ami", "esl"],
)
def test_what_can_be_read_on_its_way_is_said(values, said):
    assert list(readable_in("t", values)) == [said]


@pytest.mark.parametrize(
    "values",
    [
        {"type": "listmonk", "url": "https://news.example.com", "password": SECRET},
        {"type": "listmonk", "url": "http://localhost:9000", "password": SECRET},
        {"type": "mailman", "url": "http://127.0.0.1:8001", "password": SECRET},
        {"type": "mailman", "url": "http://[::1]:8001", "password": SECRET},
        {"type": "prometheus", "url": "http://metrics.example.com"},
        {"type": "http-json", "url": "http://pbx.example.com", "body": "{}", "headers": {"Accept": "text/plain"}},
        {"type": "http-json", "url": "https://pbx.example.com", "proxy": "http://proxy:3128", "bearer_token": SECRET},
        {"type": "mqtt", "host": "broker.example.com"},
        {"type": "mqtt", "host": "localhost", "password": SECRET},
        {"type": "mqtt", "host": "broker.example.com", "tls": True, "password": SECRET},
        {"type": "asterisk-ami", "host": "pbx", "secret": SECRET},
    ],
    ids=range(11),
)
def test_what_cannot_is_not(values):
    assert list(readable_in("t", values)) == []


def test_every_table_of_the_settings_is_looked_at():
    url = {"url": "http://far.example.com"}
    settings = Settings(
        sources=[{"type": "prometheus"} | url, {"type": "prometheus", "bearer_token": SECRET} | url],
        senders=[{"type": "keila", "bearer_token": SECRET} | url],
        postfix_policy={"api_key": SECRET} | url,
    )
    said = readable_secrets(settings)
    assert [each.partition(":")[0] for each in said] == ["sources[1].url", "senders[0].url", "postfix_policy.url"]
    assert SECRET not in " ".join(said)


def test_it_is_logged_when_the_workers_start(caplog):
    crew = crew_for(Settings(sources=[{"type": "freeswitch-esl", "host": "far.example.com", "password": SECRET}]))
    assert not caplog.records
    clock, sources = SystemClock(), Sources()
    crew(Surroundings(Ingest(MemoryStream(clock), clock, sources), sources, clock), [])
    (told,) = [vars(each) for each in caplog.records if each.message == "secret_readable"]
    assert (told["levelname"], told["setting"].partition(";")[0]) == (
        "WARNING",
        "sources[0].host: anybody on the way to far.example.com can read password",
    )
