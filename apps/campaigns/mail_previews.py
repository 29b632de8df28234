"""The mail of a step as somebody would get it: for the editor, before anything is saved. Nothing is stored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from apps.campaigns.models import Campaign, CampaignVersion, Enrolment, StepRun
from apps.campaigns.runs import Run
from apps.campaigns.sequence import Kind, Sequence, Step
from apps.campaigns.sequence.settings import SettingsError, clean
from apps.campaigns.steps import email
from apps.common.ids import uuid7
from apps.common.patterns import Pattern
from apps.contacts.models import Company, Contact
from apps.messaging.frames import Words
from apps.messaging.templating import FOLLOW_UP
from apps.responses.models import Response
from apps.surveys.mail_templates import Templates
from apps.surveys.mails import current_theme, render_letters
from apps.surveys.models import Survey
from apps.touchpoints.models import Touchpoint


class Shown(NamedTuple):
    """A mail to somebody."""

    subject: str
    text: str
    html: str
    words: Words
    values: Mapping[str, str]


def sample_response(language: str, *, segment: str) -> Response:
    """An invented answer, where no real one is chosen: of the first survey and touchpoint there are."""
    with translation.override(language):
        comment = _("The parcel came two days late, and nobody told me.")
        company = Company(name=_("Example & Sons Ltd"))
    contact = Contact(name="Ada Lovelace", email="ada@example.com", company=company, locale=language, properties={})
    survey = Survey.objects.filter(archived_at=None).order_by("-is_active", "pk").first() or Survey(key="-", name={})
    score = {"promoter": 10, "passive": 8}.get(segment, 2)
    return Response(
        survey=survey, touchpoint=Touchpoint.objects.order_by("pk").first(), contact=contact, score=score,
        comment=comment, locale=language,
    )  # fmt: skip


def real_response(response_id: str) -> Response | None:
    """A response that was given, with all that a mail may say of it."""
    try:
        rows = Response.objects.filter(pk=UUID(response_id), contact__isnull=False)
    except ValueError:
        return None
    return rows.select_related("contact__company", "survey", "touchpoint").first()


def show(
    step: Mapping[str, Any], *, campaign: Campaign, response: Response, language: str, with_comment: bool,
    now: datetime, base_url: str,
) -> Shown | None:  # fmt: skip
    """A mail step's settings as a mail for this response; None while there are no words. Links lead nowhere."""
    try:
        settings = clean(Kind.EMAIL, {name: value for name, value in step.items() if name not in ("key", "kind")})
    except SettingsError as error:
        wrong = {name for name, _code, _params in error.flaws}
        raw = {name: value for name, value in step.items() if name not in wrong and name not in ("key", "kind")}
        try:
            settings = clean(Kind.EMAIL, raw)
        except SettingsError:
            return None
    assert response.contact is not None  # noqa: S101 - samples and real ones have one
    response.contact.locale = language
    response.comment = (response.comment or _("It took too long.")) if with_comment else ""
    return _rendered(_run(settings, campaign, response, now, base_url), base_url)


def _run(settings: Mapping[str, Any], campaign: Campaign, response: Response, now: datetime, base_url: str) -> Run:
    """A run that is in no table."""
    alone = Step("preview", Kind.EMAIL, settings, None, 0)
    version = CampaignVersion(campaign=campaign, number=1, document={"steps": []})
    enrolment = Enrolment(campaign=campaign, version=version, response=response)
    row = StepRun(id=uuid7(), enrolment=enrolment, step_key="preview", kind="email")
    return Run(row, Sequence({"preview": alone}, "preview", {"steps": []}), now, base_url)


def _rendered(run: Run, base_url: str) -> Shown | None:
    theme = current_theme()
    chosen = run.setting("template")
    templates = Templates.of(FOLLOW_UP, theme, {chosen} if isinstance(chosen, int) else set())
    contact = run.response.contact
    letter = email.letter_of(run, templates, theme, _samples(contact.locale if contact else "", base_url))
    if letter is None:
        return None
    [mail] = render_letters([letter], base_url=base_url, theme=theme)
    values = {**mail.values, "subject": mail.subject, "unsubscribe_url": f"{base_url}/mail/u/preview"}
    return Shown(
        subject=mail.subject,
        text=Pattern(mail.text).fill(values).decode().replace("\r\n", "\n"),
        html=Pattern(mail.html, is_html=True).fill(values).decode(),
        words=Words(mail.text, mail.html),
        values=values,
    )


def _samples(language: str, base_url: str) -> dict[str, str]:
    """What steps before would have given. Links lead nowhere."""
    with translation.override(language):
        voucher = {"voucher": "THANKS-7K2M-9XQ4", "voucher_value": _("5 € off"), "voucher_until": _("31 December")}
    return {**voucher, "call_back_url": f"{base_url}/s/preview", "answer_url": f"{base_url}/s/preview"}
