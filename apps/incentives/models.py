"""Vouchers: pools of codes that are all worth the same, and every code with what became of it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Collate, Upper
from django.utils.translation import gettext_lazy as _

from apps.common.fields import TextsField
from apps.common.ids import uuid7
from apps.common.schedule import LATEST
from apps.contacts.models import Contact
from apps.incentives import codes
from apps.responses.models import Response

DEFAULT_LOW = 20
MAX_COUNT = 100_000_000
PLAIN_CODE = Collate(Upper("code"), "C")
"""A code whatever the case of its letters, compared byte by byte: so the index finds its beginning, too."""


def _bounds(lowest: int, highest: int) -> list[Any]:
    return [MinValueValidator(lowest), MaxValueValidator(highest)]


def validate_pattern(value: str) -> None:
    """Refuse a pattern whose codes could be guessed, or would not be codes."""
    if value and not codes.is_pattern(value):
        raise ValidationError(
            _("Use at least 8 “#”, each for a random letter or digit, besides letters, digits and . _ : / + - "
              "(64 characters in all), such as THANKS-####-####.")
        )  # fmt: skip


class VoucherPool(models.Model):
    """Codes of one kind: what each is worth, how long it holds, and how many may be given out."""

    class Kind(models.TextChoices):
        UPLOADED = "uploaded", _("uploaded codes")
        GENERATED = "generated", _("codes made here")

    name = models.CharField(_("name"), max_length=120, unique=True)
    value = TextsField(_("what a voucher is worth"), help_text=_("As people read it: “5 €”, “a free coffee”."))
    terms = TextsField(
        _("terms"), blank=True, multiline=True, help_text=_("Small print for those who get one: minimum order, shops.")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.UPLOADED)
    pattern = models.CharField(
        _("pattern of the codes"),
        max_length=codes.MAX_CODE,
        blank=True,
        validators=[validate_pattern],
        help_text=_("For codes made here: each # becomes a random letter or digit, such as THANKS-####-####."),
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Nothing is given out while it is not."))
    ends_on = models.DateField(
        _("last day"), null=True, blank=True, help_text=_("Given out until then; no code holds longer. Empty: no end.")
    )
    valid_days = models.PositiveSmallIntegerField(
        _("days a code holds"),
        null=True,
        blank=True,
        validators=_bounds(1, 3650),
        help_text=_("From the day it is given out, to that day's end. Empty: until the pool's last day."),
    )
    max_issued = models.PositiveIntegerField(
        _("most in all"), null=True, blank=True, validators=_bounds(1, MAX_COUNT), help_text=_("Empty: no limit.")
    )
    max_per_month = models.PositiveIntegerField(
        _("most in a month"),
        null=True,
        blank=True,
        validators=_bounds(1, MAX_COUNT),
        help_text=_("In a calendar month. Empty: no limit."),
    )
    unit_cost = models.DecimalField(
        _("cost of a redeemed voucher"),
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("To show what was spent. Empty: not known."),
    )
    currency = models.CharField(
        _("currency"),
        max_length=3,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{3}\Z", _("Write three capital letters, such as EUR."))],
        help_text=_("Three letters, such as EUR."),
    )
    low_stock = models.PositiveIntegerField(
        _("tell when so few are left"),
        null=True,
        blank=True,
        default=DEFAULT_LOW,
        validators=_bounds(0, 1_000_000),
        help_text=_("Of the codes, or of what may still be given out. Empty: never."),
    )
    is_low = models.BooleanField(_("running out"), default=False, editable=False)
    # How often it ran low: each time is told once.
    low_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("voucher pool")
        verbose_name_plural = _("voucher pools")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="uploaded") | (Q(kind="generated") & ~Q(pattern="")),
                name="voucher_pool_generated_by_pattern",
            ),
            models.CheckConstraint(
                condition=Q(unit_cost__isnull=True) | (Q(unit_cost__gte=0) & ~Q(currency="")),
                name="voucher_pool_cost_in_currency",
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="voucher_pool_by_time")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What no field can say alone."""
        problems = {}
        if self.kind == self.Kind.GENERATED and not self.pattern:
            problems["pattern"] = _("Codes made here need a pattern, such as THANKS-####-####.")
        if self.unit_cost is not None and not self.currency:
            problems["currency"] = _("Say in which currency the cost is.")
        if self.ends_on is not None and self.ends_on > LATEST.date():
            problems["ends_on"] = _("Leave it empty if there is no last day.")
        if problems:
            raise ValidationError(problems)

    @property
    def has_budget(self) -> bool:
        """Whether only so many may be given out."""
        return self.max_issued is not None or self.max_per_month is not None


class Voucher(models.Model):
    """One code. Unique over the tenant, whatever the case of its letters: a shop that reports one names no pool."""

    class Status(models.TextChoices):
        FREE = "free", _("in stock")
        ISSUED = "issued", _("given out")
        REDEEMED = "redeemed", _("redeemed")
        EXPIRED = "expired", _("out of date")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    pool = models.ForeignKey(
        VoucherPool, models.PROTECT, related_name="vouchers", db_index=False, verbose_name=_("pool")
    )
    code = models.CharField(_("code"), max_length=codes.MAX_CODE)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.FREE)
    response = models.ForeignKey(
        Response, models.SET_NULL, null=True, db_index=False, related_name="vouchers", verbose_name=_("response")
    )
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, db_index=False, related_name="vouchers", verbose_name=_("contact")
    )
    reason = models.CharField(_("given for"), max_length=100, null=True)
    issued_at = models.DateTimeField(_("given out"), null=True)
    valid_until = models.DateTimeField(_("holds until"), null=True)
    redeemed_at = models.DateTimeField(_("redeemed"), null=True)
    order_reference = models.CharField(_("order"), max_length=100, blank=True)
    order_amount = models.DecimalField(
        _("value of the order"), max_digits=12, decimal_places=2, null=True, validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        constraints = [
            models.UniqueConstraint(PLAIN_CODE, name="voucher_code_once"),
            models.UniqueConstraint(fields=["reason"], condition=Q(reason__isnull=False), name="voucher_reason_once"),
            models.UniqueConstraint(
                fields=["response", "pool"], condition=Q(response__isnull=False), name="voucher_response_once_per_pool"
            ),
            models.CheckConstraint(
                condition=Q(status="free", issued_at=None, redeemed_at=None, response=None, contact=None, reason=None)
                | Q(status="issued", issued_at__isnull=False, redeemed_at=None)
                | Q(status="expired", issued_at__isnull=False, redeemed_at=None)
                | Q(status="redeemed", issued_at__isnull=False, redeemed_at__isnull=False)
                | Q(status="withdrawn", redeemed_at=None),
                name="voucher_status_says_what_happened",
            ),
        ]
        indexes = [
            # The stock, too: the next free codes of a pool stand together, in the order that they came in.
            models.Index(fields=["pool", "status", "id"], name="voucher_by_status"),
            # Budgets, and the list of what was given out.
            models.Index(
                fields=["pool", "issued_at", "id"], name="voucher_given", condition=Q(issued_at__isnull=False)
            ),
            models.Index(
                fields=["valid_until"],
                name="voucher_to_expire",
                condition=Q(status="issued", valid_until__isnull=False),
            ),
            models.Index(fields=["contact"], name="voucher_by_contact", condition=Q(contact__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.code
