"""Cases and their setup in the tenant's admin."""

from apps.cases.admin import cases, mailboxes, setup

__all__ = ["cases", "mailboxes", "setup"]
