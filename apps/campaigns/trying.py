"""One response's way through a sequence in the past: what each step would have done. Nothing is written or sent."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.campaigns.hindsight import Past
from apps.campaigns.looks import LONGEST_REST
from apps.campaigns.models import Campaign
from apps.campaigns.sequence import OUTREACH, Kind, Sequence, Step, wait_end
from apps.common.schedule import Calendar
from apps.contacts.budget import NEVER, Claim, Entry, Policy, breaks
from apps.contacts.eligibility import FOLLOW_UPS, SURVEYS
from apps.responses.models import Response

DONE, SKIPPED, WAITING, ENDED = "done", "skipped", "waiting", "ended"
UNKNOWN = frozenset({"mail.bounced", "voucher.redeemed"})
"""What cannot be known of mails that were not sent and vouchers that nobody got: taken as “no”."""
AS_OF_NOW = ("contact", "company", "property", "response", "answer")
"""Roots of what is kept only as it is today."""


@dataclass(slots=True)
class StepTally:
    """What would have come of one step."""

    came: int = 0
    done: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    over_budget: int = 0
    """Mails that would have met the contact budget: an estimate."""

    def as_json(self) -> dict[str, Any]:
        """For the stored result."""
        return {
            "came": self.came,
            "done": self.done,
            "skipped": dict(self.skipped),
            "waiting": dict(self.waiting),
            "ways": dict(self.ways),
            "over_budget": self.over_budget,
        }


@dataclass(slots=True)
class Pool:
    """A pool of vouchers as it is today: how many it has, and why it gives none."""

    name: str
    left: int | None
    why_none: str
    wanted: int = 0
    given: int = 0


@dataclass(slots=True)
class World:
    """What does not change from response to response."""

    campaign: Campaign
    sequence: Sequence
    now: datetime
    policy: Policy
    home: Calendar
    pools: dict[int, Pool]
    surveys: frozenset[int]
    """Those that are switched on."""
    is_listened_to: dict[str, bool]
    """Step's kind (webhook, task) → whether somebody is told."""
    starts_now: bool = False
    """Started by hand: nothing of it lies in the past."""
    steps: dict[str, StepTally] = field(default_factory=lambda: defaultdict(StepTally))
    ends: Counter[str] = field(default_factory=Counter)
    cases_opened: int = 0
    cases_there: int = 0


Stop = tuple[str, str, str]
"""Step, what, why."""


