"""Mails in the tenant's own words, and the built-in ones: what they say, what they let in, what they weigh."""

import re
from datetime import timedelta
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from apps.campaigns.services import enrol, run_steps
from apps.common.colours import AA, contrast
from apps.contacts.models import Company, Contact, LegalBasis
from apps.messaging import opt_in, parcels
from apps.messaging.mime import encode
from apps.messaging.models import MailTemplate, OutgoingEmail
from apps.messaging.opt_in import Ask
from apps.surveys import consent_mails, mail_templates, mails
from apps.surveys.mail_starts import start
from apps.surveys.models import Invitation
from apps.surveys.services import dispatch_due
from apps.triggers.services import evaluate_events
from tests import factories
from tests.campaigns.test_services import follow_up, respond
from tests.messaging.test_templating import PAYLOADS, quickly
from tests.messaging.words import words

pytestmark = pytest.mark.usefixtures("tenant")
BASE = "http://nordwind.resonanz.test"
SCRIPT = "<script>alert('x')</script>"


def template(**values: Any) -> MailTemplate:
    """A default template for invitations unless told otherwise."""
    usual = {
        "name": "Own", "purpose": "invitation", "is_default": True, "subject": {"en": "Hi {{ contact.first_name }}"},
        "text": {"en": "Hi {{ contact.first_name|there }}.\n\n{{ score_row }}"},
    }  # fmt: skip
    return MailTemplate.objects.create(**{**usual, **values})


def invite(count: int = 1, **contact: Any) -> list[OutgoingEmail]:
    """Invitations' mails, sent to contacts like this."""
    factories.house(delay=timedelta(0))
    for _ in range(count):
        factories.EventFactory()
    evaluate_events(now=timezone.now())
    if contact:
        Contact.objects.update(**contact)
    dispatch_due(now=timezone.now() + timedelta(seconds=1), base_url=BASE)
    return list(OutgoingEmail.objects.order_by("id"))


def test_the_default_template_wins_over_the_built_in_words() -> None:
    template(preheader={"en": "For {{ company.name|you }}"})
    [mail] = invite(name="Ada Lovelace", company=Company.objects.create(name="Analytical & Co"))
    assert mail.subject == "Hi Ada"
    said = words(mail)
    assert said.text.startswith("Hi Ada.\n\nHow likely are you to recommend us?\n(0 – not")
    assert len(re.findall(rf"\d+: {BASE}/s/\S+\?score=\d+", said.text)) == 11
    assert len(re.findall(r'href="[^"]+\?score=\d+"', said.html)) == 11
    assert "For Analytical &amp; Co" in said.html
    assert said.html.index("For Analytical") < said.html.index("Hi Ada.")


def test_a_surveys_own_template_wins_over_the_default() -> None:
    template()
    own = template(name="Order", is_default=False, subject={"en": "Order"}, text={"en": "{{ survey }}: {{ link }}"})
    factories.SurveyFactory(invitation_template=own)
    [mail] = invite()
    assert mail.subject == "Order"
    assert words(mail).text.startswith(f"Order: {BASE}/s/")
    with pytest.raises(ProtectedError):
        own.delete()


def test_each_language_has_its_own_words_and_the_others_fall_back() -> None:
    template(subject={"en": "Hi", "de": "Hallo"}, text={"en": "{{ greeting }}\n\n{{ score_row }}"})
    [mail] = invite(locale="de-AT", name="Ada")
    assert mail.subject == "Hallo"
    assert words(mail).text.startswith("Guten Tag Ada,\n\nWürden Sie uns empfehlen?")
    assert 'lang="de"' in words(mail).html
    assert "Abmelden" in words(mail).text


def test_only_one_template_is_the_default_of_a_purpose() -> None:
    template()
    with pytest.raises(IntegrityError), transaction.atomic():
        template(name="Other")
    template(name="For another purpose", purpose="reminder")


