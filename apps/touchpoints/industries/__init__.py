"""Ready-made journey maps, one per industry. Pure data."""

from collections.abc import Mapping

from apps.touchpoints.industries.base import Industry, Phase, Point
from apps.touchpoints.industries.hospitality import HOSPITALITY
from apps.touchpoints.industries.insurance import INSURANCE
from apps.touchpoints.industries.retail import RETAIL
from apps.touchpoints.industries.saas import SAAS
from apps.touchpoints.industries.telecom import TELECOM

INDUSTRIES: Mapping[str, Industry] = {one.key: one for one in (RETAIL, SAAS, TELECOM, INSURANCE, HOSPITALITY)}

__all__ = ["INDUSTRIES", "Industry", "Phase", "Point"]
