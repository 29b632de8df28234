"""Cases: the loop closed with one contact, who does it by when, and what was said."""

from apps.cases.models.cases import Case, CaseChange, CaseView
from apps.cases.models.mailboxes import CaseMailbox, CaseMailboxMessage
from apps.cases.models.policy import CasePolicy, Outcome, RootCause
from apps.cases.models.rules import CaseRule, CaseRuleMember, Responsibility
from apps.cases.models.talk import CaseMail, CaseNote

__all__ = [
    "Case",
    "CaseChange",
    "CaseMail",
    "CaseMailbox",
    "CaseMailboxMessage",
    "CaseNote",
    "CasePolicy",
    "CaseRule",
    "CaseRuleMember",
    "CaseView",
    "Outcome",
    "Responsibility",
    "RootCause",
]