def test_a_follow_up_step_takes_its_template_or_its_own_words_or_the_default() -> None:
    factories.theme()
    usual = {"purpose": "follow_up", "text": {"en": "{{ score }} for {{ survey }} at {{ touchpoint }}: {{ comment }}"}}
    chosen = template(name="Chosen", is_default=False, subject={"en": "Chosen"}, **usual)
    template(name="Default", subject={"en": "Default"}, **usual)
    for segment, texts in (
        ("promoter", {"template": chosen.pk}), ("passive", {}), ("detractor", {"subject": {}, "body": {}}),
    ):  # fmt: skip
        campaign = factories.CampaignFactory(name=segment, segment=segment)
        factories.step(campaign, **texts)
    for score in (9, 8, 3):
        respond(score, SCRIPT)
    follow_up()
    by_subject = {mail.subject: words(mail) for mail in OutgoingEmail.objects.all()}
    assert set(by_subject) == {"Chosen", "Default", "Thanks, Ada Lovelace"}
    assert by_subject["Chosen"].text.startswith(f"9 for Order at Order received: {SCRIPT}\n")
    assert "3 for Order" in by_subject["Default"].html


def test_a_step_without_any_words_is_skipped() -> None:
    factories.theme()
    factories.step(
        factories.CampaignFactory(segment="promoter"),
        subject={},
        body={},
        subject_no_comment={},
        body_no_comment={},
    )
    respond(9)
    follow_up()
    assert not OutgoingEmail.objects.exists()


def test_more_mails_cost_no_more_queries(django_assert_max_num_queries: Any) -> None:
    template(text={"en": "{{ company.name }} {{ contact.properties.plan }} {{ touchpoint }} {{ score_row }}"})
    factories.house(delay=timedelta(0))
    company = Company.objects.create(name="Co")
    counts = []
    for count in (2, 20):
        factories.EventFactory.create_batch(count)
        evaluate_events(now=timezone.now())
        Contact.objects.update(company=company, properties={"plan": "Pro"})
        with django_assert_max_num_queries(100) as queries:
            dispatch_due(now=timezone.now() + timedelta(seconds=1), base_url=BASE)
        counts.append(len(queries))
    assert OutgoingEmail.objects.count() == 22
    assert OutgoingEmail.objects.values("frame").distinct().count() == 1
    assert words(OutgoingEmail.objects.last()).text.startswith("Co Pro Order received")
    assert counts[1] <= counts[0]


def test_follow_ups_cost_no_more_queries(django_assert_max_num_queries: Any) -> None:
    factories.theme()
    own = template(purpose="follow_up", text={"en": "{{ company.name }} {{ survey }}"})
    factories.step(factories.CampaignFactory(segment="promoter"), template=own.pk)
    company = Company.objects.create(name="Co")
    counts = []
    for count in (2, 20):
        for _ in range(count):
            respond(9, company=company)
        now = timezone.now() + timedelta(seconds=1)
        enrol(now=now)
        with django_assert_max_num_queries(100) as queries:
            run_steps(now=now, base_url=BASE)
        counts.append(len(queries))
    assert {words(mail).text.partition("\n")[0] for mail in OutgoingEmail.objects.all()} == {"Co Order"}
    assert counts[1] <= counts[0]


def test_a_template_is_compiled_once_per_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    template()
    made: list[str] = []
    whole = mail_templates.compile_template

    def count(*args: Any, **kwargs: Any) -> Any:
        made.append(kwargs["language"])
        return whole(*args, **kwargs)

    monkeypatch.setattr(mail_templates, "compile_template", count)
    assert len(invite(5)) == 5
    assert made == ["en"]


