"""What the Grafana dashboards in docker/grafana/dashboards show, as tables; scripts.draw_dashboards writes them."""

# ruff: noqa: INP001 -- a script, not a package

from scripts.panels import (
    HALF,
    ON,
    QUARTER,
    RATE,
    VERDICT,
    WIDE,
    Dashboard,
    Panel,
    Row,
    of_queue,
    per_second,
    percentile,
)

FLOOR_AND_GATES = Dashboard(
    uid="holdfire-floor-and-gates",
    title="Floor and gates",
    about="What each gate says and said, the floor beside the limits it is judged by, and how old what we know is.",
    choices={
        "gate": "label_values(holdfire_readiness_state, gate)",
        "queue": "label_values(holdfire_queue_last_sample_timestamp_seconds, queue)",
    },
    rows=[
        Row(
            "Gates",
            [
                Panel("Now", {"{{gate}}": VERDICT}, kind="stat", width=QUARTER),
                Panel("Verdict over time", {"{{gate}}": VERDICT}, kind="state-timeline", width=WIDE - QUARTER),
                Panel(
                    "Overrides in force",
                    {
                        "{{effect}} {{gate}}, ends in": (
                            'max by (gate, effect) (holdfire_override_expiry_timestamp_seconds{gate=~"$gate"}) - time()'
                        )
                    },
                    unit="s",
                    about="Time until the last one in force ends. Nothing here: none is in force.",
                ),
                Panel(
                    "Messages under way",
                    {
                        "may still be sent, {{gate}}": (
                            'max by (gate) (holdfire_permits_outstanding_messages{gate=~"$gate"})'
                        ),
                        "sent in the last hour, {{gate}}": (
                            'max by (gate) (holdfire_permits_sent_last_hour_messages{gate=~"$gate"})'
                        ),
                    },
                ),
                Panel(
                    "Outlook: a limit breaks though nothing more is sent",
                    {"{{gate}}": 'max by (gate) (holdfire_outlook_breach_probability{gate=~"$gate"})'},
                    unit="percentunit",
                ),
            ],
        ),
        Row(
            "Floor",
            [
                of_queue("holdfire_queue_contacts", "Backlog", "short", "backlog"),
                of_queue("holdfire_queue_oldest_contact_age_seconds", "Oldest wait", "s", "oldest_wait_seconds"),
                of_queue("holdfire_queue_abandonment_ratio", "Abandonment", "percentunit", "abandonment_ratio"),
                of_queue("holdfire_queue_service_level_ratio", "Service level", "percentunit", "service_level_ratio"),
                of_queue("holdfire_queue_speed_to_answer_seconds", "Speed to answer", "s", "speed_to_answer_seconds"),
                of_queue("holdfire_queue_handle_time_seconds", "Handle time", "s", "handle_time_seconds"),
                of_queue("holdfire_queue_occupancy_ratio", "Occupancy", "percentunit", "occupancy_ratio"),
                Panel(
                    "Agents",
                    {"{{state}} {{queue}}": 'max by (queue, state) (holdfire_queue_agents{queue=~"$queue"})'},
                    about="Available and busy are part of staffed.",
                ),
                Panel(
                    "Age of what is known",
                    {
                        "{{queue}}": (
                            'time() - max by (queue) (holdfire_queue_last_sample_timestamp_seconds{queue=~"$queue"})'
                        )
                    },
                    unit="s",
                    warns_at=120,
                    about="Values stay at the last ones known when a source goes silent: read them with their age.",
                ),
            ],
        ),
        Row(
            "Campaigns and email tools",
            [
                Panel("Campaigns", {"{{state}}": "max by (state) (holdfire_campaigns)"}, width=HALF),
                Panel(
                    "Sent though it must not be",
                    {"{{sender}}": "max by (sender) (holdfire_sender_unstopped_campaigns)"},
                    width=HALF,
                    warns_at=1,
                    about="Campaigns that a tool goes on sending after it was told to stop. Stop them by hand.",
                ),
            ],
        ),
    ],
)

