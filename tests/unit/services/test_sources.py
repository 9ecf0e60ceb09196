from app.ports.sources import KEPT_REFUSALS, Fed, Refusal
from app.services import sources as module
from app.services.sources import Sources
from tests.support.builders import NOW, after, an_observation

NO = Refusal(NOW, "/backlog", "no")


def test_counts_add_up_and_the_newest_instant_stays():
    sources = Sources()
    sources.heard("acd", accepted=2, duplicates=1, rejected=0, observed_at=after(10), at=NOW)
    sources.heard("acd", accepted=1, duplicates=0, rejected=1, observed_at=after(5), at=after(1), refusals=[NO])
    (health,) = sources.all()
    assert (health.accepted, health.duplicates, health.rejected) == (3, 1, 1)
    assert health.last_observed_at == after(10)
    assert health.last_success_at == after(1)
    assert (health.status, health.last_error) == ("ok", "no")


def test_failures_count_up_until_something_arrives():
    sources = Sources()
    for second in range(3):
        sources.failed("acd", "connection refused", after(second))
    (health,) = sources.all()
    assert (health.consecutive_failures, health.status, health.last_error) == (3, "failing", "connection refused")
    sources.heard("acd", accepted=0, duplicates=1, rejected=0, observed_at=NOW, at=after(4))
    assert (health.consecutive_failures, health.status) == (0, "ok")


def test_a_worker_says_what_it_is_doing():
    sources = Sources()
    sources.working("pbx", "queue_log", "following", NOW, path="queue_log", line=7)
    sources.working("pbx", "queue_log", "waiting", after(1), path="queue_log")
    (health,) = sources.all()
    assert (health.kind, health.status) == ("queue_log", "waiting")
    assert health.details == {"path": "queue_log", "reported_at": after(1)}


def test_only_so_many_sources_are_remembered_and_the_longest_silent_goes_first():
    sources = Sources(limit=2)
    for name in ("b", "a", "b", "c"):
        sources.heard(name, accepted=1, duplicates=0, rejected=0, observed_at=NOW, at=NOW)
    assert [health.name for health in sources.all()] == ["b", "c"]


def test_the_last_refusals_stay_and_the_newest_is_the_last_error():
    sources = Sources()
    for number in range(KEPT_REFUSALS + 5):
        refused = NO._replace(detail=f"fault {number}")
        sources.heard("acd", accepted=0, duplicates=0, rejected=1, observed_at=None, at=NOW, refusals=[refused])
    (health,) = sources.all()
    assert [each.detail for each in health.refusals] == [f"fault {number}" for number in range(5, KEPT_REFUSALS + 5)]
    assert (health.last_error, health.rejected) == (f"fault {KEPT_REFUSALS + 4}", KEPT_REFUSALS + 5)


def test_queues_keep_the_newest_instant_and_the_channel_that_was_named():
    sources, sample = Sources(), an_observation()
    sources.sampled("acd", sample, {"orders": Fed(after(10), "voice"), "billing": Fed(NOW, None)})
    sources.sampled("acd", sample, {"orders": Fed(after(5), None)})
    (health,) = sources.all()
    assert sources.find("acd") is health
    assert health.sample == sample
    assert health.queues == {"billing": Fed(NOW, None), "orders": Fed(after(10), "voice")}
    assert sources.find("nobody") is None


def test_only_so_many_queues_of_a_source_are_remembered(monkeypatch):
    monkeypatch.setattr(module, "MAX_QUEUES", 2)
    sources = Sources()
    for queue in ("a", "b", "a", "c"):
        sources.sampled("acd", an_observation(), {queue: Fed(NOW, None)})
    (health,) = sources.all()
    assert list(health.queues) == ["a", "c"]


def test_what_is_rejected_beside_what_is_taken_is_no_failure():
    sources = Sources()
    sources.heard("acd", accepted=1, duplicates=0, rejected=0, observed_at=NOW, at=NOW)
    sources.heard("acd", accepted=0, duplicates=0, rejected=2, observed_at=None, at=NOW, refusals=[NO], beside=True)
    (health,) = sources.all()
    assert (health.status, health.consecutive_failures, health.rejected) == ("ok", 0, 2)
    sources.heard("acd", accepted=0, duplicates=0, rejected=1, observed_at=None, at=NOW, refusals=[NO])
    assert (health.status, health.consecutive_failures) == ("sends nothing acceptable", 1)


def test_a_worker_that_works_again_fails_no_more():
    sources = Sources()
    sources.failed("acd", "connection refused", NOW)
    sources.working("acd", "http-json", "working", after(1))
    assert sources.all()[0].consecutive_failures == 0
