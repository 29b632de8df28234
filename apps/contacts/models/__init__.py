"""Contacts, the companies they belong to, why we may write to them, and how often we did."""

from apps.contacts.models.consent import ConsentPolicy, LegalBasis, OptIn, Preference
from apps.contacts.models.outreach import ContactBudget, Outreach
from apps.contacts.models.people import Bucket, BusinessCalendar, Company, Contact, Place, check_zone

__all__ = [
    "Bucket",
    "BusinessCalendar",
    "Company",
    "ConsentPolicy",
    "Contact",
    "ContactBudget",
    "LegalBasis",
    "OptIn",
    "Outreach",
    "Place",
    "Preference",
    "check_zone",
]
