"""What holds for every test: reproducible Hypothesis runs, and no skipping where a green run must mean something."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

STRICT = os.environ.get("CI") == "true"

settings.register_profile("dev", max_examples=40, deadline=None)
settings.register_profile("thorough", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if STRICT else "dev"))


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
