"""Unfold brings no German: named here, its words get into the catalog. Nothing imports this."""

from django.utils.translation import gettext_noop

WORDS = (
    gettext_noop("All applications"), gettext_noop("Apply Filters"), gettext_noop("Choose file to upload"),
    gettext_noop("Click to cancel"), gettext_noop("Click to download"), gettext_noop("Dark"), gettext_noop("Date"),
    gettext_noop("Expand row"), gettext_noop("False"), gettext_noop("Filters"),
    gettext_noop("Forgotten your password or username?"), gettext_noop("General"), gettext_noop("Go back"),
    gettext_noop("Image preview"), gettext_noop("Light"), gettext_noop("More actions"), gettext_noop("Next"),
    gettext_noop("No data"), gettext_noop("No results found"), gettext_noop("Previous"), gettext_noop("Reset filters"),
    gettext_noop("Return to site"), gettext_noop("Run"), gettext_noop("Select action"),
    gettext_noop("Select action to run"), gettext_noop("Select all rows"), gettext_noop("Select record"),
    gettext_noop("Select value"), gettext_noop("Submit"), gettext_noop("System"),
    gettext_noop("This item will be deleted."),
    gettext_noop("This page yielded into no results. Create a new item or reset your filters."),
    gettext_noop("Toggle password visibility"), gettext_noop("True"), gettext_noop("Type to search"),
    gettext_noop("Welcome back to"),
    gettext_noop("You have been successfully logged out from the administration"),
)  # fmt: skip
