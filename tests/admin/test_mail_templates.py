"""The mail template's editor: what is refused, what is shown, who may look, what a test sends."""

import json
import time
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from apps.accounts.models import User
from apps.contacts.models import Company, Contact
from apps.messaging import services
from apps.messaging.models import MailTemplate, OutgoingEmail, Suppression
from apps.surveys import mails
from apps.surveys.models import Invitation
from tests import factories
from tests.admin.conftest import TENANT, client_for
from tests.messaging.test_templating import PAYLOADS

URL = "/admin/messaging/mailtemplate/"
SCRIPT = "<script>alert('x')</script>"


def form(**values: Any) -> dict[str, Any]:
    """A posted form; texts in English."""
    usual = {
        "name": "Own", "purpose": "invitation", "layout": "framed", "subject_en": "Hi {{ contact.first_name|there }}",
        "text_en": "Hi {{ contact.name }}.\n\n{{ score_row }}", "_language": "en",
    }  # fmt: skip
    return {**usual, **values}


def errors(answer: Any) -> str:
    return json.dumps(answer.context["adminform"].form.errors)


@pytest.fixture(autouse=True)
def brand(tenant: Any) -> None:
    factories.theme()
    factories.SurveyFactory()
    factories.TouchpointFactory()


def test_a_template_is_made_and_found(client: Client, django_assert_max_num_queries: Any) -> None:
    assert client.post(f"{URL}add/", form(is_default="on")).status_code == 302
    own = MailTemplate.objects.get()
    assert own.is_default
    assert own.text == {"en": "Hi {{ contact.name }}.\n\n{{ score_row }}"}
    MailTemplate.objects.bulk_create(MailTemplate(name=f"T{n}", purpose="reminder") for n in range(30))
    with django_assert_max_num_queries(12):
        page = client.get(URL, {"q": "score_row", "purpose__exact": "invitation"})
    assert page.context["cl"].result_count == 1


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"text_en": "{{ comment }}"}, "There is no variable comment, only contact.first_name"),
        ({"subject_en": "{{ contact.__class__ }}"}, "There is no variable contact.__class__"),
        ({"html_en": "<b>\\n<i>x</b>"}, "closes what is not open here"),
        ({"text_en": "{{ brand }}" * 201}, "At most 200 variables"),
        ({"text_en": ""}, "required"),
        ({"sms_en": "long " * 80}, "more than 3 text messages"),
        ({"sms_en": "{{ comment }}"}, "There is no variable comment"),
        ({"purpose": "opt_in", "text_en": "Hi {{ link }}"}, "the text to agree to"),
    ],
)
def test_what_mails_could_not_say_is_refused_and_what_was_typed_is_kept(
    client: Client, values: dict[str, str], says: str
) -> None:
    answer = client.post(f"{URL}add/", form(**values))
    assert answer.status_code == 200
    assert says in errors(answer)
    assert 'value="Own"' in answer.content.decode()
    assert not MailTemplate.objects.exists()


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_payloads_are_refused_or_shown_as_they_are(client: Client, payload: str) -> None:
    posted = form(text_en=payload, html_en=payload, layout="whole")
    started = time.process_time()
    answer = client.post(f"{URL}preview/", posted)
    took = time.process_time() - started
    too_big = len(payload) > 1_000_000
    assert answer.status_code in ((200, 400) if too_big else (200,))
    assert "<script" not in answer.content.decode()
    assert took < 1  # with the whole page around it; the templates' own share is measured elsewhere
    saved = client.post(f"{URL}add/", posted)
    assert saved.status_code == (302 if MailTemplate.objects.exists() else answer.status_code)
    assert len(payload) < 100_000 or not MailTemplate.objects.exists()


