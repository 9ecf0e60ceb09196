# ruff: noqa: INP001 - a file to copy into a DAG folder, no package
"""An Airflow DAG that waits until the contact center can take a campaign, then runs the task that sends it.

Connections: `holdfire` (HTTP: its host, and the key's scope `readiness` in the password), `smtp_default` (SMTP).
How and why: docs/howto/recipes/airflow.md.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.http.sensors.http import HttpSensor
from airflow.providers.smtp.operators.smtp import EmailOperator
from airflow.sdk import dag

GATE, CAMPAIGN, AUDIENCE = "default", "spring", 500_000
KEY = "{{ conn.holdfire.password }}"


def may_go(response: Any) -> bool:
    """Tell whether this answer is a go for this send: the whole audience, at this gate, now.

    A page of some proxy, a half of an answer, a redirect, a 202 and a hold answered 200 are none.
    """
    try:
        answer = response.json()
    except ValueError:
        return False
    return (
        response.status_code == 200  # noqa: PLR2004 - the one status that is a go
        and isinstance(answer, dict)
        and answer.get("proceed") is True
        and answer.get("decision") == "send"
        and (answer.get("gate"), answer.get("requested")) == (GATE, AUDIENCE)
    )


@dag(dag_id="holdfire_gate", schedule=None, catchup=False, max_active_runs=1)
def holdfire_gate() -> None:
    """Ask, wait, send once."""
    may_go_now = HttpSensor(
        task_id="may_go_now",
        http_conn_id="holdfire",
        endpoint="/api/v1/readiness",
        request_params={"gate": GATE, "campaign": CAMPAIGN, "audience": AUDIENCE},
        headers={"Authorization": f"Bearer {KEY}"},
        response_check=may_go,
        response_error_codes_allowlist=["429", "503"],  # hold, and "cannot tell": ask again; all else fails the task
        extra_options={"timeout": 10, "allow_redirects": False},
        # Not deferrable: its trigger knows no response_check, and asks again without any pause on 429.
        deferrable=False,
        mode="reschedule",  # holds no worker while it waits
        poke_interval=60,
        timeout=3 * 3600,  # give up: the task fails, and nothing is sent
        retries=5,  # a lost connection fails the task; this is how it is asked again
        retry_delay=timedelta(minutes=1),
    )
    send_campaign = EmailOperator(  # yours goes here
        task_id="send_campaign",
        to="everybody@lists.example.com",
        from_email="news@example.com",
        subject="Spring sale",
        html_content="<p>It is spring.</p>",
        trigger_rule="all_success",  # with all_done, none_failed and the like it would run after a gate that failed
        retries=0,  # a send that failed in the middle must not be sent anew by itself
    )
    may_go_now >> send_campaign


holdfire_gate()
