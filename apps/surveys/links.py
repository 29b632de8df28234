"""The personal link of an invitation: its token is made from the invitation, and only its hash is stored."""

from datetime import timedelta
from uuid import UUID

from apps.common import tokens
from apps.surveys.models import Invitation

LINK_LIFETIME = timedelta(days=60)
_PURPOSE = "invitation"


def token_of(invitation_id: UUID) -> str:
    """The token of an invitation that goes out now."""
    return tokens.derived_token(_PURPOSE, str(invitation_id))


def token_again(invitation: Invitation) -> str | None:
    """The token that an invitation went out with, so that a reminder carries the same link.

    None if it cannot be made again: it was random once, or the key it was made with was thrown away.
    """
    return tokens.derived_again(_PURPOSE, str(invitation.pk), known_hash=invitation.token_hash)
