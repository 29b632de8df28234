"""The first person of a tenant or of the platform."""

import secrets
from typing import NamedTuple

from django.contrib.auth import get_user_model, password_validation
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django_tenants.utils import schema_context


class SignIn(NamedTuple):
    """What somebody types to get in."""

    email: str
    password: str


def create_administrator(*, schema_name: str, email: str, password: str | None = None) -> SignIn:
    """A person who may do everything in this schema; a password is made up if none is given.

    Raises ValidationError for a bad or taken address or a weak password.
    """
    email = check_sign_in(email=email, password=password)
    password = password or secrets.token_urlsafe(12)
    users = get_user_model()._default_manager
    with schema_context(schema_name):
        if users.filter(username=email).exists():
            raise ValidationError(_("There is a user “%(email)s” already.") % {"email": email})
        users.create_superuser(username=email, email=email, password=password)
    return SignIn(email, password)


def check_sign_in(*, email: str, password: str | None) -> str:
    """The address as it will be stored. Raises ValidationError for a bad address or a weak password."""
    email = email.strip().lower()
    validate_email(email)
    if password is not None:
        password_validation.validate_password(password)
    return email
