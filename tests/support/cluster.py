"""The whole cluster of docker/compose.cluster.yaml as processes: nginx, replicas, a worker, PostgreSQL and NATS."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.nats import Nats
from tests.support.nginx import Nginx, a_nginx
from tests.support.postgresql import Cluster as PostgreSql
from tests.support.replicas import leader, present
from tests.support.running import a_running
from tests.support.server import REPOSITORY, Server, a_port, a_server
from tests.support.shell import wait_until

DRAIN_SECONDS = 1


class WholeCluster:
    """All of it, each part to be broken by a test. `replicas` are by number; `url` is nginx's."""

    def __init__(self, folder: Path, stack: ExitStack, count: int, toml: str) -> None:
        self._folder, self._stack = folder, stack
        self.postgresql, self.nats = PostgreSql(), Nats()
        for part in (self.postgresql, self.nats):
            stack.callback(part.remove)
            part.start()
        self.database = self.postgresql.database("holdfire")
        self._ports = [a_port() for _ in range(count)]
        self.replicas = [self._begin(number) for number in range(count)]
        wait_until(lambda: len(present(self.database)) == count and self.leader is not None, "all of them at work")
        self.nginx: Nginx = stack.enter_context(
            a_nginx(folder / "nginx", [f"127.0.0.1:{port}" for port in self._ports], passes_over_after="10s")
        )
        self._begin_worker(toml)

    @property
    def url(self) -> str:
        """Return where clients ask."""
        return self.nginx.url

    @property
    def leader(self) -> int | None:
        """Return the number of the replica that leads, None while none does."""
        name = leader(self.database) or ""
        pids = [f"-{server.process.pid}-" in name for server in self.replicas]
        return pids.index(True) if True in pids else None

    def end(self, number: int, how: signal.Signals) -> None:
        """End a replica by a signal, and wait until it has ended."""
        self.replicas[number].stop(how)

    def begin_again(self, number: int) -> None:
        """Start a replica that has ended once more, and wait until it takes part."""
        begun = self.replicas[number] = self._begin(number)
        name = f"-{begun.process.pid}-"
        wait_until(lambda: any(name in each for each in present(self.database)), f"replica {number} to take part")

    def _begin(self, number: int) -> Server:
        folder, port = self._folder / f"replica{number}", self._ports[number]
        return self._stack.enter_context(a_server(folder, "--port", port, **self._environment()))

    def _begin_worker(self, toml: str) -> None:
        folder = self._folder / "worker"
        folder.mkdir()
        (folder / "holdfire.toml").write_text(toml)
        own = {"HOLDFIRE_CONFIG": str(folder / "holdfire.toml"), "HOLDFIRE_DATA_DIR": str(folder)}
        inherited = {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])}
        told = own | inherited | dict(self._environment())
        started = a_running([sys.executable, "-m", "workers"], folder, lambda _: True, told)
        self._stack.enter_context(started)

    def _environment(self) -> Mapping[str, str]:
        return {
            "HOLDFIRE_DATABASE_URL": self.database,
            "HOLDFIRE_STREAM_URL": self.nats.url(),
            "HOLDFIRE_DRAIN_SECONDS": str(DRAIN_SECONDS),
        }


@contextmanager
def a_cluster(folder: Path, replicas: int = 3, toml: str = "") -> Iterator[WholeCluster]:
    """Yield a cluster in which each part answers. toml: the worker's holdfire.toml, with its sources."""
    with ExitStack() as stack:
        yield WholeCluster(folder, stack, replicas, toml)
