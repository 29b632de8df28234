"""The look of the two admin sites."""

from typing import Any

from django.templatetags.static import static

_COMMON: dict[str, Any] = {
    "SITE_TITLE": "Resonanz",
    "SITE_HEADER": "Resonanz",
    "SITE_SYMBOL": "graphic_eq",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("public/icon.svg")},
    ],
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "STYLES": [lambda request: static("public/admin.css")],
}
TENANT = {**_COMMON, "SIDEBAR": {"show_search": False, "navigation": "config.navigation.tenant"}}
OPERATOR = {**_COMMON, "SIDEBAR": {"show_search": False, "navigation": "config.navigation.operator"}}
