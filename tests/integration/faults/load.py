"""A busy contact center on a holdfire that may go away at any moment: sources, senders, and people who decide."""

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.support.shell import wait_until
from tests.support.told import OK, Client, Told, now_us

STALE_AFTER_SECONDS = 2
POLICY: dict[str, Any] = {
    "queues": ["*"],
    "stale_after_seconds": STALE_AFTER_SECONDS,
    "rules": [{"metric": "backlog", "hold_above": 10}],
    "max_audience_per_wave": 20,
}
FAULTY, UNAVAILABLE = 500, 503
PAUSE_SECONDS = 0.02  # while nothing answers
RECOVERY_SECONDS = 60.0  # wanted are 10; a busy machine that is four times slower takes longer to start alone


def note(text: str) -> None:
    """Say something that pytest shows with what failed, or with -rP."""
    print(text)  # noqa: T201


class Writer(threading.Thread):
    """Reports its queue, asks, takes permits and now and then changes its mind, over and over, until it is ended."""

    def __init__(self, url: str, told: Told, number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self._url, self._told, self._queue = url, told, f"queue-{number}"
        self._chance = random.Random(f"{seed}/{number}")
        self._ended = threading.Event()
        self.opened_us = 0  # when a send was heard last
        self.refused_us = 0  # when a report was answered 503 last

    def run(self) -> None:
        with Client(self._url, self._told) as client:
            unanswered, turn = "", 0
            while not self._ended.is_set():
                turn += 1
                backlog = 50 if self._chance.random() < 0.03 else 0
                at = datetime.now(UTC).isoformat()
                reported = client.report({"queue": self._queue, "source": "acd", "observed_at": at, "backlog": backlog})
                asked = client.ask(audience=1 + turn % 5)
                if asked is not None and asked.status_code == OK:
                    self.opened_us = now_us()
                unanswered = self._take(client, unanswered or f"{self._queue}/{turn}")
                if self._chance.random() < 0.02:
                    client.save(POLICY | {"max_audience_per_wave": self._chance.randint(15, 25)})
                if self._chance.random() < 0.003:
                    client.override("hold", minutes=0.01)
                if reported is not None and reported.status_code == UNAVAILABLE:
                    self.refused_us = now_us()
                if reported is None or not reported.is_success:
                    self._ended.wait(PAUSE_SECONDS)

    def _take(self, client: Client, key: str) -> str:
        """Ask for a permit; return the key where nobody answered, to be asked with again."""
        answer = client.permit(key, 1, ttl_seconds=60)
        if answer is None or answer.status_code >= FAULTY:
            return key
        if answer.status_code == OK and self._chance.random() < 0.95:
            client.release(answer.json()["permit_id"])
        return ""

    def end(self) -> None:
        self._ended.set()
        self.join(90)
        assert not self.is_alive()


class Load:
    """Some writers at once, and what they were told."""

    def __init__(self, writers: list[Writer], told: Told) -> None:
        self.writers, self.told = writers, told

    def end(self) -> None:
        """End the writers; ending them twice is fine."""
        for writer in self.writers:
            writer.end()

    def wait_for(self, more: int) -> None:
        """Return once so many more observations are acknowledged."""
        wanted = len(self.told.observations) + more
        wait_until(lambda: len(self.told.observations) >= wanted, f"{more} acknowledged")

    def recovered(self, what: str, since_us: int) -> float:
        """Return how long after an instant each writer was told `send` again; printed, too."""
        wait_until(
            lambda: all(writer.opened_us > since_us for writer in self.writers), f"{what}: a send", RECOVERY_SECONDS
        )
        seconds = (now_us() - since_us) / 1_000_000
        note(f"{what}: well again after {seconds:.2f} s")
        return seconds


@contextmanager
def a_load(url: str | Sequence[str], seed: int, writers: int = 3) -> Iterator[Load]:
    """Yield writers at work, in turn at each of several urls; they have ended when this is left."""
    told, urls = Told(), [url] if isinstance(url, str) else url
    with Client(urls[0], told) as client:
        saved = client.save(POLICY)
        assert saved is not None
        assert saved.is_success, saved.text
    load = Load([Writer(urls[number % len(urls)], told, number, seed) for number in range(writers)], told)
    for writer in load.writers:
        writer.start()
    try:
        yield load
    finally:
        load.end()
