"""A TaskRouter workspace: strict about the account, the paths, and the window's parameters."""

from datetime import timedelta
from typing import Any

from tests.support.vendors.strict import Answer, Asked, Vendor, Wrong, must_be, must_sign_in

USER, SECRET = "SK" + "0" * 31 + "1", "canary-twilio-secret"
WORKSPACE, QUEUE_SID, OTHER_SID = "WS" + "a" * 32, "WQ" + "b" * 32, "WQ" + "c" * 32


def real_time(pending: object = "0", reserved: object = "0", age: object = 0, **more: Any) -> dict[str, Any]:
    """Return RealTimeStatistics as the reference shows it, with tasks in conversation and busy workers."""
    return {
        "activity_statistics": [{"friendly_name": "Available", "workers": 4}],
        "longest_task_waiting_age": age,
        "longest_relative_task_age_in_queue": age,
        "tasks_by_priority": {"0": "11"},
        "tasks_by_status": {"pending": pending, "reserved": reserved, "assigned": "3", "wrapping": "2"},
        "total_available_workers": 4,
        "total_eligible_workers": 9,
        "total_tasks": 99,
    } | more


class TaskRouter(Vendor):
    """queues: RealTimeStatistics by SID; window: what CumulativeStatistics counts, None: it fails."""

    def __init__(self) -> None:
        super().__init__()
        self.queues: dict[str, dict[str, Any]] = {}
        self.window: dict[str, Any] | None = {}

    def answer(self, asked: Asked) -> Answer:
        must_sign_in(asked, USER, SECRET)
        base, _, what = asked.path.rpartition("/")
        sid = base.rpartition("/")[2]
        if sid not in self.queues:
            raise Wrong(404, "there is no such task queue")
        must_be(asked, "GET", f"/v1/Workspaces/{WORKSPACE}/TaskQueues/{sid}/{what}")
        if what == "RealTimeStatistics":
            if not set(asked.params) <= {"TaskChannel"}:
                raise Wrong(400, "parameters that there are not")
            return Answer({"task_queue_sid": sid} | self.queues[sid])
        if what != "CumulativeStatistics":
            raise Wrong(404, f"there is no {what}")
        return self._cumulative(asked)

    def table(self, **values: object) -> dict[str, object]:
        """Return the [[sources]] table that reads this workspace."""
        return {
            "type": "twilio-taskrouter",
            "name": "twilio",
            "api_url": self.url(),
            "workspace_sid": WORKSPACE,
            "username": USER,
            "password": SECRET,
            "queues": {"day-voice": QUEUE_SID},
        } | values

    def _cumulative(self, asked: Asked) -> Answer:
        if not {"Minutes", "SplitByWaitTime"} <= set(asked.params) <= {"Minutes", "SplitByWaitTime", "TaskChannel"}:
            raise Wrong(400, "it would be the default window of 15 minutes")
        if self.window is None:
            return Answer({"message": "no"}, 500)
        end = self.now().replace(microsecond=0)
        start = end - timedelta(minutes=int(asked.params["Minutes"]))
        form = "%Y-%m-%dT%H:%M:%SZ"
        return Answer({"start_time": start.strftime(form), "end_time": end.strftime(form)} | self.window)