def test_the_request_for_consent_is_made_in_own_words_and_quotes_what_is_agreed_to() -> None:
    factories.theme()
    own = start("opt_in")
    template(**{**own, "subject": {"en": "{{ brand }}?"}})
    contact = factories.ContactFactory(email="ada@example.com")
    ask = Ask(reason="x", email="new@example.com", contact_id=contact.id, source="form", wording="Yes {{ brand }} <b>")
    opt_in.request(asks=[ask], now=timezone.now())
    consent_mails.ask(now=timezone.now(), base_url=BASE)
    mail = OutgoingEmail.objects.get()
    assert (mail.subject, mail.to_email) == ("Nordwind?", "new@example.com")
    said = words(mail)
    assert "Yes {{ brand }} <b>\n" in said.text
    assert "Yes {{ brand }} &lt;b&gt;" in said.html
    assert said.html.count("/mail/confirm/") == 1
    assert "only so that Nordwind can be sure" in said.html
    assert "only so that Nordwind can be sure" in said.text


# --- the way out ----------------------------------------------------------------------------------

WHOLE = {"layout": "whole", "html": {"en": "<html><body><p>Hi</p><a href='{{ link }}'>go</a></body></html>"}}


def test_a_whole_page_without_a_way_out_gets_one_and_the_imprint() -> None:
    template(**WHOLE)
    [mail] = invite()
    html = words(mail).html
    assert html.count("/mail/u/") == 1
    assert "https://nordwind.example/imprint" in html
    assert "at any time" in html
    assert "background-color:#0f6e84" not in html  # not in our frame


def test_a_whole_page_with_its_own_way_out_gets_only_the_word_of_objection() -> None:
    own = "<p>Hi</p><a href='{{ unsubscribe_url }}'>out</a> <a href='{{ imprint_url }}'>us</a>"
    template(layout="whole", html={"en": own})
    [mail] = invite()
    html = words(mail).html
    assert html.count("/mail/u/") == 1
    assert html.count("https://nordwind.example/imprint") == 1
    assert "at any time" in html


@pytest.mark.parametrize(
    "hidden", ["<!-- {{ unsubscribe_url }} -->", "{{ unsubscribe_url }}", "<a title='{{ unsubscribe_url }}'>x</a>"]
)
def test_only_a_link_is_a_way_out(hidden: str) -> None:
    template(layout="whole", html={"en": f"<p>{hidden} {{{{ postal_address }}}}</p>"})
    [mail] = invite()
    assert "/mail/u/" in words(mail).html
    assert re.search(r'href="http://[^"]+/mail/u/', words(mail).html)


def test_broken_html_is_left_out_and_the_text_is_sent() -> None:
    template(html={"en": "<b><i>Broken</b>"})
    [mail] = invite(name="Ada Lovelace")
    assert "Broken" not in words(mail).html
    assert "Hi Ada." in words(mail).html


# --- nothing gets in --------------------------------------------------------------------------------


def test_script_in_names_and_comments_is_escaped() -> None:
    template(text={"en": "{{ contact.name }} {{ company.name }} {{ contact.properties.x }}\n\n{{ score_row }}"},
             html={"en": "<p title='{{ contact.name }}'>{{ contact.name }} {{ company.name }}</p>"})  # fmt: skip
    company = Company.objects.create(name=SCRIPT)
    [mail] = invite(name=SCRIPT, company=company, properties={"x": SCRIPT})
    assert "<script" not in words(mail).html
    assert words(mail).html.count("&lt;script&gt;") == 4  # the title says the subject
    OutgoingEmail.objects.all().delete()
    own = template(name="F", purpose="follow_up", text={"en": "{{ comment }}\n\n{{ contact.name }}"})
    campaign = factories.CampaignFactory(segment="detractor", survey=factories.SurveyFactory())
    factories.step(campaign, template=own.pk)
    respond(2, SCRIPT, name=SCRIPT)
    follow_up()
    html = words(OutgoingEmail.objects.get()).html
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 3