RUNNING = Dashboard(
    uid="holdfire-running",
    title="Running holdfire",
    about="Whether the replicas are well: requests, readiness, ingest, evaluation, deliveries, sockets, processes.",
    choices={"instance": 'label_values(up{job="holdfire"}, instance)'},
    rows=[
        Row(
            "Replicas",
            [
                Panel("Up", {"{{instance}}": f'up{{job="holdfire", {ON}}}'}, kind="stat", width=QUARTER),
                Panel(
                    "Since its last evaluation",
                    {"{{instance}}": f"time() - holdfire_evaluator_last_run_timestamp_seconds{{{ON}}}"},
                    unit="s",
                    width=QUARTER,
                    warns_at=5,
                    about="Five seconds late, gates are answered as unknown.",
                ),
                Panel(
                    "States per gate",
                    {"{{gate}}": ("count by (gate) (count by (gate, state) (holdfire_readiness_state == 1))")},
                    width=QUARTER,
                    least=0,
                    warns_at=2,
                    about="More than one for longer than seconds: the replicas do not agree.",
                ),
                Panel(
                    "Since the outlook was made",
                    {"{{gate}}": "time() - max by (gate) (holdfire_outlook_last_run_timestamp_seconds)"},
                    unit="s",
                    width=QUARTER,
                    warns_at=120,
                ),
            ],
        ),
        Row(
            "Readiness",
            [
                Panel(
                    "Answers",
                    {"{{verdict}}": per_second("holdfire_readiness_checks_total", "verdict")},
                    unit="reqps",
                ),
                Panel(
                    "Time to answer",
                    {f"p{part}": percentile(part, "holdfire_readiness_check_duration_seconds") for part in (50, 99)},
                    unit="s",
                ),
                Panel(
                    "Missing in the decision log",
                    {"{{instance}}": f"increase(holdfire_audit_write_failures_total{{{ON}}}[{RATE}])"},
                    warns_at=1,
                ),
            ],
        ),
        Row(
            "Requests",
            [
                Panel(
                    "Rate",
                    {"{{method}} {{route}}": per_second("holdfire_http_requests_total", "method, route")},
                    unit="reqps",
                ),
                Panel(
                    "Errors of ours",
                    {
                        "{{status}} {{route}}": per_second(
                            "holdfire_http_requests_total", "route, status", ', status=~"5.."'
                        )
                    },
                    unit="reqps",
                    about="503: the database or the stream could not be reached.",
                ),
                Panel(
                    "Time to answer, p99",
                    {"{{route}}": percentile(99, "holdfire_http_request_duration_seconds", "route, le")},
                    unit="s",
                ),
                Panel(
                    "Refused",
                    {
                        "{{kind}}": per_second("holdfire_auth_failures_total", "kind"),
                        "too often": f"sum(rate(holdfire_client_rate_refused_total{{{ON}}}[{RATE}]))",
                    },
                    unit="reqps",
                ),
                Panel("Live sockets", {"{{instance}}": f"holdfire_ws_connections{{{ON}}}"}),
                Panel(
                    "Live sockets ended by us",
                    {"{{reason}}": per_second("holdfire_ws_dropped_total", "reason")},
                    unit="cps",
                ),
            ],
        ),
        Row(
            "Sources",
            [
                Panel(
                    "Observations and contact events",
                    {"{{outcome}} {{source}}": per_second("holdfire_ingest_samples_total", "source, outcome")},
                    unit="cps",
                ),
                Panel(
                    "Behind the source's own time",
                    {"{{source}}": "max by (source) (holdfire_ingest_lag_seconds)"},
                    unit="s",
                    least=None,
                ),
                Panel(
                    "Failures since the last success",
                    {
                        "source {{source}}": "max by (source) (holdfire_source_consecutive_failures)",
                        "tool {{sender}}": "max by (sender) (holdfire_sender_consecutive_failures)",
                    },
                    warns_at=5,
                ),
            ],
        ),
        Row(
            "Webhooks",
            [
                Panel("Deliveries waiting", {"waiting": "max(holdfire_webhook_deliveries_pending)"}, width=HALF),
                Panel(
                    "Deliveries tried",
                    {"{{outcome}}": per_second("holdfire_webhook_deliveries_total", "outcome")},
                    unit="cps",
                    width=HALF,
                ),
            ],
        ),
        Row(
            "Processes",
            [
                Panel(
                    "CPU",
                    {"{{instance}}": f'rate(process_cpu_seconds_total{{job="holdfire", {ON}}}[{RATE}])'},
                    unit="percentunit",
                    width=QUARTER,
                ),
                Panel(
                    "Memory",
                    {"{{instance}}": f'process_resident_memory_bytes{{job="holdfire", {ON}}}'},
                    unit="bytes",
                    width=QUARTER,
                ),
                Panel(
                    "Open files, of those allowed",
                    {
                        "{{instance}}": (
                            f'process_open_fds{{job="holdfire", {ON}}} / process_max_fds{{job="holdfire", {ON}}}'
                        )
                    },
                    unit="percentunit",
                    width=QUARTER,
                    warns_at=0.8,
                ),
                Panel(
                    "Running for",
                    {
                        "{{instance}} {{version}}": (
                            f'(time() - process_start_time_seconds{{job="holdfire", {ON}}}) '
                            "* on (instance) group_left (version) holdfire_build_info"
                        )
                    },
                    unit="s",
                    width=QUARTER,
                ),
            ],
        ),
    ],
)
DASHBOARDS = {"floor-and-gates.json": FLOOR_AND_GATES, "running-holdfire.json": RUNNING}
