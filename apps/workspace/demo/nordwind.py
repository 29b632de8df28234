"""Nordwind, an online retailer: asked after the order was received, after service and after returns."""

from datetime import UTC, datetime, timedelta
from random import Random

from apps.workspace.demo.blueprint import Brand, Happening, Window, both
from apps.workspace.demo.letters import CAMPAIGNS, INVITATION
from apps.workspace.demo.nordwind_plan import RELATION, STAGES, SURVEYS
from apps.workspace.demo.pace import day_time, fraction, stars

PRODUCTS = (
    both("rain jacket", "Regenjacke"),
    both("hiking boots", "Wanderschuhe"),
    both("wool jumper", "Wollpullover"),
    both("backpack", "Rucksack"),
    both("tent", "Zelt"),
    both("sleeping bag", "Schlafsack"),
    both("thermos flask", "Thermosflasche"),
    both("down vest", "Daunenweste"),
)

CHAT_OPENS = 0.5
"""Where in the window the live chat opened."""
RETURNS_PAGE_OPENS = 0.68
"""Where in the window the page for returns opened."""


def crisis(window: Window) -> tuple[datetime, datetime]:
    """The weeks before the first Christmas in the window, when the parcels piled up."""
    year = window.start.year + (1 if (window.start.month, window.start.day) >= (12, 10) else 0)
    return datetime(year, 11, 18, tzinfo=UTC), datetime(year, 12, 29, tzinfo=UTC)


def delivery_days(rng: Random, shipped: datetime, window: Window) -> int:
    """How long a parcel takes: two or three days, in the crisis more than a week, later a new carrier."""
    begin, end = crisis(window)
    if begin <= shipped < end:
        return rng.choice((5, 6, 7, 8, 8, 9, 10, 12))
    if end <= shipped < end + timedelta(days=28):
        return rng.choice((3, 3, 4, 4, 5, 6, 7))
    if fraction(window, shipped) > 0.6:
        return rng.choice((1, 1, 2, 2, 2, 2, 3, 3, 4))
    return rng.choice((2, 2, 2, 3, 3, 3, 4, 4, 6))


def reply_minutes(rng: Random, at: datetime, window: Window) -> int:
    """Time to the first reply: hours at first, minutes since the live chat opened halfway through."""
    typical = 45 if fraction(window, at) > CHAT_OPENS else 420
    return max(2, round(rng.lognormvariate(0, 0.8) * typical))


def journey(rng: Random, window: Window) -> list[Happening]:
    """Looking around, ordering, waiting, sometimes asking or sending back, sometimes again."""
    span = window.end - window.start
    # Some were customers before the window: their earlier orders are not part of the history.
    at = day_time(rng, window.start + span * rng.uniform(-0.3, 1))
    found: list[Happening] = []
    if rng.random() < 0.32:
        found.append(Happening("newsletter_signup", at, {"form": rng.choice(("footer", "checkout", "pop-up"))}))
        at = day_time(rng, at + timedelta(days=rng.randint(1, 20)))
    product = rng.choice(PRODUCTS)
    if rng.random() < 0.55:
        found.append(Happening("product_page", at, {"product": product["en"]}))
    if rng.random() < 0.1:  # Just looking, or writing to the service before the first order.
        if rng.random() < 0.5:
            found.append(_support(rng, at + timedelta(hours=rng.randint(1, 40)), window))
        return found
    at += timedelta(minutes=35)
    orders = 0
    while True:
        orders += 1
        at = _order(rng, at, orders, window, found)
        if rng.random() > 0.42:
            break
        at = day_time(rng, at + timedelta(days=rng.randint(12, 90)))
    if rng.random() < 0.05:
        found.append(Happening("subscription_cancelled", day_time(rng, at + timedelta(days=9)), {"plan": "club"}))
    return found


