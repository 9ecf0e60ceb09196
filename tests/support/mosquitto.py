"""A real MQTT broker, Debian's mosquitto, on loopback; it lets in one user."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiomqtt
import pytest

USER, PASSWORD = "holdfire", "mqtt-passw0rd"
START_SECONDS = 60


class Mosquitto:
    """A broker that can be stopped and started again on its port; what it keeps is gone then."""

    def __init__(self, folder: Path) -> None:
        self._server, keys = (_program(name) for name in ("mosquitto", "mosquitto_passwd"))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        users, self._config = folder / "users", folder / "mosquitto.conf"
        subprocess.run([keys, "-c", "-b", str(users), USER, PASSWORD], check=True, capture_output=True)
        users.chmod(0o644)  # the broker gives up being root before it reads them
        folder.chmod(0o755)
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {users}\nuser root\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self._process = subprocess.Popen(
            [self._server, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert time.monotonic() < deadline, "mosquitto did not start"
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        """End it by its id."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    async def publish(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Publish one message as somebody else."""
        async with aiomqtt.Client("127.0.0.1", self.port, username=USER, password=PASSWORD) as client:
            await client.publish(topic, payload, qos=1, retain=retain)

    def table(self, **values: object) -> dict[str, object]:
        """Return the [[sources]] table that listens to it."""
        return {
            "type": "mqtt",
            "host": "127.0.0.1",
            "port": self.port,
            "username": USER,
            "password": PASSWORD,
            "topics": ["acd/+/live"],
            "queue_level": 2,
            "mapping": {"metrics": {"backlog": "waiting"}},
        } | values


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: apt-get install mosquitto)")
    return found


@contextmanager
def a_broker(folder: Path) -> Iterator[Mosquitto]:
    """Yield a broker that runs."""
    broker = Mosquitto(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
