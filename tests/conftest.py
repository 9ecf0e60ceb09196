"""What holds for every test: reproducible Hypothesis runs, and no skipping where a green run must mean something.

Garbage is searched for seldom: what ten thousand tests consist of lives to the end, and each search would go through
all of it. That is a fifth of the work of a run.
"""

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

STRICT = os.environ.get("CI") == "true"
COLLECT_AFTER = (10_000, 20, 20)
gc.disable()  # until all tests are known

settings.register_profile("dev", max_examples=40, deadline=None)
settings.register_profile("thorough", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if STRICT else "dev"))


def pytest_collection_finish() -> None:
    """Search for garbage again, but never in what is there now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one under CI=true."""
    report = yield
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", _refusal(report.longrepr)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a module that skips itself into an error under CI=true."""
    report = yield
    if STRICT and report.skipped:
        report.outcome, report.longrepr = "failed", _refusal(report.longrepr)
    return report


def _refusal(longrepr: object) -> str:
    reason = longrepr[2] if isinstance(longrepr, tuple) else longrepr
    return f"with CI=true nothing may be skipped, and this was: {reason}"
