"""A real PostgreSQL, Debian's, on loopback: one cluster per test process, one database per folder that asks for one."""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import OrderedDict
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from app.store.migrate import migrate

START_SECONDS = 60
KEPT_DATABASES = 12  # of tests that are over; each takes some 10 MB
TEMPLATE = "holdfire_template"
FOLDER = "holdfire-pg-"
# What a power cut would do to a test's data is nobody's concern; everything else is as in production.
QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off", "shared_buffers=64MB", "max_connections=200")


class Cluster:
    """A server with databases of its own, in a folder of its own; its files are gone when it is removed."""

    def __init__(self, *settings: str) -> None:
        self._programs = _programs()
        _sweep()
        self._folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-", dir=_quick_disk()))
        self._settings = settings or QUICK
        self._process: subprocess.Popen[bytes] | None = None
        self._databases: OrderedDict[str, None] = OrderedDict()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        if os.geteuid() == 0:  # the server refuses to be root
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        made = ("-D", self.data, "-U", "holdfire", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        subprocess.run([*_as_owner(), self._programs / "initdb", *made], check=True, capture_output=True)

    @property
    def data(self) -> Path:
        """Return the folder of the server's files."""
        return self._folder / "data"

    @property
    def version(self) -> int:
        """Return the server's major version."""
        return int(self._programs.parts[4])

    @property
    def pid(self) -> int:
        """Return the id of the server's first process."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def url(self, database: str) -> str:
        """Return the URL of a database, there or not."""
        return f"postgresql://holdfire@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        listen = (f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}")
        given = [part for setting in (*listen, *self._settings) for part in ("-c", setting)]
        log = (self._folder / "log").open("ab")
        program = str(self._programs / "postgres")
        command = [*_as_owner("--pdeathsig", "KILL"), program, "-D", str(self.data), *given]
        self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        log.close()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.run("SELECT 1")
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                assert self._process.poll() is None, (self._folder / "log").read_text()
                time.sleep(0.02)

    def stop(self, how: str = "fast") -> None:
        """Stop it: smart, fast, or immediate as a crash would."""
        if self._process is not None:
            command = [*_as_owner(), str(self._programs / "pg_ctl"), "stop", "-D", str(self.data), "-m", how, "-w"]
            subprocess.run(command, check=False, capture_output=True)
            self._process.wait(START_SECONDS)
            self._process = None

    def crash(self) -> None:
        """Kill every process of it, as a power cut would."""
        assert self._process is not None
        self._signal(signal.SIGSTOP)  # so that none of them begins another
        self._signal(signal.SIGKILL)
        self._process.wait(START_SECONDS)
        self._process = None

    def stand_still(self) -> None:
        """Stop all of its processes where they are; connections stay open, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let its processes go on."""
        self._signal(signal.SIGCONT)

    def remove(self) -> None:
        """Stop it and delete its files."""
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, *statements: str | sql.Composed) -> None:
        """Run statements one by one outside of any database of holdfire's, each committed at once."""
        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as connection:
            for statement in statements:
                connection.execute(statement)

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to each of its processes; every backend has a group of its own."""
        parent = self.pid
        children = subprocess.run(["pgrep", "-P", str(parent)], check=False, capture_output=True, text=True).stdout
        for process in (parent, *map(int, children.split())):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def database(self, name: str, template: str | None = None) -> str:
        """Return the URL of the database of that name; when it is not there it is made, with all tables by default.

        Of those that were made only the last few are kept.
        """
        if name not in self._databases:
            names = sql.Identifier(name), sql.Identifier(template or self._template())
            copied = sql.SQL(" STRATEGY FILE_COPY" if self.version >= 15 else "")  # what older ones do anyway
            self.run(sql.SQL("CREATE DATABASE {} TEMPLATE {}{}").format(*names, copied))
        self._databases[name] = None
        self._databases.move_to_end(name)
        while len(self._databases) > KEPT_DATABASES:
            oldest, _ = self._databases.popitem(last=False)
            self.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(oldest)))
        return self.url(name)

    @cache  # noqa: B019  # there are few clusters, and they live as long as the process
    def _template(self) -> str:
        """Return the name of a database with all tables: quicker than migrating each anew."""
        self.run(f"CREATE DATABASE {TEMPLATE}")
        migrate(self.url(TEMPLATE))
        return TEMPLATE


@cache
def cluster() -> Cluster:
    """Return this process's cluster, started when first asked for and removed when the process ends."""
    made = Cluster()
    atexit.register(made.remove)
    made.start()
    return made


def database_of(folder: Path) -> str:
    """Return the URL of a folder's database; the same folder gives the same one."""
    return cluster().url(_name(folder))


def prepared(folder: Path) -> str:
    """Return the URL of a folder's database, made with all tables unless it is there."""
    return cluster().database(_name(folder))


def bare(folder: Path) -> str:
    """Return the URL of a folder's database, made without any table unless it is there."""
    return cluster().database(_name(folder), "template0")


def _name(folder: Path) -> str:
    return f"t{sha256(str(folder).encode()).hexdigest()[:20]}"


def _programs() -> Path:
    """Return the folder of the newest PostgreSQL; skip the test where Debian's package is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        pytest.skip("needs Debian's package postgresql")
    return found[-1].parent


def _as_owner(*more: str) -> tuple[str, ...]:
    """Return what runs a command as the server's owner; it ends with this process where `more` says so."""
    user = ("--reuid", "postgres", "--regid", "postgres", "--init-groups") if os.geteuid() == 0 else ()
    return ("setpriv", *user, *more) if user or more else ()


def _sweep() -> None:
    """Delete the files of clusters whose test process was killed: they would fill the disk in memory."""
    for left in Path(_quick_disk() or tempfile.gettempdir()).glob(f"{FOLDER}*"):
        if not Path("/proc", left.name.removeprefix(FOLDER).split("-")[0]).exists():
            shutil.rmtree(left, ignore_errors=True)


def _quick_disk() -> str | None:
    memory = Path("/dev/shm")  # noqa: S108  # a disk in memory; without one the usual temporary folder does
    return str(memory) if os.access(memory, os.W_OK) else None