def test_line_breaks_in_names_make_no_header() -> None:
    template(subject={"en": "Hi {{ contact.name }} of {{ company.name }}"})
    evil = "Ada\r\nBcc: victim@example.com\n\nBody\u2028X"
    [mail] = invite(name=evil, company=Company.objects.create(name=evil))
    parsed = message_from_bytes(encode(parcels.read([mail.pk])[0]), policy=policy.default)
    assert parsed["Bcc"] is None
    assert len(parsed.get_all("Subject")) == 1
    assert "\n" not in parsed["Subject"]
    assert "victim@example.com" not in str(parsed["To"].addresses[1:])


def test_what_a_template_says_of_variables_that_it_does_not_know_stays() -> None:
    template(subject={"en": "{{7*7}} {{ body_html }}"}, text={"en": "{% lorem 9 %} {{ contact.__class__ }} {{ link }}"})
    [mail] = invite()
    assert mail.subject.replace("\u200b", "") == "{{7*7}} {{ body_html }}"
    assert words(mail).text.replace("\u200b", "").startswith("{% lorem 9 %} {{ contact.__class__ }} http")


def test_values_are_never_filled_again() -> None:
    template()
    [mail] = invite(name="{{ link }} {{ unsubscribe_url }}")
    assert mail.subject == "Hi {{"
    assert "Hi {{." in words(mail).text


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_payloads_reach_a_mail_as_they_are_and_take_no_time(payload: str) -> None:
    """As if the form had let them in."""
    own = template(text={"en": payload}, html={"en": payload}, subject={"en": payload}, layout="whole")
    theme = factories.theme()
    contact = Contact(name="Ada", email="ada@example.com")

    def mail() -> Any:
        compiled = mail_templates.compile_template(own, language="en", theme=theme)
        letter = mails.Letter("r", contact, "invitation", "", {}, language="en", values={"link": "https://x.test"})
        letter = mails.in_own_words(letter, compiled, theme=theme, facts={})
        return words(mails.render_letters([letter], base_url=BASE, theme=theme)[0])

    said = quickly(mail)
    assert len(said.html) < 1_000_000
    assert len(said.text) < 1_000_000
    assert "/mail/u/" in said.text


# --- the built-in mails -------------------------------------------------------------------------------


def built_in(name: str, language: str = "en") -> Any:
    """A built-in mail with eleven answers and long texts."""
    long = "Ein ziemlich langer Text mit <Zeichen> & Umlauten: äöü. " * 20
    theme = factories.theme(
        privacy_url="https://nordwind.example/privacy", postal_address="Nordwind GmbH, Hafenstraße 1, 20457 Hamburg"
    )
    survey = factories.SurveyFactory()
    question = mails.asked_of([survey.pk])[survey.pk].question
    context = {
        "invitation": mails.asking(question, factories.TouchpointFactory(), language),
        "reminder": {**mails.asking(question, factories.TouchpointFactory(), language), "paragraphs": [long]},
        "follow_up": {"body": long, "paragraphs": [long] * 5},
        "opt_in": {one: mails.place(one) for one in ("wording", "link", "email")},
    }[name]
    contact = Contact(name="Ada Lovelace", email="ada@example.com")
    values = {"link": f"{BASE}/s/{'x' * 32}", "wording": long, "email": "ada@example.com"}
    letter = mails.Letter("r", contact, name, "Subject", context, language=language, values=values)
    return words(mails.render_letters([letter], base_url=BASE, theme=theme)[0])


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("name", ["invitation", "reminder", "follow_up", "opt_in"])
def test_built_in_mails_are_small_whole_and_load_nothing(name: str, language: str) -> None:
    said = built_in(name, language)
    html = said.html
    assert len(html.encode()) <= 30 * 1024
    assert max(len(line.encode()) for line in html.split("\n")) < 998 or name in {"follow_up", "reminder", "opt_in"}
    assert html.startswith("<!DOCTYPE html>")
    assert f'<html lang="{language}"' in html
    assert "<img" not in html
    assert "url(" not in html
    assert html.count("<table") == html.count('role="presentation"')  # ghost tables included
    assert '<!--[if mso]><table role="presentation" width="600"' in html
    assert "[data-ogsc]" in html
    assert "prefers-color-scheme: dark" in html
    assert html.count("/mail/u/") == 1
    assert "https://nordwind.example/imprint" in html
    assert "{{" not in html
    assert "{{" not in said.text
    assert "\n\n\n" not in said.text
    assert "https://nordwind.example/privacy" in said.text


