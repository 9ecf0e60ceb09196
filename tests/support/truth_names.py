"""The names that people give to what is asked of a queue: each of a measure, and the names that mean the same."""

NAMES = {
    "blocking": "p_block p_blocking p_loss loss blocking_probability block_prob b erlang_b gos grade_of_service",
    "p_wait": "p_delay prob_wait pw waiting_probability p_all_busy prob_delay p_waiting c erlang_c",
    "p_no_wait": "p_immediate prob_no_wait p_idle_agent p_zero_wait immediate_answer",
    "p_empty": "p_idle p0 p_0",
    "mean_wait": "mean_wait_all wait_all awt ew wq mean_waiting_time avg_wait asa_all mean_delay mean_wait_time "
    "waiting_time wait",
    "asa": "asa_answered mean_wait_answered mean_wait_served asa_served speed_to_answer average_speed_of_answer "
    "mean_wait_given_served mean_wait_given_answered",
    "mean_wait_abandoned": "mean_wait_of_abandoned wait_abandoned mean_wait_abandon mean_time_to_abandon "
    "mean_wait_given_abandoned wait_given_abandoned",
    "mean_wait_given_wait": "mean_wait_delayed mean_wait_waited asa_delayed mean_wait_if_wait mean_wait_of_delayed "
    "mean_wait_waiting",
    "mean_queue": "queue_length lq mean_queue_length mean_waiting backlog avg_queue queue queue_size mean_queue_size "
    "avg_queue_size queue_mean queue_avg q_avg",
    "var_queue": "queue_variance variance_queue var_queue_length",
    "sd_queue": "std_queue queue_sd",
    "mean_in_system": "l mean_number mean_number_in_system ls",
    "var_in_system": "var_number variance_in_system",
    "sd_in_system": "std_in_system",
    "mean_time_in_system": "w ws sojourn mean_sojourn",
    "mean_busy": "busy busy_servers mean_busy_servers busy_agents carried carried_load mean_busy_agents busy_mean "
    "busy_avg",
    "occupancy": "utilisation utilization rho achieved_occupancy occupancy_ratio",
    "p_abandon": "abandonment abandonment_ratio abandon_rate prob_abandon pab abandonment_probability abandon_ratio "
    "abandonment_rate p_abandonment p_abandoned p_ab",
    "p_answered": "p_served prob_served",
    "offered": "arrivals calls arrived contacts",
    "answered": "served",
    "abandoned": "abandons abandonments",
    "lost": "lost_traffic lost_load",
    "agents": "servers raw_positions required_agents min_agents n",
    "positions": "agents_with_shrinkage positions_with_shrinkage scheduled_agents agents_scheduled staff headcount",
    "load": "erlangs intensity offered_load traffic_intensity",
}
CANONICAL = {alias: name for name, aliases in NAMES.items() for alias in aliases.split()}
GIVEN = {"served": "served", "answered": "served", "abandoned": "abandoned", "abandon": "abandoned", "wait": "wait"}
LEVELS = {
    "service_level": "answered_within / offered",
    "sl": "answered_within / offered",
    "sl_achieved": "answered_within / offered",
    "sl_offered": "answered_within / offered",
    "sl_answered": "answered_within / answered",
    "sl_served": "answered_within / answered",
    "sl_excl": "answered_within / offered - abandoned_within",
    "sl_excl_short_abandons": "answered_within / offered - abandoned_within",
    "sl_less_short_abandons": "answered_within / offered - abandoned_within",
    "sl_less_abandons": "answered_within / offered - abandoned",
    "sl_positive": "answered_within + abandoned_within / offered",
    "sl_incl_abandons": "answered_within + abandoned_within / offered",
}
BASES = {
    **dict.fromkeys(("sl", "sl_lt", "sl_le", "sl_within"), "service_level"),
    **dict.fromkeys(("p", "pi", "p_n", "p_n_eq", "p_in_system", "state", "prob_state"), "p_state"),
    "p_wait_lt": "p_wait_le",
}