def _order(rng: Random, at: datetime, number: int, window: Window, found: list[Happening]) -> datetime:
    """One order from the checkout to what comes after it; returns when it was over."""
    product = rng.choice(PRODUCTS)
    total = round(rng.lognormvariate(4.3, 0.5), 2)
    shipped = at + timedelta(hours=rng.randint(3, 30))
    days = delivery_days(rng, shipped, window)
    received = day_time(rng, shipped + timedelta(days=days))
    about = {"product": product["en"], "product_de": product["de"], "total": total, "currency": "EUR"}
    found.append(Happening("checkout", at, about))
    if number > 1:
        found.append(Happening("repeat_purchase", at + timedelta(minutes=1), {"orders": number}))
    if rng.random() < 0.6:  # One of the carriers does not tell.
        found.append(Happening("order_shipped", shipped, {"carrier": "Küstenpost" if days > 4 else "Nordbote"}))
    found.append(Happening("order_received", received, {**about, "delivery_days": days}))
    over = received
    if rng.random() < (0.45 if days > 6 else 0.24):
        # Where is it, how do I care for it: some ask at once, more of them weeks later.
        wait = timedelta(hours=rng.randint(4, 70)) if rng.random() < 0.3 else timedelta(days=rng.randint(18, 45))
        contact = _support(rng, day_time(rng, received + wait), window)
        found.append(contact)
        over = contact.at
    if rng.random() < 0.15:
        back = day_time(rng, received + timedelta(days=rng.randint(6, 21)))
        found.append(Happening("return_processed", back, {"product": product["en"], "product_de": product["de"]}))
        over = max(over, back)
    return over


def _support(rng: Random, at: datetime, window: Window) -> Happening:
    minutes = reply_minutes(rng, at, window)
    channel = rng.choice(
        ("e-mail", "phone", "chat", "chat") if fraction(window, at) > CHAT_OPENS else ("e-mail", "phone")
    )
    return Happening("support_closed", at, {"channel": channel, "first_reply_minutes": minutes})


def rate(rng: Random, driver: str, happening: Happening, window: Window) -> int:
    """Stars for one driver. Delivery and replies follow from what really happened."""
    late = fraction(window, happening.at)
    if driver == "delivery_time":
        return stars(rng, 5.3 - 0.42 * happening.properties["delivery_days"], 0.55)
    if driver == "response_time":
        return stars(rng, 4.9 - happening.properties["first_reply_minutes"] / 240, 0.6)
    if driver in {"return_ease", "refund_speed"}:
        return stars(rng, 4.3 if late > RETURNS_PAGE_OPENS else 3.4, 0.9)
    if driver == "help_effectiveness":
        return stars(rng, 3.9 + 0.4 * late, 0.95)
    mean, spread = _ELSEWHERE.get((driver, happening.touchpoint), _USUALLY.get(driver, (4.35, 0.8)))
    return stars(rng, mean, spread)


_USUALLY = {"checkout_ease": (4.4, 0.9), "prices": (4.0, 0.9), "club_value": (2.4, 0.9)}
_ELSEWHERE = {
    # What hurts: the one way to pay that most look for is missing.
    ("checkout_ease", "checkout"): (2.5, 0.9),
}
"""Mean and spread of stars by driver, and where a touchpoint has its own."""


NORDWIND = Brand(
    slug="nordwind",
    name="Nordwind",
    accent="#0f6e84",
    address="Nordwind Versand GmbH, Hafenstraße 12, 20457 Hamburg",
    contacts=4000,
    german_share=0.7,
    has_companies=False,
    cares_since=0.18,
    stages=STAGES,
    surveys=SURVEYS,
    relation=RELATION,
    campaigns=CAMPAIGNS,
    invitation=INVITATION,
    journey=journey,
    rate=rate,
    news={"response_time": CHAT_OPENS, "service": CHAT_OPENS, "return_ease": RETURNS_PAGE_OPENS},
    outcomes={
        "solved": (
            "Called, apologised, shipping costs refunded.",
            "Replacement sent by express; the customer wrote back happy.",
            "Parcel found at the depot and delivered the next day.",
            "Voucher over 10 € offered and accepted.",
            "Explained the refund; it had arrived meanwhile.",
        ),
        "lost": ("No reply after two mails and a call.", "Wanted nothing more to do with us.", "Account closed."),
    },
)
