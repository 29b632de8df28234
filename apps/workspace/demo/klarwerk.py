"""Klarwerk, a software firm: asked after support contacts, after onboarding and at renewal."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from apps.workspace.demo.blueprint import (
    Brand,
    Driver,
    Happening,
    StageSpec,
    SurveySpec,
    TouchpointSpec,
    Window,
    both,
)
from apps.workspace.demo.letters import CAMPAIGNS, INVITATION
from apps.workspace.demo.pace import fraction, stars, work_time

STAGES = (
    StageSpec(
        "awareness",
        both("Awareness", "Aufmerksamkeit"),
        (TouchpointSpec("newsletter_signup", both("Newsletter sign-up", "Newsletter-Anmeldung")),),
    ),
    StageSpec(
        "evaluation",
        both("Evaluation", "Auswahl"),
        (
            TouchpointSpec("demo_booked", both("Demo booked", "Vorführung gebucht")),
            TouchpointSpec("trial_started", both("Trial started", "Test begonnen")),
        ),
    ),
    StageSpec(
        "purchase",
        both("Purchase", "Kauf"),
        (TouchpointSpec("contract_signed", both("Contract signed", "Vertrag geschlossen"), proves_customer=True),),
    ),
    StageSpec(
        "onboarding",
        both("Onboarding", "Einführung"),
        (
            TouchpointSpec("kick_off", both("Kick-off", "Auftakt"), proves_customer=True),
            TouchpointSpec(
                "onboarding_finished", both("Onboarding finished", "Einführung abgeschlossen"), proves_customer=True
            ),
        ),
    ),
    StageSpec(
        "use",
        both("Use and support", "Nutzung und Support"),
        (
            TouchpointSpec("support_closed", both("Support contact", "Kontakt mit dem Support"), proves_customer=True),
            TouchpointSpec(
                "major_update", both("Major update installed", "Großes Update eingespielt"), proves_customer=True
            ),
        ),
    ),
    StageSpec(
        "retention",
        both("Retention", "Bindung"),
        (
            TouchpointSpec("renewal", both("Contract renewed", "Vertrag verlängert"), proves_customer=True),
            TouchpointSpec("upgrade", both("Plan upgraded", "Tarif erweitert"), proves_customer=True),
            TouchpointSpec("subscription_cancelled", both("Contract cancelled", "Vertrag gekündigt")),
        ),
    ),
    StageSpec(
        "advocacy",
        both("Advocacy", "Weiterempfehlung"),
        (TouchpointSpec("reference_given", both("Reference given", "Referenz gegeben")),),
    ),
)

SURVEYS = (
    SurveySpec(
        key="support",
        name=both("After a support contact", "Nach einem Kontakt mit dem Support"),
        comment=both("What should we improve?", "Was sollten wir verbessern?"),
        drivers=(
            Driver("help_effectiveness", both("How effective was our help?", "Wie wirksam war unsere Hilfe?"), 1.3),
            Driver("response_time", both("How quickly did we reply?", "Wie schnell haben wir geantwortet?"), 1.1),
        ),
        touchpoint="support_closed",
        rule="After a support contact",
        delay=timedelta(hours=1),
        answer_rate=0.36,
        base=8.5,
        priority=10,
    ),
    SurveySpec(
        key="onboarding",
        name=both("After onboarding", "Nach der Einführung"),
        comment=both("What would have made the start easier?", "Was hätte den Start leichter gemacht?"),
        drivers=(
            Driver("ease_of_use", both("How easy is Klarwerk to use?", "Wie leicht ist Klarwerk zu bedienen?"), 1.2),
            Driver("documentation", both("How helpful is the manual?", "Wie hilfreich ist das Handbuch?"), 0.9),
        ),
        touchpoint="onboarding_finished",
        rule="After onboarding",
        delay=timedelta(days=1),
        answer_rate=0.42,
        base=8.5,
    ),
    SurveySpec(
        key="renewal",
        name=both("At renewal", "Zur Verlängerung"),
        comment=both("What is the main reason for your score?", "Was ist der Hauptgrund für Ihre Bewertung?"),
        drivers=(
            Driver("reliability", both("How reliable is Klarwerk?", "Wie zuverlässig ist Klarwerk?"), 1.2),
            Driver("value", both("Is it worth its price?", "Ist es seinen Preis wert?"), 1.0),
        ),
        touchpoint="renewal",
        rule="After the contract was renewed",
        delay=timedelta(days=2),
        answer_rate=0.33,
        base=8.4,
    ),
    SurveySpec(
        key="update",
        name=both("After a major update", "Nach einem großen Update"),
        comment=both("What did the update change for you?", "Was hat das Update für Sie verändert?"),
        drivers=(
            Driver("reliability", both("How reliable is Klarwerk now?", "Wie zuverlässig ist Klarwerk jetzt?"), 1.3),
            Driver("ease_of_use", both("How easy is Klarwerk to use?", "Wie leicht ist Klarwerk zu bedienen?"), 0.8),
        ),
        touchpoint="major_update",
        rule="After a major update",
        delay=timedelta(days=5),
        answer_rate=0.3,
        base=8.5,
    ),
)

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
    if rng.random() < 0.4:
        found.append(Happening("newsletter_signup", at, {"form": "website"}))
        at = work_time(rng, at + timedelta(days=rng.randint(2, 25)))
    steps: tuple[tuple[str, float, float, dict[str, Any]], ...] = (
        ("demo_booked", 0.6, 1.0, {}),
        ("trial_started", 1.0, 0.8, {"plan": "team"}),
        ("contract_signed", 1.0, 1.0, {"seats": rng.randint(3, 80)}),
        ("kick_off", 0.7, 1.0, {}),
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
    elif rng.random() < 0.05:
        reason = rng.choice(("price", "missing function", "project ended"))
        found.append(Happening("subscription_cancelled", last, {"reason": reason}))
    elif rng.random() < 0.06:
        found.append(Happening("reference_given", last, {"form": "case study"}))


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
