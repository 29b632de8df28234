"""What the demo's people noted, tried and set out to reach, as plain data. Pure: no Django."""

from dataclasses import dataclass
from datetime import datetime

from apps.workspace.demo.blueprint import Window
from apps.workspace.demo.klarwerk import BAD_UPDATE, KLARWERK, NEW_TEAM
from apps.workspace.demo.nordwind import CHAT_OPENS, NORDWIND, RETURNS_PAGE_OPENS


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """Something that is tried. ``starts`` and ``due``: days from today, negative ones are past.

    ``since``: the place in the window (0–1) at which it took effect.
    """

    touchpoint: str
    title: str
    hypothesis: str
    status: str
    owner: int = 0
    """Which of the demo's users."""
    starts: int | None = None
    due: int | None = None
    since: float | None = None
    learned: str = ""
    control: str = ""
    window: int = 60


@dataclass(frozen=True, slots=True)
class NoteSpec:
    """Something that happened, at a place in the window (0–1)."""

    since: float
    text: str
    touchpoint: str = ""
    control: str = ""
    window: int = 30


@dataclass(frozen=True, slots=True)
class Story:
    """What one tenant's people noted, tried and want. ``improved`` is where the target was met."""

    actions: tuple[ActionSpec, ...]
    notes: tuple[NoteSpec, ...]
    improved: str
    hurting: str
    view: tuple[str, dict[str, str]]
    """A saved view of the dashboard: its name, and what it is narrowed down to."""


STORIES = {
    NORDWIND.slug: Story(
        actions=(
            ActionSpec(
                "return_processed",
                "Page for returns without an account",
                "Returns need a phone call today. If everybody can print the label alone, they hurt less.",
                "done",
                owner=1,
                starts=-180,
                since=RETURNS_PAGE_OPENS,
                learned="Calls about returns fell by half. The label should be in the parcel as well.",
                control="order_received",
                window=110,
            ),
            ActionSpec(
                "checkout",
                "Pay by invoice",
                "Most who are unhappy here miss a way to pay. Invoice is what they name most.",
                "running",
                owner=1,
                starts=-20,
                due=35,
            ),
            ActionSpec(
                "subscription_cancelled",
                "Offer a pause instead of the end",
                "Many leave because they do not use the club for a season.",
                "planned",
                owner=0,
                starts=14,
                due=75,
            ),
            ActionSpec(
                "order_received",
                "Parcels by bicycle in Hamburg",
                "Parcels would arrive in the evening, when people are at home.",
                "dropped",
                owner=0,
                starts=-150,
                learned="Too few parcels a day in one town to tell a difference.",
            ),
        ),
        notes=(
            NoteSpec(CHAT_OPENS, "Live chat opened", "support_closed", control="order_received", window=90),
            NoteSpec(0.8, "New packaging of recycled paper", "order_received"),
        ),
        improved="return_processed",
        hurting="checkout",
        view=("Delivery, month by month", {"stage": "delivery"}),
    ),
    KLARWERK.slug: Story(
        actions=(
            ActionSpec(
                "support_closed",
                "Second support team",
                "Customers wait most of a day. Two teams can answer within two hours.",
                "done",
                owner=1,
                starts=-240,
                since=NEW_TEAM,
                learned="Fast replies are not all: the second team also closes more at the first contact.",
                window=90,
            ),
            ActionSpec(
                "invoice_sent",
                "Explain each item on the invoice",
                "Nobody understands what the amount is made of. A line of words for each item would tell.",
                "running",
                owner=1,
                starts=-25,
                due=30,
            ),
            ActionSpec(
                "payment_made",
                "Direct debit in all plans",
                "Who pays late gets reminders and is annoyed by them.",
                "planned",
                owner=0,
                starts=20,
                due=90,
            ),
            ActionSpec(
                "onboarding_finished",
                "Videos instead of a manual",
                "New users do not read.",
                "dropped",
                owner=0,
                starts=-160,
                learned="They do not watch either: they ask a colleague. Better to train one per team.",
            ),
        ),
        notes=(
            NoteSpec(BAD_UPDATE[0], "Update 7.0 brings outages", "renewal", control="support_closed", window=30),
            NoteSpec(0.8, "New start page of the manual", "onboarding_finished", window=70),
        ),
        improved="support_closed",
        hurting="invoice_sent",
        view=("Support, month by month", {"touchpoint": "support_closed"}),
    ),
}
"""By the brand's slug."""


def at(window: Window, place: float) -> datetime:
    """The moment at a place (0–1) in the window."""
    return window.start + (window.end - window.start) * place
