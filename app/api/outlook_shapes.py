"""What outlooks and plans look like in answers."""

from pydantic import Field

from app.api.schemas import Shape, text_at
from app.core.floor.metric import Metric


class OutlookLimitsShape(Shape):
    """What the predicted floor is held to; null: no limit."""

    service_level_ratio: float | None
    service_level_seconds: float
    speed_to_answer_seconds: float | None
    abandonment_ratio: float | None
    backlog: float | None
    window_seconds: float
    max_breach_probability: float
    horizon_minutes: int


class MadeFrom(Shape):
    """Where the numbers of one queue are from, in sentences."""

    queue: str
    arrivals: str
    agents: str
    handle_time: str
    patience: str


class BreachShape(Shape):
    """A limit that may break, and where that is likeliest."""

    queue: str
    metric: Metric
    unit: str
    starts_at: str = text_at()
    ends_at: str = text_at()
    expected: float | None = Field(description="of the metric in that window; null for a backlog")
    expected_if_broken: float | None = Field(description="the same, where the limit breaks")
    limit: float
    probability: float


class VerdictShape(Shape):
    """The probability that any limit breaks, and which may, the most probable first."""

    breach_probability: float
    breaches: list[BreachShape]


class BandShape(Shape):
    """An expected value with the band that holds it with 80 %; null where there is nothing to have one."""

    mean: float | None
    low: float | None
    high: float | None


class PointShape(Shape):
    """What is expected in one interval."""

    offered: float | None
    service_level_ratio: BandShape
    speed_to_answer_seconds: BandShape
    backlog: BandShape


class OutlookPoint(Shape):
    """One interval, without and with the send."""

    at: str = text_at()
    agents: int
    without: PointShape
    with_send: PointShape | None


class QueueOutlookShape(Shape):
    """What one queue will look like."""

    queue: str
    never_recovers: bool = Field(description="its backlog grows until the horizon, and no end of that is in sight")
    never_recovers_with_send: bool | None
    points: list[OutlookPoint]


class RateShape(Shape):
    """Contacts per 1,000 messages delivered: mean, and the band that holds them with 80 %."""

    mean: float
    low: float
    high: float


class PortionShape(Shape):
    """So many may be sent from then on."""

    starts_at: str = text_at()
    audience: int


class AgentsShape(Shape):
    """With so many more agents, so many could be sent now."""

    agents: int
    audience: int


class RoomShape(Shape):
    """What the gate was told that may be sent."""

    audience: int = Field(description="safe to send at once")
    next_portions: list[PortionShape] = Field(
        description="what may follow; where nothing may go now, the first that may"
    )
    more_agents: list[AgentsShape] = Field(description="fewest agents first")


class OutlookHead(Shape):
    """What every answer about an outlook begins with."""

    gate: str
    policy_version: int
    at: str = text_at()
    age_seconds: float
    known: bool = Field(description="false: something is not known that it needs; the rest is null or empty then")
    unknown: str | None = Field(description="what is not known, and why")
    limits: OutlookLimitsShape | None
    made_from: list[MadeFrom]


class OutlookAnswer(OutlookHead):
    """What a gate's queues will look like until the horizon."""

    campaign: str | None
    audience: int | None
    start_at: str | None = text_at()
    audience_shown: float | None = Field(description="less than the audience where that would drown the floor")
    contacts_per_1000: RateShape | None
    interval_seconds: float | None
    without: VerdictShape | None
    with_send: VerdictShape | None
    queues: list[QueueOutlookShape]
    room: RoomShape | None


class SafeSendShape(Shape):
    """The largest send that keeps the limits, and what forbids more."""

    audience: int
    bound: str = Field(
        description="everything, limit, already (a limit breaks anyway), send_window (closed) or no_contacts"
    )
    breach_probability: float
    forbids_more: BreachShape | None


class SpreadShape(Shape):
    """One send delivered evenly over so many minutes."""

    minutes: int
    audience: int
    breach_probability: float


class MoreAgents(Shape):
    """Who would make it safe to send everything now; by_queue null: no number does."""

    from_at: str = text_at()
    by_queue: dict[str, int] | None
    breach_probability: float


class PlanAnswer(OutlookHead):
    """How a campaign can be sent."""

    campaign: str
    audience: int
    contacts_per_1000: RateShape | None
    without: VerdictShape | None = Field(description="if nothing is sent")
    at_once: VerdictShape | None = Field(description="if all of it goes now")
    now: SafeSendShape | None
    equal_waves: list[PortionShape] | None
    greedy_waves: list[PortionShape] | None = Field(description="each the largest that is safe after those before")
    spread: SpreadShape | None
    next_window: PortionShape | None = Field(description="when what may not go now may")
    agents: MoreAgents | None


class ReplayedOutlook(Shape):
    """A kept outlook made again from what it was made from."""

    gate: str
    at: str = text_at()
    policy_version: int
    same: bool = Field(description="whether the same came out")
    found: dict[str, object]
