"""Klarwerk, a software firm: asked after support contacts, after onboarding and at renewal."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from apps.workspace.demo.blueprint import Brand, Happening, Window, both
from apps.workspace.demo.klarwerk_plan import RELATION, STAGES, SURVEYS
from apps.workspace.demo.letters import CAMPAIGNS, INVITATION
from apps.workspace.demo.pace import fraction, stars, work_time

TOPICS = (
    both("import", "Import"),
    both("reports", "Auswertungen"),
    both("permissions", "Berechtigungen"),
    both("interface", "Schnittstelle"),
    both("billing", "Abrechnung"),
    both("calendar", "Kalender"),
)
NEW_TEAM = 0.45
"""Where in the window the second support team started."""
BAD_UPDATE = (0.66, 0.75)
"""Where in the window an update brought outages."""


def reply_minutes(rng: Random, at: datetime, window: Window) -> int:
    """Time to the first reply: most of a day, then an hour or two with the new team."""
    typical = 85 if fraction(window, at) > NEW_TEAM else 430
    return max(3, round(rng.lognormvariate(0, 0.7) * typical))


def journey(rng: Random, window: Window) -> list[Happening]:
    """Half were customers before; the others try, sign and start. All need support now and then."""
    span = window.end - window.start
    found: list[Happening] = []
    if rng.random() < 0.5:
        signed = work_time(rng, window.start - timedelta(days=rng.randint(60, 700)))
        found.append(Happening("contract_signed", signed, {"seats": rng.randint(3, 80)}))
        at = work_time(rng, window.start + span * rng.random() * 0.97)
        renewed = Happening("renewal", at, {"term_months": rng.choice((12, 12, 24)), "seats": rng.randint(3, 120)})
        found.append(renewed)
        at = window.start
    else:
        at = work_time(rng, window.start + span * rng.random())
        at = _start(rng, at, found)
        if not found or found[-1].touchpoint != "onboarding_finished":
            return found
    _life(rng, at, window, found)
    return sorted(found, key=lambda happening: happening.at)


def _start(rng: Random, at: datetime, found: list[Happening]) -> datetime:
    """From the first look to the end of the onboarding; not all get there."""
    steps: tuple[tuple[str, float, float, dict[str, Any]], ...] = (
        ("trial_started", 1.0, 0.8, {"plan": "team"}),
        ("contract_signed", 1.0, 1.0, {"seats": rng.randint(3, 80)}),
        ("onboarding_finished", 1.0, 1.0, {}),
    )
    for touchpoint, happens, goes_on, properties in steps:
        if rng.random() < happens:
            found.append(Happening(touchpoint, at, dict(properties)))
            at = work_time(rng, at + timedelta(days=rng.randint(4, 14)))
        if rng.random() > goes_on:
            break
    return at


def _life(rng: Random, at: datetime, window: Window, found: list[Happening]) -> None:
    """Support contacts, updates, and how it goes on."""
    while (at := at + timedelta(days=rng.expovariate(1 / 105))) < window.end:
        topic = rng.choice(TOPICS)
        moment = work_time(rng, at)
        found.append(
            Happening(
                "support_closed",
                moment,
                {
                    "topic": topic["en"],
                    "topic_de": topic["de"],
                    "first_reply_minutes": reply_minutes(rng, moment, window),
                },
            )
        )
    span = window.end - window.start
    update = window.start + span * BAD_UPDATE[0]
    if at > update and rng.random() < 0.75:
        found.append(
            Happening("major_update", work_time(rng, update + timedelta(days=rng.randint(0, 75))), {"version": "7.0"})
        )
    last = work_time(rng, window.start + span * rng.uniform(0.3, 1))
    if rng.random() < 0.12:
        found.append(Happening("upgrade", last, {"plan": "business"}))
    _bill(rng, window, found)


def _bill(rng: Random, window: Window, found: list[Happening]) -> None:
    """One invoice a year, paid some weeks later."""
    signed = min(one.at for one in found if one.touchpoint == "contract_signed")
    sent = work_time(rng, signed + timedelta(days=rng.randint(10, 60)))
    if signed < window.start:
        sent = work_time(rng, window.start + (window.end - window.start) * rng.random())
    if sent >= window.end:
        return
    total = rng.randint(4, 90) * 120
    found.append(Happening("invoice_sent", sent, {"total": total, "currency": "EUR"}))
    if rng.random() < 0.8:
        paid = work_time(rng, sent + timedelta(days=rng.randint(16, 40)))
        found.append(Happening("payment_made", paid, {"total": total, "currency": "EUR"}))


def rate(rng: Random, driver: str, happening: Happening, window: Window) -> int:
    """Stars for one driver. Replies follow from the time they took, reliability from the update."""
    where = fraction(window, happening.at)
    if driver == "response_time":
        return stars(rng, 4.9 - happening.properties["first_reply_minutes"] / 210, 0.55)
    if driver == "help_effectiveness":
        return stars(rng, 4.4 if where > NEW_TEAM else 3.7, 0.85)
    if driver == "reliability":
        return stars(rng, 2.5 if BAD_UPDATE[0] <= where < BAD_UPDATE[1] else 4.4, 0.8)
    if driver == "documentation":
        return stars(rng, 3.5 + 0.6 * where, 0.9)
    if driver == "invoice_clarity":  # What hurts: nobody understands the items.
        return stars(rng, 2.2 if happening.touchpoint == "invoice_sent" else 4.2, 0.9)
    return stars(rng, 4.2, 0.85)


KLARWERK = Brand(
    slug="klarwerk",
    name="Klarwerk",
    accent="#5b4bb7",
    address="Klarwerk Software GmbH, Lindenallee 5, 04103 Leipzig",
    contacts=1300,
    german_share=0.6,
    has_companies=True,
    stages=STAGES,
    surveys=SURVEYS,
    relation=RELATION,
    campaigns=CAMPAIGNS,
    invitation=INVITATION,
    journey=journey,
    rate=rate,
    news={"help_effectiveness": NEW_TEAM, "response_time": NEW_TEAM + 0.15, "reliability": BAD_UPDATE[0]},
    outcomes={
        "solved": (
            "Call with an engineer; the import runs again.",
            "Error fixed with the next release; customer confirmed.",
            "An hour of training given, at no charge.",
            "Priority support for three months agreed.",
            "Misunderstanding about the bill cleared up.",
        ),
        "lost": (
            "Has decided for another product.",
            "No reply after three attempts.",
            "Contract ends; no talk wanted.",
        ),
    },
)
