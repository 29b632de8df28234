"""Imports: a file, what its columns mean, how far a worker is with it, and what is needed to take it back."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.ids import uuid7
from apps.contacts.models import Company, Contact


class Import(models.Model):
    """One uploaded file on its way into our rows.

    ``uploaded`` (a workbook that a worker has yet to read) → ``mapping`` (waits for a human) → ``checking`` →
    ``ready`` → ``running`` → ``done``; from there ``undoing`` → ``undone``. Or ``failed`` or ``cancelled``.
    """

    class Kind(models.TextChoices):
        CONTACTS = "contacts", _("contacts")
        COMPANIES = "companies", _("companies")
        RESPONSES = "responses", _("past responses")
        SUPPRESSIONS = "suppressions", _("suppressions")

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("being read")
        MAPPING = "mapping", _("waits for its columns")
        CHECKING = "checking", _("being checked")
        READY = "ready", _("checked")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    WORKING = (Status.UPLOADED, Status.CHECKING, Status.RUNNING, Status.UNDOING)
    """A worker has to do something."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("what it brings"), max_length=20, choices=Kind)
    status = models.CharField(_("status"), max_length=10, choices=Status)
    file_name = models.CharField(_("file"), max_length=200)
    file_size = models.BigIntegerField(_("size in bytes"), default=0)
    stored_size = models.BigIntegerField(default=0, editable=False)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    delimiter = models.CharField(_("delimiter"), max_length=1, blank=True)
    has_header = models.BooleanField(_("the first row names the columns"), default=True)
    preset = models.CharField(_("comes from"), max_length=30, blank=True)
    headers = models.JSONField(_("columns"), default=list)
    mapping = models.JSONField(_("what the columns mean"), default=list)
    options = models.JSONField(_("options"), default=dict)
    rows_total = models.PositiveIntegerField(_("rows"), default=0)
    rows_done = models.PositiveIntegerField(_("rows read"), default=0)
    start_position = models.BigIntegerField(default=0, editable=False)
    start_row = models.PositiveIntegerField(default=0, editable=False)
    position = models.BigIntegerField(default=0, editable=False)
    last_row = models.PositiveIntegerField(default=0, editable=False)
    created = models.PositiveIntegerField(_("created"), default=0)
    updated = models.PositiveIntegerField(_("updated"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    skipped = models.PositiveIntegerField(_("skipped"), default=0)
    bad = models.PositiveIntegerField(_("rows with problems"), default=0)
    undo_result = models.JSONField(_("undone"), null=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    error = models.CharField(_("error"), max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("uploaded"))
    due_at = models.DateTimeField(null=True, editable=False)
    started_at = models.DateTimeField(_("begun"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    forget_at = models.DateTimeField(_("file kept until"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [
            models.Index(fields=["due_at"], name="import_due", condition=models.Q(due_at__isnull=False)),
            models.Index(fields=["forget_at"], name="import_to_forget", condition=models.Q(forget_at__isnull=False)),
            models.Index(fields=["-created_at", "-id"], name="import_by_time"),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_working(self) -> bool:
        """Whether a worker has something to do for it: the page looks again."""
        return self.status in self.WORKING

    @property
    def percent(self) -> int:
        """How far the worker is, 0 to 100."""
        if self.status in {self.Status.DONE, self.Status.UNDONE, self.Status.READY}:
            return 100
        return min(99, self.position * 100 // self.stored_size) if self.stored_size else 0


class ImportChunk(models.Model):
    """A part of an import's file. Here and not in a folder, since workers may run on other machines."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="chunks", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("part of a file")
        verbose_name_plural = _("parts of files")
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="import_chunk_once")]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.number}"


class BadRow(models.Model):
    """A row of the file that could not be taken, with all that is wrong with it."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="bad_rows", db_index=False)
    number = models.PositiveIntegerField(_("row"))
    problems = models.JSONField(_("problems"), help_text=_("Pairs of a column's place and a code."))
    cells = models.JSONField(_("cells"), default=list)

    class Meta:
        verbose_name = _("row with problems")
        verbose_name_plural = _("rows with problems")
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="import_bad_row_once")]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.number}"


class ImportBatch(models.Model):
    """What one transaction of an import made: enough to take it away again, and no copy of the rows."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="batches", db_index=False)
    number = models.PositiveIntegerField(help_text=_("The number of its last row."))
    at = models.DateTimeField()
    contacts = ArrayField(models.UUIDField(), default=list)
    legal_bases = ArrayField(models.BigIntegerField(), default=list)
    responses = ArrayField(models.UUIDField(), default=list)
    suppressions = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        verbose_name = _("part of an import")
        verbose_name_plural = _("parts of imports")
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="import_batch_once")]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.number}"


class ContactChange(models.Model):
    """How a contact was before an import changed it."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="contact_changes", db_index=False)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="+")
    before = models.JSONField()
    at = models.DateTimeField(help_text=_("The contact's own time of change, as the import left it."))
    is_mixed = models.BooleanField(
        default=False, help_text=_("Somebody else changed the contact between two rows of the import.")
    )

    class Meta:
        verbose_name = _("changed contact")
        verbose_name_plural = _("changed contacts")
        constraints = [models.UniqueConstraint(fields=["source", "contact"], name="import_contact_change_once")]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.contact_id}"


class CompanyChange(models.Model):
    """How a company was before an import made or changed it, and how the import left it."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="company_changes", db_index=False)
    company = models.ForeignKey(Company, models.CASCADE, related_name="+")
    before = models.JSONField(null=True, help_text=_("Empty: the import made it."))
    after = models.JSONField()

    class Meta:
        verbose_name = _("changed company")
        verbose_name_plural = _("changed companies")
        constraints = [models.UniqueConstraint(fields=["source", "company"], name="import_company_change_once")]

    def __str__(self) -> str:
        return f"{self.source_id}/{self.company_id}"
