"""All services of one process, built once by its wiring point and handed to whoever serves requests."""

from dataclasses import dataclass

from app.ports.clock import Clock
from app.ports.computing import Computing
from app.ports.replicas import Replicas
from app.services.accounts import Accounts
from app.services.answering import Answering
from app.services.archive import Archive
from app.services.asks import Asks
from app.services.backtests import Backtests
from app.services.briefings import Briefings
from app.services.calendars import Calendars
from app.services.callbacks import Callbacks
from app.services.campaign_gate import CampaignGate
from app.services.campaigns import Campaigns
from app.services.debriefs import Debriefs
from app.services.decisions import Decisions
from app.services.deliveries import Deliveries
from app.services.displays import Displays
from app.services.driving import Driving
from app.services.evaluator import Evaluator
from app.services.events import Events
from app.services.following import Following
from app.services.foresights import Foresights
from app.services.gates import Gates
from app.services.history import History
from app.services.ingest import Ingest
from app.services.invitations import Invitations
from app.services.keys import Keys
from app.services.learning import Learning
from app.services.notes import Notes
from app.services.opening_hours import Hours
from app.services.outlook_questions import OutlookQuestions
from app.services.outlooks import Outlooks
from app.services.overrides import Overrides
from app.services.packing import Packing
from app.services.permits import Permits
from app.services.pushes import Pushes
from app.services.queues import Queues
from app.services.readiness import Readiness
from app.services.releases import Releases
from app.services.retention import Retention
from app.services.schedules import Schedules
from app.services.scoreboards import Scoreboards
from app.services.senders import Senders
from app.services.sessions import Sessions
from app.services.sign_ins import SignIns
from app.services.sources import Sources
from app.services.staffing import Staffings
from app.services.tallies import Tallies
from app.services.trying import Trials
from app.services.values import Values
from app.services.webhooks import Webhooks
from app.services.workloads import Workloads
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """One instance per process; every field is safe to use from the event loop.

    computing: for what takes long; outlooks and plans have their own. archive: None where the database is the stream.
    """

    settings: Settings
    clock: Clock
    replicas: Replicas
    following: Following
    ingest: Ingest
    evaluator: Evaluator
    readiness: Readiness
    answering: Answering
    asks: Asks
    permits: Permits
    campaigns: Campaigns
    campaign_gate: CampaignGate
    releases: Releases
    briefings: Briefings
    calendars: Calendars
    displays: Displays
    overrides: Overrides
    events: Events
    notes: Notes
    webhooks: Webhooks
    deliveries: Deliveries
    callbacks: Callbacks
    hours: Hours
    schedules: Schedules
    staffings: Staffings
    gates: Gates
    queues: Queues
    history: History
    decisions: Decisions
    keys: Keys
    sessions: Sessions
    accounts: Accounts
    invitations: Invitations
    sign_ins: SignIns
    sources: Sources
    pushes: Pushes
    trials: Trials
    senders: Senders
    driving: Driving
    archive: Archive | None
    retention: Retention
    backtests: Backtests
    packing: Packing
    computing: Computing
    foresights: Foresights
    outlooks: Outlooks
    outlook_questions: OutlookQuestions
    tallies: Tallies
    learning: Learning
    debriefs: Debriefs
    values: Values
    scoreboards: Scoreboards
    workloads: Workloads
