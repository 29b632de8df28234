"""Contacts, companies and legal bases as JSON."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from apps.api.base import Expandable, Strict, Written
from apps.api.fields import PropertiesField
from apps.api.resources.events import BulkErrorSerializer
from apps.contacts import phones
from apps.contacts.models import Company, Contact, LegalBasis
from apps.touchpoints.intake import MAX_AHEAD, OLDEST

MAX_WORDING = 20_000
PLACE = ("time_zone", "country", "region")


class CompanySerializer(serializers.ModelSerializer[Company]):
    """The organisation that contacts belong to."""

    properties = PropertiesField()

    class Meta:
        model = Company
        fields = ("id", "external_id", "name", *PLACE, "properties")


class ContactSerializer(Expandable, serializers.ModelSerializer[Contact]):
    """A person who may be asked."""

    expandable = ("company",)
    company_id = serializers.IntegerField(allow_null=True)
    company = CompanySerializer(allow_null=True, required=False, help_text="With `expand=company`.")
    properties = PropertiesField()

    class Meta:
        model = Contact
        fields = (
            "id", "external_id", "email", "phone", "name", "locale", *PLACE, "company_id", "company", "properties",
            "created_at", "updated_at",
        )  # fmt: skip


class CompanyWrittenSerializer(Written, CompanySerializer):
    """The company as it is now; its id alone for a key without the scope `read`."""


class ContactWrittenSerializer(Written, ContactSerializer):
    """The contact as it is now; its id alone for a key without the scope `read`."""


class _PlaceInSerializer(Strict):
    """Where somebody is. Empty: the next wider one's."""

    time_zone = serializers.CharField(
        max_length=60, required=False, allow_blank=True, help_text="For example Europe/Berlin."
    )
    country = serializers.CharField(
        max_length=2, required=False, allow_blank=True, help_text="Two letters, for example DE."
    )
    region = serializers.CharField(
        max_length=60, required=False, allow_blank=True, help_text="Of the country, for example BY."
    )
    properties = PropertiesField(required=False, help_text="Takes the place of all properties.")


class CompanyChangeSerializer(_PlaceInSerializer):
    """What is to be different about a company."""

    external_id = serializers.CharField(max_length=200, required=False, allow_null=True)
    name = serializers.CharField(max_length=200, required=False)


class CompanyUpsertSerializer(_PlaceInSerializer):
    """A company by your own id: found or made. What is empty or left out changes nothing; properties are added to."""

    external_id = serializers.CharField(max_length=200)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    properties = PropertiesField(required=False, help_text="Are added to those that are known.")


class ContactChangeSerializer(_PlaceInSerializer):
    """What is to be different about a contact."""

    external_id = serializers.CharField(max_length=200, required=False, allow_null=True)
    email = serializers.EmailField(max_length=254, required=False, allow_null=True)
    phone = serializers.CharField(
        max_length=phones.MAX_TYPED, required=False, allow_blank=True, help_text="For example +49 170 1234567."
    )
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    locale = serializers.RegexField(
        r"^([A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2})?$",
        max_length=20,
        required=False,
        allow_blank=True,
        help_text="For example de-DE.",
    )
    company = CompanyUpsertSerializer(required=False, allow_null=True, help_text="Null: it leaves its company.")


class LegalBasisSerializer(serializers.ModelSerializer[LegalBasis]):
    """Why a contact may be written to, with its proof. Never changed: a new agreement is a new one."""

    class Meta:
        model = LegalBasis
        fields = ("id", "kind", "source", "text_version", "wording", "granted_at", "confirmed_at", "revoked_at")


class LegalBasisWrittenSerializer(Written, LegalBasisSerializer):
    """The legal basis as it is now; its id alone for a key without the scope `read`."""


class LegalBasisInSerializer(Strict):
    """A consent, or the existing-customer exception with notice given (then with its text or the text's version)."""

    kind = serializers.ChoiceField(LegalBasis.Kind.choices)
    source: Any = serializers.CharField(
        max_length=120, help_text="Where it was given: one per contact, kind and source."
    )
    text_version = serializers.CharField(max_length=60, required=False, allow_blank=True)
    wording = serializers.CharField(
        max_length=MAX_WORDING,
        required=False,
        allow_blank=True,
        help_text="The text that was agreed to, or the notice that was given.",
    )
    granted_at = serializers.DateTimeField(required=False, help_text="Default: now.")

    def validate_granted_at(self, value: Any) -> Any:
        if value > timezone.now() + MAX_AHEAD:
            raise serializers.ValidationError("must not be in the future.")
        if value < OLDEST:
            raise serializers.ValidationError("must not be before the year 2000.")
        return value


class ContactBulkResultSerializer(serializers.Serializer):
    """What became of one contact of many."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    status = serializers.ChoiceField(["created", "known", "refused"])
    id = serializers.UUIDField(required=False)
    errors: Any = BulkErrorSerializer(many=True, required=False)


class ContactBulkSerializer(serializers.Serializer):
    """What became of many contacts."""

    created = serializers.IntegerField()
    known = serializers.IntegerField(help_text="They were there before, and took over what was sent.")
    refused = serializers.IntegerField()
    results = ContactBulkResultSerializer(many=True)