def test_the_preview_is_a_frame_that_can_do_nothing(client: Client) -> None:
    answer = client.post(f"{URL}preview/", form(html_en=f"<p>x</p>{SCRIPT}<img src='https://x.example/a.png' alt=''>"))
    policy = answer.headers["Content-Security-Policy"]
    wanted = {
        "default-src 'none'", "script-src 'none'", "form-action 'none'", "frame-ancestors 'self'", "img-src data:",
        "style-src 'unsafe-inline'", "sandbox allow-same-origin",
    }  # fmt: skip
    assert wanted <= set(policy.split("; "))
    assert "-elem" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "<script" not in answer.content.decode()
    assert client.get(f"{URL}preview/").status_code == 405


def test_the_preview_shows_a_real_contact_and_an_invented_one_where_there_is_none(client: Client) -> None:
    company = Company.objects.create(name=SCRIPT)
    factories.ContactFactory(name=f"Grace {SCRIPT}", email="grace@example.com", company=company)
    posted = form(text_en="{{ contact.name }} of {{ company.name }}", _contact="GRACE@example.com")
    shown = client.post(f"{URL}preview/", posted).content.decode()
    assert "Grace &lt;script&gt;" in shown
    assert "<script" not in shown
    about = client.post(f"{URL}about/", posted).json()
    assert about["subject"] == "Hi Grace"
    assert about["text"].startswith(f"Grace {SCRIPT} of {SCRIPT}")
    assert "Ada Lovelace" in client.post(f"{URL}preview/", form(_contact="nobody@example.com")).content.decode()


def test_a_preview_of_a_contact_cannot_unsubscribe_it(client: Client) -> None:
    contact = factories.ContactFactory(email="grace@example.com")
    shown = client.post(f"{URL}about/", form(_contact="grace@example.com")).json()["text"]
    link = next(line for line in shown.split("\n") if "/mail/u/" in line).split(": ")[1].split(TENANT)[1]
    Client(headers={"host": TENANT}).post(link)
    assert contact.email
    assert not Suppression.objects.exists()


def test_light_and_dark_are_chosen_in_the_editor(client: Client) -> None:
    assert "@media all {" in client.post(f"{URL}preview/", form(_scheme="dark")).content.decode()
    assert "@media not all {" in client.post(f"{URL}preview/", form()).content.decode()


def test_warnings_say_what_could_be_better(client: Client) -> None:
    own = "<img src='https://x.example/a.png'><p>" + "x" * 31_000 + "</p>"
    posted = form(subject_en="x" * 61, text_en="Hi", html_en=own, layout="whole")
    found = " ".join(client.post(f"{URL}about/", posted).json()["warnings"])
    for part in ("61 characters", "no link", "KB of HTML", "alternative text", "tracking"):
        assert part in found
    assert client.post(f"{URL}about/", form()).json()["warnings"] == []
    page = client.post(f"{URL}add/", posted, follow=True).content.decode()
    assert "may count as tracking" in page


def test_a_test_goes_to_whoever_is_signed_in_and_to_nobody_else(client: Client) -> None:
    factories.ContactFactory(email="grace@example.com", name="Grace")
    answer = client.post(f"{URL}trial/", form(_contact="grace@example.com"), headers={"accept": "application/json"})
    assert answer.json() == {"said": "Sent to chief@example.com."}
    [sent] = outbox.outbox
    assert sent.to == ["chief@example.com"]
    assert sent.subject == "[Test] Hi Grace"
    assert "List-Unsubscribe" not in sent.extra_headers
    assert "Hi Grace." in str(sent.body)
    assert not OutgoingEmail.objects.exists()


def test_tests_are_limited_to_ten_an_hour(client: Client) -> None:
    said = [client.post(f"{URL}trial/", form()).content.decode() for _ in range(11)]
    assert said[9] == "Sent to chief@example.com."
    assert "10 tests an hour" in said[10]
    assert len(outbox.outbox) == 10


def test_who_has_no_address_is_told_so(client: Client, admin_user: User) -> None:
    User.objects.update(email="")
    assert "no e-mail address" in client.post(f"{URL}trial/", form()).content.decode()
    assert outbox.outbox == []


