"""Real Postfix: a campaign waits in a sending queue while the gate holds, and arrives once, whatever dies meanwhile."""

import re
import signal
import smtplib
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.policy_server import a_policy_server
from tests.support.postfix import Postfix, a_mail_folder, a_postfix, free_port, need_postfix
from tests.support.senders import open_gate, save_policy, tell, wait_for_gate
from tests.support.server import REPOSITORY, a_server
from tests.support.shell import wait_until
from tests.support.smtp_sink import SmtpSink, an_smtp_sink

NEWS, RECEIPTS = "news@shop.example", "receipts@shop.example"
BUSY = "450 4.7.1 <DATA>: Data command rejected: contact center busy, retry later"
DEAD = "451 4.3.5 <DATA>: Data command rejected: try again later"
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


def documented(number: int, port: int, folder: Path) -> dict[str, str]:
    """Return the settings of main.cf that the page for operators shows, its first or second lot."""
    page = (REPOSITORY / "docs/howto/gate-any-mail-server-with-postfix.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    lots = [text for language, text in blocks if not language and "smtpd_" in text]
    text = lots[number].replace(":10040", f":{port}").replace("/etc/postfix/", f"{folder}/")
    settings = dict(re.findall(r"^(\w+) = *\n?(.*?)\n(?=\S|\Z)", text, re.MULTILINE | re.DOTALL))
    assert "smtpd_data_restrictions" in settings
    return settings


@pytest.fixture(scope="module")
def instances():
    need_postfix()
    port = free_port()
    with a_mail_folder() as folder, an_smtp_sink() as sink:
        at_the_sink = f"[127.0.0.1]:{sink.port}"
        with (
            a_postfix(folder / "gated", relayhost=at_the_sink, **documented(0, port, folder)) as gated,
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


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with a_server(tmp_path_factory.mktemp("holdfire")) as server:
        yield server


def reported(server):
    """Return how many were reported as sent, over all permits."""
    with server.client() as client:
        return sum(each["sent"] for each in client.get("/api/v1/permits?limit=500").json()["items"])


def hold(server):
    with server.client() as client:
        tell(client, backlog=99)
        save_policy(client)
        wait_for_gate(client, "hold")


def test_a_thousand_messages_wait_while_the_gate_holds_and_arrive_once_when_it_opens(mail, server, tmp_path):
    hold(server)
    before = reported(server)
    with a_policy_server(tmp_path, server.url, wave=300, listen=f"127.0.0.1:{mail.port}"):
        campaign = mail.send(NEWS, 1000)
        receipts = mail.send(RECEIPTS, 5)
        mail.sink.wait_for(5, seconds=30)
        wait_until(lambda: mail.sending.log.count("status=deferred") >= 1000, "every message to be tried")
        assert mail.sink.copies == receipts
        wait_until(lambda: mail.sending.waiting == 1000, "every message to wait")
        assert BUSY in mail.sending.log

        open_gate(server)
        mail.arrive(1005)
        wait_until(lambda: mail.sending.waiting + mail.gated.waiting == 0, "both queues to be empty")
        assert mail.sink.copies == campaign + receipts
        wait_until(lambda: reported(server) - before == 1000, "all to be reported")


def test_bulk_mail_waits_while_anything_is_dead_and_still_arrives_once(mail, tmp_path):
    port, listen = str(free_port()), f"127.0.0.1:{mail.port}"
    with a_server(tmp_path, "--port", port) as server:
        open_gate(server)
        with a_policy_server(tmp_path, server.url, wave=50, gap=1, listen=listen) as policy:
            campaign = mail.send(NEWS, 120)
            mail.arrive(20)
            server.stop(signal.SIGKILL)
            wait_until(lambda: "postfix_policy_unanswered" in "".join(policy.printed), "holdfire to be missed")
            came = mail.settled()
            receipts = mail.send(RECEIPTS, 1)
            mail.arrive(came + 1)
            assert mail.settled() == came + 1 < 120

            with a_server(tmp_path, "--port", port) as again:
                open_gate(again)
                mail.arrive(came + 20)
                policy.stop(signal.SIGKILL)
                came = mail.settled()
                mail.sending.flush()
                wait_until(lambda: DEAD in mail.sending.log, "the policy server to be missed")
                assert mail.settled() == came < 121

                with a_policy_server(tmp_path, server.url, wave=120, listen=listen):
                    mail.arrive(121)
                    wait_until(lambda: mail.sending.waiting + mail.gated.waiting == 0, "both queues to be empty")
                assert mail.sink.copies == campaign + receipts
                assert reported(again) <= 120


def hand_over(postfix: Postfix, sender: str, recipients: int) -> str:
    """Hand one message to so many to a Postfix; return how it was refused, "" where it was taken."""
    name = next(_numbers)
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as connection:
        try:
            to = [f"person-{name}-{each}@customers.example" for each in range(recipients)]
            connection.sendmail(sender, to, f"Message-ID: <{name}@shop.example>\r\n\r\nHello\r\n")
        except smtplib.SMTPDataError as refused:
            return f"{refused.smtp_code} {refused.smtp_error!r}"
        except smtplib.SMTPRecipientsRefused as refused:
            return " ".join({f"{code} {text!r}" for code, text in refused.recipients.values()})
    return ""


def test_a_message_that_is_asked_about_three_times_counts_each_recipient_once(mail, server, tmp_path):
    hold(server)
    before = reported(server)
    ask = f"check_policy_service inet:127.0.0.1:{mail.port}"
    lists = ("smtpd_recipient_restrictions", "smtpd_data_restrictions", "smtpd_end_of_data_restrictions")
    with (
        a_mail_folder() as folder,
        a_policy_server(tmp_path, server.url, listen=f"127.0.0.1:{mail.port}"),
        a_postfix(folder, relayhost=f"[127.0.0.1]:{mail.sink.port}", **dict.fromkeys(lists, ask)) as gated,
    ):
        assert "4.7.1" in hand_over(gated, NEWS, 3)
        open_gate(server)
        wait_until(lambda: hand_over(gated, NEWS, 3) == "", "the message to pass")
        assert hand_over(gated, NEWS, 2) == ""
        mail.sink.wait_for(5)
        wait_until(lambda: reported(server) - before == 5, "both to be reported")


def test_where_only_bulk_mail_is_asked_about_no_other_depends_on_the_policy_server(mail):
    with a_mail_folder() as folder:
        (folder / "bulk_senders").write_text(f"{NEWS} holdfire\n")
        subprocess.run(["postmap", str(folder / "bulk_senders")], check=True)
        settings = documented(1, mail.port, folder) | {"relayhost": f"[127.0.0.1]:{mail.sink.port}"}
        with a_postfix(folder / "gated", **settings) as gated:
            assert hand_over(gated, RECEIPTS, 1) == ""
            assert hand_over(gated, NEWS, 1).startswith("451 b'4.3.5 ")
        mail.sink.wait_for(1)
    assert {each.sender for each in mail.sink.received} == {RECEIPTS}
