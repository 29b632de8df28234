"""What a new hook knows of its tool from the start: where the usual things stand in its messages."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.touchpoints.models import Hook

Tool, Signature = Hook.Tool, Hook.Signature


@dataclass(frozen=True, slots=True)
class Preset:
    """A tool, what its messages are about, and the fields a hook for it begins with."""

    tool: str
    about: Promise
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The tool's name."""
        return str(Tool(self.tool).label)

    @property
    def guide(self) -> str:
        """The page in the documentation that goes through it step by step."""
        return f"docs/connect/{self.tool}.md" if self.tool != Tool.PLAIN else ""


_OWN = {
    "touchpoint_path": "touchpoint",
    "external_id_path": "contact.external_id",
    "email_path": "contact.email | email",
    "phone_path": "contact.phone",
    "name_path": "contact.name",
    "locale_path": "contact.locale",
    "country_path": "contact.country",
    "time_path": "occurred_at",
    "event_id_path": "external_id",
}
_HUBSPOT = {
    # The list of an app's webhook, or the record that a workflow sends.
    "touchpoint_path": "propertyValue",
    "external_id_path": "objectId | hs_object_id | vid",
    "email_path": "email | properties.email.value",
    "phone_path": "phone | properties.phone.value",
    "name_path": "firstname + lastname | properties.firstname.value + properties.lastname.value",
    "locale_path": "hs_language | properties.hs_language.value",
    "time_path": "occurredAt",
    "event_id_path": "subscriptionId + objectId + occurredAt",
    "properties": {"property": "propertyName", "value": "propertyValue"},
}
_SHOPIFY = {
    "touchpoint_path": "header:X-Shopify-Topic",
    "external_id_path": "customer.id",
    "email_path": "email | contact_email | customer.email",
    "phone_path": "phone | customer.phone | shipping_address.phone",
    "name_path": "customer.first_name + customer.last_name | shipping_address.name",
    "locale_path": "customer_locale",
    "country_path": "shipping_address.country_code | billing_address.country_code",
    "time_path": "header:X-Shopify-Triggered-At | updated_at",
    "event_id_path": "id",
    "properties": {"order": "name", "total": "total_price", "currency": "currency"},
}
_STRIPE_OBJECT = "data.object"
_STRIPE = {
    "touchpoint_path": "type",
    "external_id_path": f"{_STRIPE_OBJECT}.customer",
    "email_path": f"{_STRIPE_OBJECT}.customer_email | {_STRIPE_OBJECT}.customer_details.email",
    "phone_path": f"{_STRIPE_OBJECT}.customer_phone | {_STRIPE_OBJECT}.customer_details.phone",
    "name_path": f"{_STRIPE_OBJECT}.customer_name | {_STRIPE_OBJECT}.customer_details.name",
    "locale_path": f"{_STRIPE_OBJECT}.locale",
    "country_path": f"{_STRIPE_OBJECT}.customer_address.country | {_STRIPE_OBJECT}.customer_details.address.country",
    "time_path": "created",
    "event_id_path": "id",
    "properties": {
        "amount": f"{_STRIPE_OBJECT}.amount_paid | {_STRIPE_OBJECT}.amount_total",
        "currency": f"{_STRIPE_OBJECT}.currency",
    },
}
_ZENDESK = {
    "touchpoint_path": "happened",
    "external_id_path": "requester.external_id | requester.id",
    "email_path": "requester.email",
    "phone_path": "requester.phone",
    "name_path": "requester.name",
    "locale_path": "requester.locale",
    "time_path": "time",
    "event_id_path": "ticket.id + time",
    "properties": {"ticket": "ticket.id", "group": "ticket.group", "subject": "ticket.title"},
}
PRESETS = {
    preset.tool: preset
    for preset in (
        Preset(Tool.HUBSPOT, _("Deals, tickets and contacts that reach a stage."), _HUBSPOT),
        Preset(Tool.SHOPIFY, _("Orders that are paid, sent or refunded."), _SHOPIFY),
        Preset(Tool.STRIPE, _("Paid invoices, subscriptions that begin or end."), _STRIPE),
        Preset(Tool.ZENDESK, _("Tickets that are solved."), _ZENDESK),
        Preset(Tool.N8N, _("Anything a workflow knows of."), _OWN),
        Preset(Tool.PLAIN, _("Any tool that sends JSON or a form; you say where things stand."), _OWN),
    )
}
# Offered once the tool has shown the secret that goes with it.
SIGNATURES = {
    Tool.HUBSPOT: Signature.HUBSPOT,
    Tool.SHOPIFY: Signature.SHOPIFY,
    Tool.STRIPE: Signature.STRIPE,
    Tool.ZENDESK: Signature.ZENDESK,
}


def new_hook(*, tool: str, name: str) -> Hook:
    """A hook for a tool, not stored yet, that begins with what is known of the tool."""
    preset = PRESETS[tool]
    return Hook(name=name, tool=tool, **preset.fields)
