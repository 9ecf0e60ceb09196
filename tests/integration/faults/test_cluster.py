"""The whole cluster under load, while its parts are replaced, killed and stopped one after the other."""

import signal
import time
from collections.abc import Iterable

from tests.integration.faults.load import a_load, note
from tests.support.cluster import WholeCluster, a_cluster
from tests.support.found import find
from tests.support.reference import faults
from tests.support.replicas import LAG_SECONDS, rows
from tests.support.shell import wait_until
from tests.support.told import now_us

SEED = 23
SOURCE = """
[[sources]]
type = "queue-log"
name = "pbx-1"
path = "{path}"
"""


def test_every_part_is_replaced_or_lost_in_turn_and_nothing_acknowledged_is_lost_or_doubled(tmp_path):
    note(f"seed {SEED}")
    log = tmp_path / "queue_log"
    log.write_text(f"{int(time.time())}|7.1|sales|NONE|ENTERQUEUE||anon|1\n")
    with a_cluster(tmp_path, toml=SOURCE.format(path=log)) as cluster, a_load(cluster.url, SEED, writers=4) as load:
        load.wait_for(40)
        for number in range(len(cluster.replicas)):  # a rolling upgrade
            cluster.end(number, signal.SIGTERM)
            cluster.begin_again(number)
        load.recovered("all replicas replaced", now_us())
        kill_the_leader(cluster)
        load.recovered("the leader killed", now_us())
        cluster.postgresql.stop()
        load.wait_for(20)  # the stream is in NATS
        cluster.postgresql.start()
        load.recovered("PostgreSQL restarted", now_us())
        cluster.nats.crash()
        cluster.nats.start()
        load.recovered("NATS killed", now_us())
        load.end()
        wait_until(lambda: waiting_at(cluster) == 1, "the worker's source in the history")
        wait_until(lambda: missing(cluster, load.told.observations) == 0, "all of the history to be written")
        assert faults(find(cluster.database), load.told, lag_seconds=LAG_SECONDS) == []


def kill_the_leader(cluster: WholeCluster) -> None:
    """Kill the replica that leads, and start it again once another does."""
    wait_until(lambda: cluster.leader is not None, "one to lead")
    killed = cluster.leader
    assert killed is not None
    cluster.end(killed, signal.SIGKILL)
    wait_until(lambda: cluster.leader not in {None, killed}, "another one to lead")
    cluster.begin_again(killed)


def waiting_at(cluster: WholeCluster) -> object:
    """Return how many contacts the worker's source told of."""
    return rows(cluster.database, "SELECT count(DISTINCT contact_id) FROM contact_events WHERE source = 'pbx-1'")[0][0]


def missing(cluster: WholeCluster, told: Iterable[tuple[str, str, int]]) -> int:
    """Return how many of the observations that were acknowledged are not in the history yet."""
    kept = {tuple(row) for row in rows(cluster.database, "SELECT source, queue, observed_at FROM observations")}
    return len(set(told) - kept)
