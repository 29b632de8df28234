"""Puts a comment together from what the contact rated and what happened. Pure: no Django."""

from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

from apps.common.segments import PASSIVE, PROMOTER, segment_of
from apps.workspace.demo.comment_types import Remarks
from apps.workspace.demo.comments_buying import BILLING, BUYING
from apps.workspace.demo.comments_retail import RETAIL
from apps.workspace.demo.comments_software import SOFTWARE

REMARKS: Mapping[str, Mapping[str, Mapping[str, Remarks]]] = {
    "nordwind": RETAIL | BUYING,
    "klarwerk": SOFTWARE | BILLING,
}

BUT = {
    "de": ("Aber:", "Nur eins stört:", "Einziger Abzug:", "Weniger schön:", "Allerdings:"),
    "en": ("But:", "One thing though:", "Only downside:", "Less good:", "However:"),
}
CLOSING = {
    ("de", "promoter"): ("Gerne wieder!", "Klare Empfehlung.", "Weiter so!", "Danke an das ganze Team.", "Top!"),
    ("de", "passive"): ("Sonst zufrieden.", "Insgesamt in Ordnung.", "Da geht noch etwas.", "Kein Drama."),
    ("de", "detractor"): (
        "So nicht.",
        "Schade, ich war lange zufrieden.",
        "Bitte melden Sie sich bei mir.",
        "Ich überlege, zu wechseln.",
        "Das war früher besser.",
    ),
    ("en", "promoter"): ("Will be back!", "Highly recommended.", "Keep it up!", "Thanks to the whole team.", "Great!"),
    ("en", "passive"): ("Otherwise fine.", "All in all OK.", "Room for improvement.", "No drama."),
    ("en", "detractor"): (
        "Not good enough.",
        "A pity, I used to be happy with you.",
        "Please get in touch.",
        "I'm thinking of going elsewhere.",
        "It used to be better.",
    ),
}


class Opinion(NamedTuple):
    """What a comment is made from: the score, the stars behind it, and what the event told."""

    score: int
    ratings: Mapping[str, int]
    facts: Mapping[str, Any]
    news: frozenset[str]
    """Drivers of which something new can be said."""


class Commentator:
    """Writes the comments of one tenant's contacts. Remarks come from shuffled decks, so that few repeat soon."""

    def __init__(self, *, brand: str, rng: Random) -> None:
        self._brand, self._rng = brand, rng
        self._decks: dict[tuple[str, str, bool], list[str]] = {}

    def compose(self, *, language: str, opinion: Opinion) -> str:
        """Praise for the best driver, complaint about the worst, both for those in between."""
        rng, ratings = self._rng, opinion.ratings
        order = sorted(ratings, key=lambda key: (ratings[key], rng.random()))
        worst, best, group = order[0], order[-1], segment_of(opinion.score)
        talkative = rng.random() < 0.4
        if group == PROMOTER:
            # A second praise, unless it would be about what was not so good.
            topics = [best, order[-2]] if talkative and ratings[order[-2]] >= 4 else [best]
            sentences = [self._draw(topic, language, opinion, good=True) for topic in topics]
        elif group == PASSIVE and ratings[worst] >= 4:
            sentences = [self._draw(best, language, opinion, good=True)]
        elif group == PASSIVE and ratings[best] >= 4:
            sentences = [self._draw(best, language, opinion, good=True), rng.choice(BUT[language])]
            sentences.append(self._draw(worst, language, opinion, good=False))
        else:
            topics = [worst, order[1]] if talkative and ratings[order[1]] <= 3 else [worst]
            sentences = [self._draw(topic, language, opinion, good=False) for topic in topics]
        if rng.random() < 0.3:
            sentences.append(rng.choice(CLOSING[language, group]))
        text = " ".join(sentences).format_map(_slots(language, opinion.facts))
        return text[:1].upper() + text[1:]

    def _draw(self, driver: str, language: str, opinion: Opinion, *, good: bool) -> str:
        """The next remark that is true; the others keep their place in the deck."""
        deck = self._decks.setdefault((driver, language, good), [])
        for _attempt in range(2):
            for place in range(len(deck) - 1, -1, -1):
                if _is_true(deck[place], driver, opinion, good=good):
                    return deck.pop(place)
            remarks = REMARKS[self._brand][driver][language]
            deck[:] = remarks.good if good else remarks.bad
            self._rng.shuffle(deck)
        raise LookupError(f"No remark on {driver} fits always.")


def _is_true(remark: str, driver: str, opinion: Opinion, *, good: bool) -> bool:
    """Whether it can be said: no news before its time, no complaint about a wait that was short."""
    if "{new}" in remark:
        return driver in opinion.news
    if any(f"{{{slot}}}" in remark and slot not in opinion.facts for slot in ("product", "topic")):
        return False
    days, minutes = opinion.facts.get("delivery_days", 0), opinion.facts.get("first_reply_minutes", 0)
    if "{days}" in remark:
        return days <= 4 if good else days >= 4
    return "{wait}" not in remark or minutes >= 180


def _slots(language: str, facts: Mapping[str, Any]) -> dict[str, str]:
    days = facts.get("delivery_days", 3)
    hours = facts.get("first_reply_minutes", 0) // 60
    suffix = "_de" if language == "de" else ""
    product = facts.get(f"product{suffix}", "")
    topic = facts.get(f"topic{suffix}", "")
    if language == "de":
        return {
            "days": "einem Tag" if days == 1 else f"{days} Tagen",
            "wait": f"{hours} Stunden" if hours > 1 else "über eine Stunde",
            "product": product,
            "topic": topic,
            "new": "",
        }
    return {
        "days": "one day" if days == 1 else f"{days} days",
        "wait": f"{hours} hours" if hours > 1 else "over an hour",
        "product": product,
        "topic": topic,
        "new": "",
    }
