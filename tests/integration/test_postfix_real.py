"""Real Postfix: a campaign waits in a sending queue while the gate holds, and arrives once, whatever dies meanwhile."""

import signal
import smtplib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import NamedTuple

import pytest

from tests.support.policy_server import a_policy_server
from tests.support.postfix import Postfix, a_mail_folder, a_postfix, free_port, need_postfix
from tests.support.senders import open_gate, save_policy, tell, wait_for_gate
from tests.support.server import a_server
from tests.support.shell import wait_until
from tests.support.smtp_sink import SmtpSink, an_smtp_sink

NEWS, RECEIPTS = "news@shop.example", "receipts@shop.example"
BUSY = "450 4.7.1 <DATA>: Data command rejected: contact center busy, retry later"
DEAD = "451 4.3.5 <DATA>: Data command rejected: later"
_numbers = count(1)


class Mail(NamedTuple):
    """What a campaign passes: who sends it, Postfix that keeps it, Postfix that asks, and where it arrives."""

    sending: Postfix
    gated: Postfix
    sink: SmtpSink
    port: int

    def send(self, sender: str, number: int) -> Counter[tuple[str, str]]:
        """Hand that many messages to the sending Postfix; return what must arrive."""
        names = [f"{next(_numbers)}" for _ in range(number)]
        with ThreadPoolExecutor(4) as several:
            list(several.map(lambda part: self._hand_over(sender, part), (names[start::4] for start in range(4))))
        return Counter({(f"<{name}@shop.example>", f"person-{name}@customers.example"): 1 for name in names})

    def _hand_over(self, sender, names):
        with smtplib.SMTP("127.0.0.1", self.sending.port, timeout=30) as connection:
            for name in names:
                content = f"Message-ID: <{name}@shop.example>\r\nSubject: offers\r\n\r\nHello\r\n"
                connection.sendmail(sender, [f"person-{name}@customers.example"], content)

    def settled(self) -> int:
        """Return how many deliveries were made, once nothing that was let through is still on its way."""
        wait_until(lambda: self.gated.waiting == 0, "what was let through to be delivered")
        return self.sink.deliveries

    def arrive(self, number: int) -> None:
        """Have the sending Postfix try again and again until so many deliveries were made."""

        def all_are_there():
            if self.sink.deliveries < number and self.sending.busy == 0:
                self.sending.flush()
            return self.sink.deliveries >= number

        wait_until(all_are_there, f"{number} deliveries")


@pytest.fixture(scope="module")
def instances():
    need_postfix()
    port = free_port()
    asks = f"check_policy_service {{ inet:127.0.0.1:{port}, timeout=20s, {{ default_action=451 4.3.5 later }} }}"
    with a_mail_folder() as folder, an_smtp_sink() as sink:
        at_the_sink = f"[127.0.0.1]:{sink.port}"
        with (
            a_postfix(folder / "gated", relayhost=at_the_sink, smtpd_data_restrictions=asks) as gated,
            a_postfix(
                folder / "sending",
                relayhost=f"[127.0.0.1]:{gated.port}",
                minimal_backoff_time="10s",
                maximal_backoff_time="10s",
            ) as sending,
        ):
            yield Mail(sending, gated, sink, port)


@pytest.fixture
def mail(instances):
    instances.sink.clear()
    return instances


def permits(client):
    return client.get("/api/v1/permits?limit=500").json()["items"]


def hold(server):
    with server.client() as client:
        tell(client, backlog=99)
        save_policy(client)
        wait_for_gate(client, "hold")


def test_a_thousand_messages_wait_while_the_gate_holds_and_arrive_once_when_it_opens(mail, tmp_path):
    with a_server(tmp_path) as server, a_policy_server(tmp_path, server.url, wave=300, listen=f"127.0.0.1:{mail.port}"):
        hold(server)
        campaign = mail.send(NEWS, 1000)
        receipts = mail.send(RECEIPTS, 5)
        mail.sink.wait_for(5)
        wait_until(lambda: mail.sending.log.count("status=deferred") >= 1000, "every message to be tried")
        assert mail.sink.copies == receipts
        assert mail.sending.waiting == 1000
        assert BUSY in mail.sending.log

        open_gate(server)
        mail.arrive(1005)
        wait_until(lambda: mail.sending.waiting + mail.gated.waiting == 0, "both queues to be empty")
        assert mail.sink.copies == campaign + receipts
        with server.client() as client:
            wait_until(lambda: sum(each["sent"] for each in permits(client)) == 1000, "all to be reported")


def test_bulk_mail_waits_while_anything_is_dead_and_still_arrives_once(mail, tmp_path):
    port, listen = str(free_port()), f"127.0.0.1:{mail.port}"
    with a_server(tmp_path, "--port", port) as server:
        open_gate(server)
        with a_policy_server(tmp_path, server.url, wave=50, gap=1, listen=listen) as policy:
            campaign = mail.send(NEWS, 200)
            mail.arrive(20)
            server.stop(signal.SIGKILL)
            wait_until(lambda: "postfix_policy_unanswered" in "".join(policy.printed), "holdfire to be missed")
            came = mail.settled()
            receipts = mail.send(RECEIPTS, 1)
            mail.arrive(came + 1)
            assert mail.settled() == came + 1 < 200

            with a_server(tmp_path, "--port", port) as again, again.client() as client:
                open_gate(again)
                mail.arrive(came + 20)
                policy.stop(signal.SIGKILL)
                came = mail.settled()
                mail.sending.flush()
                wait_until(lambda: DEAD in mail.sending.log, "the policy server to be missed")
                assert mail.settled() == came < 201

                with a_policy_server(tmp_path, server.url, wave=200, listen=listen):
                    mail.arrive(201)
                    wait_until(lambda: mail.sending.waiting + mail.gated.waiting == 0, "both queues to be empty")
                assert mail.sink.copies == campaign + receipts
                assert sum(each["sent"] for each in permits(client)) <= 200