@pytest.mark.parametrize("name", ["invitation", "reminder"])
def test_the_answers_are_one_click_away_and_wide_enough_for_a_thumb(name: str) -> None:
    said = built_in(name)
    cells = re.findall(r'<td class="cell"[^>]*>\s*<a href="([^"]+)"', said.html)
    assert cells == [f"{BASE}/s/{'x' * 32}?score={score}" for score in range(11)]
    assert said.html.index("mso-hide:all") < said.html.index("Hello Ada")  # the preheader comes first
    assert said.text.count("?score=") == 11


class _Contrasts(HTMLParser):
    """The contrast of every text on what is behind it, by the inline styles, or by the rules for dark mode."""

    def __init__(self, css: str, *, is_dark: bool) -> None:
        super().__init__()
        self.dark = dict(re.findall(r"\.([\w ]+) \{ ([^}]*) \}", css)) if is_dark else {}
        self.stack: list[tuple[str, str, str, bool]] = [("", "#000000", "#ffffff", False)]
        self.found: list[tuple[float, str]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in {"meta", "br", "img"}:
            return
        given = dict(attrs)
        _tag, ink, back, is_hidden = self.stack[-1]
        rules = [given.get("style") or ""]
        rules += [self.dark.get(name, "") for name in (given.get("class") or "").split()]
        if tag == "a" and self.stack[-1][0] == "td cell":
            rules.append(self.dark.get("cell a", ""))
        for rule in rules:
            ink = (re.findall(r"(?<![\w-])color: ?(#\w{6})", rule) or [ink])[-1]
            back = (re.findall(r"background(?:-color)?: ?(#\w{6})", rule) or [back])[-1]
        name = "td cell" if given.get("class") == "cell" else tag
        self.stack.append((name, ink, back, is_hidden or "display:none" in "".join(rules) or tag in {"head", "style"}))

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"meta", "br", "img"}:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        _tag, ink, back, is_hidden = self.stack[-1]
        if data.strip() and not is_hidden:
            self.found.append((contrast(ink, back), data.strip()[:40]))


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["invitation", "reminder", "follow_up", "opt_in"])
def test_built_in_mails_read_well_in_light_and_dark(name: str, is_dark: bool) -> None:
    html = built_in(name).html
    dark = html.split("prefers-color-scheme: dark) {")[1].split("[data-ogsb]")[0]
    seen = _Contrasts(dark, is_dark=is_dark)
    seen.feed(html)
    assert len(seen.found) > 5
    assert [one for one in seen.found if one[0] < AA] == []


@pytest.mark.parametrize("purpose", ["invitation", "reminder", "follow_up", "opt_in"])
def test_the_words_to_start_from_are_whole_in_every_language(purpose: str) -> None:
    factories.theme()
    own = MailTemplate(name="x", **start(purpose))
    for language in ("en", "de"):
        compiled = mail_templates.compile_template(own, language=language, theme=factories.theme())
        assert compiled is not None
        known = {"subject", "greeting", "unsubscribe_url", "name"}
        assert all(name in known or mail_templates.templating.is_known(name, purpose) for name in compiled.names)
        assert "\u200b" not in compiled.words.text
    assert start("nonsense") == {}


def test_an_invitations_reason_and_stream_are_the_same_in_own_words() -> None:
    template()
    [mail] = invite()
    assert mail.reason == f"invitation:{Invitation.objects.get().id}"
    assert mail.stream.startswith("survey:")
    assert mail.needs_legal_basis
    assert LegalBasis.objects.exists()
