"""Sign-ins and API keys of the demo. They live in the JSON file that the last run wrote."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Permission

from apps.integrations.services import authenticate, create_api_key

OPERATOR = "operator@resonanz.example"
KEY_NAME = "Demo"
MANAGER = (
    "view_case", "view_campaign", "change_campaign", "view_voucherpool", "change_voucherpool", "view_voucher",
    "view_channel", "add_channel", "delete_channel", "view_response", "add_sharelink",
    "view_stage", "add_stage", "change_stage", "delete_stage",
    "view_touchpoint", "add_touchpoint", "change_touchpoint", "delete_touchpoint",
    "add_action", "change_action", "delete_action", "add_annotation", "change_annotation", "delete_annotation",
    "add_target", "change_target", "delete_target",
)  # fmt: skip
"""What a CX manager may see and do besides the pages that are everybody's."""


@dataclass(frozen=True, slots=True)
class Password:
    """The demo's password. Hashed once for all users: hashing is slow on purpose."""

    plain: str
    encoded: str


def password_for(*, user: str, known: str) -> Password:
    """The known password if the user has it, with its stored hash; else the known or a new one, hashed."""
    stored = get_user_model().objects.filter(username=user).values_list("password", flat=True).first()
    if known and stored and check_password(known, stored):
        return Password(known, stored)
    plain = known or secrets.token_urlsafe(9)
    return Password(plain, make_password(plain))


def ensure_user(*, email: str, password: Password, first_name: str, is_admin: bool) -> None:
    """The user exists and has the password."""
    users = get_user_model().objects
    user = users.filter(username=email).first()
    if user is None:
        user = users.create(
            username=email,
            email=email,
            first_name=first_name,
            password=password.encoded,
            is_staff=is_admin,
            is_superuser=is_admin,
        )
        if not is_admin:
            user.user_permissions.set(Permission.objects.filter(codename__in=MANAGER))
    elif user.password != password.encoded and not check_password(password.plain, user.password):
        user.password = password.encoded
        user.save(update_fields=["password"])


def ensure_api_key(*, known: str, now: datetime) -> str:
    """The known key if the current tenant accepts it, else a new one."""
    if known and authenticate(key=known, now=now) is not None:
        return known
    _row, key = create_api_key(name=KEY_NAME)
    return key


def known_api_key(saved: Mapping[str, Any], slug: str) -> str:
    """The tenant's key in what the last run wrote; "" if there is none."""
    tenants = saved.get("tenants")
    for tenant in tenants if isinstance(tenants, list) else []:
        if isinstance(tenant, dict) and tenant.get("slug") == slug:
            return str(tenant.get("api_key") or "")
    return ""


def known_password(saved: Mapping[str, Any]) -> str:
    """The password in what the last run wrote; "" if there is none."""
    operator = saved.get("operator")
    return str(operator.get("password") or "") if isinstance(operator, dict) else ""
