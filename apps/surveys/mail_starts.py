"""Words to start a mail template from: what the built-in mails say, in every language."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.messaging.templating import FOLLOW_UP, INVITATION, OPT_IN, REMINDER

_PARAGRAPHS: Mapping[str, tuple[Promise | str, ...]] = {
    INVITATION: (
        "{{ greeting }}",
        _("a short question about “{{ touchpoint|your experience }}”. One click is enough; a comment helps us more."),
        "{{ score_row }}",
        _("You can also open the survey here: {{ link }}"),
    ),
    REMINDER: (
        "{{ greeting }}",
        _("a few days ago we asked you about “{{ touchpoint|your experience }}”. Your view would still help us."),
        "{{ score_row }}",
        _("You can also open the survey here: {{ link }}"),
    ),
    FOLLOW_UP: (
        "{{ greeting }}",
        _("thank you for your answer. You gave us {{ score }} of 10 points; we read every comment and act on it."),
        _("Is there anything else that we should know? Simply reply to this mail."),
    ),
    OPT_IN: (
        "{{ greeting }}",
        _("somebody gave {{ brand }} the address {{ email }} and agreed to this:"),
        "{{ wording }}",
        _("Was that you? Then please confirm it. The link is valid for seven days."),
        "{{ link }}",
        _("If it was not you, do nothing: then we don't write to you."),
    ),
}
_SUBJECTS: Mapping[str, Promise] = {
    INVITATION: _("How was it? One question from {{ brand }}"),
    REMINDER: _("A quick reminder: one question from {{ brand }}"),
    FOLLOW_UP: _("Thank you for your answer, {{ contact.first_name|dear customer }}"),
    OPT_IN: _("Please confirm: may {{ brand }} write to you?"),
}
_PREHEADERS: Mapping[str, Promise | str] = {
    INVITATION: _("One click is enough; a comment helps us even more."),
    REMINDER: _("Your view would still help us: one click is enough."),
    FOLLOW_UP: _("We read every comment and act on it."),
    OPT_IN: _("The link is valid for seven days."),
}


def start(purpose: str) -> dict[str, Any]:
    """Subject, preheader and text for a purpose, each in every language; nothing for a purpose that is none."""
    if purpose not in _SUBJECTS:
        return {}
    texts: dict[str, dict[str, str]] = {"subject": {}, "preheader": {}, "text": {}}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            texts["subject"][code] = str(_SUBJECTS[purpose])
            texts["preheader"][code] = str(_PREHEADERS[purpose])
            texts["text"][code] = "\n\n".join(str(part) for part in _PARAGRAPHS[purpose])
    return {"purpose": purpose, **texts}
