"""One demo tenant from nothing: configuration and a year of history."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

from django.db import transaction

from apps.contacts.ledger import current_policy
from apps.insights import influences
from apps.touchpoints.models import Touchpoint
from apps.workspace.demo.blueprint import Brand, Window
from apps.workspace.demo.goal_story import tell_of_the_goals
from apps.workspace.demo.history import History
from apps.workspace.demo.klarwerk import KLARWERK
from apps.workspace.demo.map_story import tell_of_the_map
from apps.workspace.demo.nordwind import NORDWIND
from apps.workspace.demo.setup import publish_surveys, set_up
from apps.workspace.demo.shop import set_up_shop
from apps.workspace.demo.stories import STORIES
from apps.workspace.demo.writer import write

BRANDS: tuple[Brand, ...] = (NORDWIND, KLARWERK)
SEED = "resonanz"


def is_configured() -> bool:
    """Whether the current tenant holds anything already."""
    return Touchpoint.objects.exists()


@transaction.atomic
def load(*, brand: Brand, today: date, scale: float = 1.0) -> dict[str, int]:
    """Fill the current tenant, all or nothing; returns rows by table.

    The history ends with the day before ``today``, so that all of it is past wherever the reader is.
    """
    rng = Random(f"{SEED}:{brand.slug}:{today:%Y-%m-%d}")  # noqa: S311 - made-up people, not secrets
    end = datetime.combine(today, time(), tzinfo=UTC)
    window = Window(start=end - timedelta(days=365), end=end)
    wiring = set_up(brand=brand, rng=rng, scale=scale, window=window)
    if brand is NORDWIND:
        set_up_shop()
    publish_surveys(now=end)
    history = History(brand=brand, wiring=wiring, window=window, policy=current_policy(), rng=rng)
    written = write(records=history.tell(scale))
    tell_of_the_map(now=end)
    tell_of_the_goals(story=STORIES[brand.slug], window=window)
    influences.learn(now=end)
    return written