def test_contacts_are_found_by_name_and_address(client: Client) -> None:
    factories.ContactFactory(email="grace@example.com", name="Grace Hopper")
    Contact.objects.create(external_id="x", name="Grace without address")
    for term, count in (("hopper", 1), ("GRACE", 2), ("grace@", 1), ("g", 0), ("", 0), ("%%", 0)):
        assert len(client.get(f"{URL}people/", {"q": term}).json()["found"]) == count


def staff(*codenames: str) -> Client:
    user = User.objects.create_user("editor", "editor@example.com", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return client_for(user, TENANT)


def test_without_the_right_to_change_nothing_is_shown_or_sent(tenant: Any) -> None:
    own = MailTemplate.objects.create(name="x", purpose="invitation", subject={"en": "x"}, text={"en": "x"})
    reader = staff("view_mailtemplate")
    for word in ("preview", "about", "trial"):
        assert reader.post(f"{URL}{word}/", form()).status_code == 403
        assert reader.post(f"{URL}{word}/?id={own.pk}", form()).status_code == 403
    assert reader.get(f"{URL}people/", {"q": "gr"}).status_code == 403
    page = reader.get(f"{URL}{own.pk}/change/")
    assert page.status_code == 200
    assert "data-preview" not in page.content.decode()


def test_without_the_right_to_see_contacts_only_the_invented_one_is_shown(tenant: Any) -> None:
    factories.ContactFactory(email="grace@example.com", name="Grace")
    editor = staff("add_mailtemplate", "change_mailtemplate", "view_mailtemplate")
    shown = editor.post(f"{URL}preview/", form(_contact="grace@example.com")).content.decode()
    assert "Grace" not in shown
    assert "Ada Lovelace" in shown
    assert "_contact" not in editor.get(f"{URL}add/").content.decode()


@pytest.mark.parametrize("purpose", ["invitation", "reminder", "follow_up", "opt_in"])
def test_one_starts_from_the_built_in_words_in_both_languages(client: Client, purpose: str) -> None:
    page = client.get(f"{URL}add/", {"start": purpose})
    initial = page.context["adminform"].form.initial
    assert initial["purpose"] == purpose
    assert set(initial["text"]) == set(initial["subject"]) == {"en", "de"}
    posted = {f"{name}_{code}": text for name in ("subject", "preheader", "text") for code, text in
              initial[name].items()}  # fmt: skip
    assert client.post(f"{URL}add/", form(**posted, purpose=purpose)).status_code == 302
    assert client.get(f"{URL}add/", {"start": "nonsense"}).status_code == 200


def test_script_in_a_name_is_escaped_where_the_message_is_shown(client: Client) -> None:
    MailTemplate.objects.create(
        name="x", purpose="invitation", is_default=True, subject={"en": "Hi {{ contact.name }}"},
        text={"en": "{{ contact.name }} {{ link }}"},
    )  # fmt: skip
    contact = factories.ContactFactory(name=SCRIPT)
    row = Invitation(survey=factories.SurveyFactory(), contact=contact, touchpoint=None)
    now = timezone.now()
    [pk] = services.enqueue(mails=mails.invitation_mails([(row, "t")], base_url="https://x.test"), now=now).values()
    for path in (f"/emails/{pk}/", f"/emails/{pk}/html/", "/emails/", "/admin/messaging/outgoingemail/"):
        page = client.get(path)
        assert page.status_code == 200
        assert SCRIPT not in page.content.decode()
        assert "&lt;script&gt;" in page.content.decode()


def test_a_survey_and_a_step_offer_the_templates_of_their_purpose(client: Client) -> None:
    MailTemplate.objects.create(name="For invitations", purpose="invitation")
    MailTemplate.objects.create(name="For follow-ups", purpose="follow_up")
    survey = client.get("/admin/surveys/survey/add/").content.decode()
    assert "For invitations" in survey
    assert "For follow-ups" not in survey
    campaign = client.get("/admin/campaigns/campaign/add/").content.decode()
    assert "For follow-ups" in campaign
    assert "For invitations" not in campaign
