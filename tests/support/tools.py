"""Each email tool that holdfire drives, as a fake beside the sender that drives it: what contract tests run over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.ports.senders import Sender
from tests.support.vendors import acme, dittofeed, keila, listmonk, mailman
from tests.support.vendors.mailing import Mailer
from workers.senders.registry import Configured, configured

BROADCAST = "0f0f0f0f-1111-4222-8333-444455556666"


@dataclass(frozen=True)
class Tool:
    """A tool: its fake, the [[senders]] table that reaches it, and what its states and commands are called.

    campaign: the id of its campaign; ready: the state it begins in; start, pause: its words for commands.
    """

    kind: str
    make: Callable[[], Mailer]
    table: dict[str, Any]
    campaign: str
    ready: str
    start: str
    pause: str | None = None

    def configured(self, url: str, **members: object) -> Configured:
        """Return the sender as a configuration makes it; timeouts are short."""
        table = {"type": self.kind, "url": url, "timeout_seconds": 0.4, **self.table, **members}
        return configured([table])[str(table.get("name", self.kind))]

    def sender(self, url: str, **members: object) -> Sender:
        return self.configured(url, **members).make()


LISTMONK = Tool(
    "listmonk",
    listmonk.Listmonk,
    {"username": listmonk.USER, "password": listmonk.PASSWORD, "messages_per_second": 50},
    "12",
    "draft",
    "running",
    "paused",
)
MAILMAN = Tool(
    "mailman",
    mailman.Mailman,
    {"username": mailman.USER, "password": mailman.PASSWORD},
    "news.example.com/1",
    "held",
    "accept",
)
KEILA = Tool("keila", keila.Keila, {"bearer_token": keila.TOKEN}, "nmc_rdGvqVl7", "new", "send")
DITTOFEED = Tool(
    "dittofeed",
    dittofeed.Dittofeed,
    {"workspace_id": dittofeed.WORKSPACE, "bearer_token": dittofeed.TOKEN, "messages_per_second": 50},
    BROADCAST,
    "Draft",
    "start",
    "pause",
)
ACME = Tool("http", acme.Acme, acme.TABLE, "spring-7", "new", "go", "halt")
TOOLS = (LISTMONK, MAILMAN, KEILA, DITTOFEED, ACME)
