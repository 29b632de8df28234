"""What lets Nordwind's sample shop ask: its website, a placement on the product page, a short survey and its rule."""

from datetime import timedelta

from apps.embed.models import EmbedSecret, Placement
from apps.embed.shop_views import demo_secret
from apps.surveys.models import Question, Survey, Website
from apps.touchpoints.models import Touchpoint
from apps.triggers.models import TriggerRule
from apps.workspace.demo.blueprint import both

TOUCHPOINT = "product_page"
NAME = "Product page of the sample shop"


def set_up_shop() -> None:
    """Once, with the tenant's other configuration."""
    touchpoint = Touchpoint.objects.get(key=TOUCHPOINT)
    survey = Survey(key="product-page", name=both("On the product page", "Auf der Produktseite"))
    survey.full_clean()
    survey.save()
    for position, row in enumerate(_questions(survey), start=1):
        row.position = position
        row.full_clean()
        row.save()
    rule = TriggerRule(name="On the product page", survey=survey, delay=timedelta(0), expires_after=timedelta(days=1))
    rule.full_clean()
    rule.save()
    rule.touchpoints.add(touchpoint)
    placement = Placement(
        name=NAME, touchpoint=touchpoint, kind=Placement.Kind.POPOVER, delay=5, url_patterns=["/shop/*"], rest_days=14
    )
    placement.full_clean()
    placement.save()


def _questions(survey: Survey) -> list[Question]:
    ease = both(
        "It was easy to find the information that I need.",
        "Es war einfach, die Informationen zu finden, die ich brauche.",
    )
    missing = both("What was missing?", "Was hat gefehlt?")
    return [
        Question(survey=survey, key="ease", kind=Question.Kind.CES, text=ease),
        Question(survey=survey, key="comment", kind=Question.Kind.COMMENT, text=missing),
    ]


def open_shop(*, origin: str) -> None:
    """With every start: the shop's address follows the port, and its signatures the demo's key."""
    if not Placement.objects.filter(name=NAME).exists():
        return
    Website.objects.get_or_create(origin=origin)
    EmbedSecret.objects.update_or_create(note=NAME, defaults={"secret": demo_secret()})