@dataclass(slots=True)
class Walk:
    """One response on its way."""

    world: World
    past: Past
    response: Response
    at: datetime
    began: datetime = field(init=False)
    path: list[tuple[str, str, str, datetime]] = field(default_factory=list)
    """Step, what became of it, why, when."""
    has_voucher: bool = False
    has_case: bool = False

    def __post_init__(self) -> None:
        self.began = self.at

    def go(self) -> None:
        """To the end, or as far as the past goes."""
        sequence = self.world.sequence
        key = sequence.first
        while key is not None:
            step = sequence.steps[key]
            tally = self.world.steps[key]
            tally.came += 1
            what, why, way = self._take(step, tally)
            self.path.append((key, what, why or way, self.at))
            if what == ENDED:
                tally.skipped[why] += 1
                self.world.ends[why] += 1
                return
            if what == WAITING:
                tally.waiting[why] += 1
                self.world.ends["waiting"] += 1
                return
            if what == SKIPPED:
                tally.skipped[why] += 1
            else:
                tally.done += 1
            if way:
                tally.ways[way] += 1
            key = step.following(is_yes=way == "yes")
        self.world.ends["done"] += 1

    def _take(self, step: Step, tally: StepTally) -> Stop:
        """What becomes of a step: what, why, and of a branch the way."""
        if step.kind == Kind.WAIT:
            self.at = wait_end(step.settings, self.at, self.world.home)
            if self.at > self.world.now and not self.world.starts_now:
                return WAITING, "", ""
        ending = self._ending()
        if ending:
            return ENDED, ending, ""
        if step.kind in OUTREACH:
            held = self._held(step)
            if held is not None:
                return held
        if step.kind == Kind.BRANCH:
            return DONE, "", self._way(step)
        why = self._objection(step, tally)
        return (SKIPPED, why, "") if why else (DONE, "", "")

    def _ending(self) -> str:
        """Why the whole way ends here; "" if it goes on."""
        if self.world.campaign.stop_on_response and self.past.answers_after(self.response, self.at):
            return "new_response"
        contact = self.response.contact
        found = self.past.blocked_at(contact, self.at) if contact else None
        return "unsubscribed" if found is not None and found[1] and found[0] > self.began else ""

    def _held(self, step: Step) -> Stop | None:
        """Wait for whoever takes care of the contact; None: nobody does (any more)."""
        if not self.world.campaign.pause_while_case or step.settings.get("also_while_case"):
            return None
        planned = self.at
        is_open, until = self.past.case_until(self.response, self.at)
        while is_open and until is not None:
            self.at = until
            is_open, until = self.past.case_until(self.response, self.at)
        waited = (self.world.now if is_open else self.at) - planned
        if waited > LONGEST_REST:
            return ENDED, "case_open_long", ""
        if is_open:
            return WAITING, "case_open", ""
        ending = self._ending() if self.at > planned else ""
        return (ENDED, ending, "") if ending else None

    def _way(self, step: Step) -> str:
        facts = self.past.facts_at(self.response, self.at)
        if self.has_voucher:
            facts["voucher"] = {**facts["voucher"], "issued": True}
        if self.has_case and not facts["case"]["opened"]:
            facts["case"] = {"opened": True, "open": True, "status": "new"}
        return "yes" if step.condition is not None and step.condition.test(facts, self.at) else "no"

    def _objection(self, step: Step, tally: StepTally) -> str:
        """Why a step does nothing; "" if it does."""
        why = ""
        match step.kind:
            case Kind.EMAIL:
                why = self._mail(step, tally, FOLLOW_UPS, within_budget=bool(step.settings.get("within_budget")))
            case Kind.ASK if step.settings["survey"] not in self.world.surveys:
                why = "survey_inactive"
            case Kind.ASK:
                why = self._mail(step, tally, SURVEYS, within_budget=True)
            case Kind.OPT_IN:
                why = self._opt_in()
            case Kind.VOUCHER:
                why = self._voucher(step)
            case Kind.CASE:
                self._case()
            case Kind.WEBHOOK | Kind.TASK:
                why = "" if self.world.is_listened_to[step.kind] else "nobody_listens"
        return why

    def _mail(self, step: Step, tally: StepTally, kind: str, *, within_budget: bool) -> str:
        contact = self.response.contact
        if contact is None:
            return "contact_gone"
        checks = (
            ("no_address", contact.pk not in self.past.addresses),
            ("suppressed", self.past.blocked_at(contact, self.at) is not None),
            ("no_legal_basis", not self.past.may_write(contact.pk, self.at)),
            ("preference", self.past.refuses(contact.pk, kind, self.at)),
        )
        why = next((reason for reason, objects in checks if objects), "")
        if why:
            return why
        topic = f"survey:{step.settings['survey']}" if step.kind == Kind.ASK else ""
        if within_budget and self._breaks(contact.pk, topic):
            tally.over_budget += 1
        else:
            entry = Entry(f"trial:{self.response.pk}:{step.key}", self.at, topic, is_spent=True)
            self.past.approaches[contact.pk].append(entry)
        return ""

    def _breaks(self, contact_id: UUID, topic: str) -> str:
        """Whether the budget had no place then, by what was really sent and what the trial would have sent."""
        policy = self.world.policy
        others = [entry for entry in self.past.approaches.get(contact_id, ()) if entry.at <= self.at]
        wishes = self.past.wishes.get(contact_id)
        rest = self.response.answered_at + policy.after_response if policy.after_response else None
        claim = Claim(topic, NEVER, others, (), rest, own_gap=wishes.own_gap if wishes else NEVER)
        return breaks(self.at, claim, policy)

    def _opt_in(self) -> str:
        contact = self.response.contact
        if contact is None:
            return "contact_gone"
        bases = [b for b in self.past.bases.get(contact.pk, ()) if b.until is None or b.until > self.at]
        checks = (
            ("no_address", not contact.email),
            ("suppressed", self.past.blocked_at(contact, self.at) is not None),
            ("already_confirmed", any(b.is_confirmed and b.since <= self.at for b in bases)),
            ("no_legal_basis", not bases),
            ("preference", self.past.refuses(contact.pk, FOLLOW_UPS, self.at)),
        )
        return next((reason for reason, objects in checks if objects), "")

    def _voucher(self, step: Step) -> str:
        number = step.settings["pool"]
        pool = self.world.pools.get(number)
        if pool is None:
            return "pool_gone"
        if any(one[0] == number for one in self.past.vouchers.get(self.response.pk, ())):
            self.has_voucher = True
            return ""
        pool.wanted += 1
        if pool.why_none or (pool.left is not None and pool.given >= pool.left):
            return pool.why_none or "pool_empty"
        pool.given += 1
        self.has_voucher = True
        return ""

    def _case(self) -> None:
        own = self.past.own_case.get(self.response.pk)
        if own is not None or self.has_case:
            self.world.cases_there += 1
        else:
            self.world.cases_opened += 1
        self.has_case = True
