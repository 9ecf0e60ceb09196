"""Everything that can happen and is written down: who did what, when, to what, and why.

An event is committed in the transaction of the change it tells of, never changed afterwards, and chained by hash to
the one before it. Those marked `told` also go out by webhook to whoever subscribed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class EventType(StrEnum):
    """What happened, as `noun.verb`. The words are part of the outside contract."""

    DECISION_SEND = "decision.send"
    DECISION_THROTTLE = "decision.throttle"
    DECISION_HOLD = "decision.hold"
    DECISION_UNKNOWN = "decision.unknown"
    DECISION_ASKED = "decision.asked"
    FEED_STALE = "feed.stale"
    FEED_RECOVERED = "feed.recovered"
    GATE_CREATED = "gate.created"
    GATE_DELETED = "gate.deleted"
    POLICY_SAVED = "policy.saved"
    QUEUE_CHANGED = "queue.changed"
    KEY_CREATED = "key.created"
    KEY_CHANGED = "key.changed"
    KEY_REVOKED = "key.revoked"
    OVERRIDE_CREATED = "override.created"
    OVERRIDE_ENDED = "override.ended"
    OVERRIDE_EXPIRING = "override.expiring"
    OVERRIDE_EXPIRED = "override.expired"
    PERMIT_GRANTED = "permit.granted"
    PERMIT_REPORTED = "permit.reported"
    PERMIT_RENEWED = "permit.renewed"
    PERMIT_PAUSED = "permit.paused"
    PERMIT_RESUMED = "permit.resumed"
    PERMIT_USED = "permit.used"
    PERMIT_RELEASED = "permit.released"
    PERMIT_EXPIRED = "permit.expired"
    PERMIT_REVOKED = "permit.revoked"
    CAMPAIGN_CREATED = "campaign.created"
    CAMPAIGN_CHANGED = "campaign.changed"
    CAMPAIGN_DELETED = "campaign.deleted"
    CAMPAIGN_SCHEDULED = "campaign.scheduled"
    CAMPAIGN_DUE = "campaign.due"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_DONE = "campaign.done"
    CAMPAIGN_CANCELLED = "campaign.cancelled"
    CAMPAIGN_GAVE_UP = "campaign.gave_up"
    CAMPAIGN_DEBRIEFED = "campaign.debriefed"
    CAMPAIGN_VALUED = "campaign.valued"
    WAVE_OPENED = "wave.opened"
    WAVE_COMPLETED = "wave.completed"
    SENDER_STARTED = "sender.started"
    SENDER_PAUSED = "sender.paused"
    SENDER_FINISHED = "sender.finished"
    SENDER_MISMATCH = "sender.mismatch"
    SENDER_NOT_PAUSED = "sender.not_paused"
    BRIEFING_SAVED = "briefing.saved"
    BRIEFING_ACKNOWLEDGED = "briefing.acknowledged"
    IMAGE_ADDED = "briefing.image_added"
    IMAGE_REMOVED = "briefing.image_removed"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_DISABLED = "webhook.disabled"
    WEBHOOK_TESTED = "webhook.tested"
    FEED_TOKEN_CREATED = "calendar.token_created"
    FEED_TOKEN_REVOKED = "calendar.token_revoked"
    DISPLAY_CREATED = "display.created"
    DISPLAY_REVOKED = "display.revoked"
    STAFFING_SAVED = "staffing.saved"
    STAFFING_DELETED = "staffing.deleted"
    HOURS_SAVED = "hours.saved"
    HOURS_DELETED = "hours.deleted"
    NOTE_WRITTEN = "note.written"
    NOTE_WITHDRAWN = "note.withdrawn"
    USER_INVITED = "user.invited"
    USER_UNINVITED = "user.uninvited"
    USER_JOINED = "user.joined"
    USER_CHANGED = "user.changed"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    USER_RESET = "user.reset"
    SESSION_STARTED = "session.started"
    SESSION_REFUSED = "session.refused"
    SESSION_ENDED = "session.ended"


class Meaning(NamedTuple):
    """What an event type says. told: webhooks can subscribe to it. urgent: it is delivered on the fast schedule."""

    text: str
    told: bool = False
    urgent: bool = False


E = EventType
MEANINGS: Mapping[EventType, Meaning] = {
    E.DECISION_SEND: Meaning("a gate changed to send", told=True),
    E.DECISION_THROTTLE: Meaning("a gate changed to throttle", told=True),
    E.DECISION_HOLD: Meaning("a gate changed to hold", told=True, urgent=True),
    E.DECISION_UNKNOWN: Meaning("a gate changed to unknown, which is answered as hold", told=True, urgent=True),
    E.DECISION_ASKED: Meaning("somebody asked a gate and was answered; equal answers in a row are one event"),
    E.FEED_STALE: Meaning("a gate lost data that it needs", told=True, urgent=True),
    E.FEED_RECOVERED: Meaning("the data that a gate had lost is back", told=True),
    E.GATE_CREATED: Meaning("a gate was made"),
    E.GATE_DELETED: Meaning("a gate was deleted"),
    E.POLICY_SAVED: Meaning("a version of a gate's policy was saved", told=True),
    E.QUEUE_CHANGED: Meaning("a queue's own settings were changed"),
    E.KEY_CREATED: Meaning("an API key was made"),
    E.KEY_CHANGED: Meaning("an API key's client profile was changed"),
    E.KEY_REVOKED: Meaning("an API key was revoked"),
    E.OVERRIDE_CREATED: Meaning("an override was made", told=True),
    E.OVERRIDE_ENDED: Meaning("an override was ended by somebody before its time", told=True),
    E.OVERRIDE_EXPIRING: Meaning("an override ends soon", told=True),
    E.OVERRIDE_EXPIRED: Meaning("an override's time is over", told=True),
    E.PERMIT_GRANTED: Meaning("a permit was given"),
    E.PERMIT_REPORTED: Meaning("a sender reported how much of a permit it sent"),
    E.PERMIT_RENEWED: Meaning("a permit's time was extended"),
    E.PERMIT_PAUSED: Meaning("a permit's sender must stop", told=True, urgent=True),
    E.PERMIT_RESUMED: Meaning("a paused permit may be used again", told=True),
    E.PERMIT_USED: Meaning("everything a permit allowed was sent"),
    E.PERMIT_RELEASED: Meaning("a sender gave back what it did not send"),
    E.PERMIT_EXPIRED: Meaning("a permit's time is over", told=True),
    E.PERMIT_REVOKED: Meaning("a permit was withdrawn; its sender must stop", told=True, urgent=True),
    E.CAMPAIGN_CREATED: Meaning("a campaign was drafted"),
    E.CAMPAIGN_CHANGED: Meaning("a campaign's plan was changed"),
    E.CAMPAIGN_DELETED: Meaning("a campaign's draft was deleted"),
    E.CAMPAIGN_SCHEDULED: Meaning("a campaign was announced with its time", told=True),
    E.CAMPAIGN_DUE: Meaning("a campaign's time has come; it waits for its gate, or for a person", told=True),
    E.CAMPAIGN_STARTED: Meaning("a campaign's release began", told=True),
    E.CAMPAIGN_PAUSED: Meaning("a campaign was paused, by a person or by its gate", told=True, urgent=True),
    E.CAMPAIGN_RESUMED: Meaning("a paused campaign goes on", told=True),
    E.CAMPAIGN_DONE: Meaning("a campaign's whole audience was sent to", told=True),
    E.CAMPAIGN_CANCELLED: Meaning("a campaign was cancelled", told=True, urgent=True),
    E.CAMPAIGN_GAVE_UP: Meaning("a campaign reached its deadline before it was done", told=True),
    E.CAMPAIGN_DEBRIEFED: Meaning("a campaign's contacts are over; its debrief is final", told=True),
    E.CAMPAIGN_VALUED: Meaning("somebody reported what a campaign was worth: customers won, lost and kept"),
    E.WAVE_OPENED: Meaning("a wave of a campaign may be sent now, under the permit it names", told=True, urgent=True),
    E.WAVE_COMPLETED: Meaning("a wave of a campaign is over", told=True),
    E.SENDER_STARTED: Meaning("a driven tool sends, as it was told to, and says so itself"),
    E.SENDER_PAUSED: Meaning("a driven tool no longer sends, as it was told to, and says so itself"),
    E.SENDER_FINISHED: Meaning("a driven tool has nobody left to send to"),
    E.SENDER_MISMATCH: Meaning("a driven tool took a command and did something else", told=True),
    E.SENDER_NOT_PAUSED: Meaning("a driven tool sends what it must not, and was not stopped", told=True, urgent=True),
    E.BRIEFING_SAVED: Meaning("a campaign's briefing was written or changed", told=True),
    E.BRIEFING_ACKNOWLEDGED: Meaning("a queue or team acknowledged a briefing", told=True),
    E.IMAGE_ADDED: Meaning("an image was added to a briefing"),
    E.IMAGE_REMOVED: Meaning("an image was removed from a briefing"),
    E.WEBHOOK_CREATED: Meaning("a webhook was made"),
    E.WEBHOOK_CHANGED: Meaning("a webhook was changed"),
    E.WEBHOOK_DELETED: Meaning("a webhook was deleted"),
    E.WEBHOOK_DISABLED: Meaning("a webhook was disabled because its receiver is gone"),
    E.WEBHOOK_TESTED: Meaning("somebody asked for a test delivery", told=True, urgent=True),
    E.FEED_TOKEN_CREATED: Meaning("a calendar feed's token was made"),
    E.FEED_TOKEN_REVOKED: Meaning("a calendar feed's token was revoked"),
    E.DISPLAY_CREATED: Meaning("a screen on the wall was made"),
    E.DISPLAY_REVOKED: Meaning("a screen on the wall was taken down"),
    E.STAFFING_SAVED: Meaning("days of a queue's schedule were saved"),
    E.STAFFING_DELETED: Meaning("days of a queue's schedule were deleted"),
    E.HOURS_SAVED: Meaning("a queue's opening hours, or those of all queues, were saved"),
    E.HOURS_DELETED: Meaning("a queue's opening hours, or those of all queues, were deleted"),
    E.NOTE_WRITTEN: Meaning("somebody, or a program, wrote a note in a gate's log"),
    E.NOTE_WITHDRAWN: Meaning("a note was taken back; it is shown no longer"),
    E.USER_INVITED: Meaning("somebody was invited to sign in, by a link"),
    E.USER_UNINVITED: Meaning("an invitation, or a link to a new password, was withdrawn"),
    E.USER_JOINED: Meaning("somebody can sign in from now on"),
    E.USER_CHANGED: Meaning("a user's name, role or password was changed"),
    E.USER_DISABLED: Meaning("a user was disabled: all their sessions ended"),
    E.USER_ENABLED: Meaning("a user who was disabled may sign in again"),
    E.USER_RESET: Meaning("a link was made by which a user chooses a new password"),
    E.SESSION_STARTED: Meaning("somebody signed in"),
    E.SESSION_REFUSED: Meaning("somebody tried to sign in and was refused"),
    E.SESSION_ENDED: Meaning("sessions were ended by sign-out, from another browser, or with a new password"),
}
del E


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a key's id and name, or holdfire itself."""

    id: str
    name: str


HOLDFIRE = Actor("holdfire", "holdfire")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. before and after are JSON-ready; None where there is no such side.

    subject names what it happened to, as "campaign/spring" or "permit/prm_…"; gate and campaign, where it has them.
    """

    type: EventType
    at: datetime
    actor: Actor
    subject: str
    reason: str = ""
    gate: str | None = None
    campaign: str | None = None
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
