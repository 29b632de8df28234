"""The usual outcomes and root causes: what a new tenant may begin with."""

from collections.abc import Sequence

from apps.cases.models import Outcome, RootCause

Entry = tuple[str, str]
"""English and German."""

OUTCOMES: Sequence[Entry] = (
    ("Problem solved", "Problem gelöst"),
    ("Explained, and understood", "Erklärt und verstanden"),
    ("Refund or goodwill", "Erstattung oder Kulanz"),
    ("Replaced or repaired", "Ersatz oder Reparatur"),
    ("Passed on as an improvement", "Als Verbesserung weitergegeben"),
    ("Not reached", "Nicht erreicht"),
    ("Wanted no contact", "Wollte keinen Kontakt"),
    ("Nothing could be done", "Nichts zu machen"),
)
ROOT_CAUSES: Sequence[Entry] = (
    ("Delivery too late", "Lieferung zu spät"),
    ("Product faulty", "Produkt fehlerhaft"),
    ("Not as expected", "Nicht wie erwartet"),
    ("Service or advice", "Service oder Beratung"),
    ("Reachability and waiting times", "Erreichbarkeit und Wartezeiten"),
    ("Price or invoice", "Preis oder Rechnung"),
    ("Website or app", "Website oder App"),
    ("Communication", "Kommunikation"),
    ("Other", "Sonstiges"),
)


def missing(model: type[Outcome] | type[RootCause]) -> list[dict[str, str]]:
    """The usual entries that are not in the list, in either language. One query."""
    usual = OUTCOMES if model is Outcome else ROOT_CAUSES
    names = [name for name in model._default_manager.values_list("name", flat=True) if isinstance(name, dict)]
    there = {text.strip().casefold() for name in names for text in name.values()}
    return [{"en": en, "de": de} for en, de in usual if not {en.casefold(), de.casefold()} & there]


def take_over(model: type[Outcome] | type[RootCause]) -> int:
    """Add the usual entries that are not in the list, after those that are; returns how many."""
    last = model._default_manager.order_by("position").values_list("position", flat=True).last() or 0
    found = [model(name=name, position=last + place) for place, name in enumerate(missing(model), start=1)]
    model._default_manager.bulk_create(found)  # type: ignore[arg-type]
    return len(found)
