"""Ready-made surveys are complete in both languages, can be walked, and become surveys that work at once."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django_tenants.utils import tenant_context

from apps.accounts.models import User
from apps.surveys import library, versions
from apps.surveys.branching import problems, witness
from apps.surveys.definition import LEADS, load, segment_of_answers
from apps.surveys.library import Entry
from apps.surveys.models import Question, Survey
from tests.admin.conftest import TENANT, client_for

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENTRIES = library.entries()
each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
PAGE, CREATE = "/admin/surveys/survey/library/", "/admin/surveys/survey/library/create/"
# Words that one language has and the other has not.
ENGLISH = "the and you your our how what with please thank of to for not is are we us it that this would"
GERMAN = "und sie ihr ihre wir uns wie der das ist nicht bitte danke für mit zu von haben eine ein"
INFORMAL = "du dich dir dein deine deinen deiner euch euer eure"


def texts(value: Any) -> Iterator[dict[str, str]]:
    """Every text in several languages, however deep."""
    if isinstance(value, dict):
        if set(value) & {"en", "de"}:
            yield value
        else:
            for inner in value.values():
                yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)


def all_texts(entry: Entry) -> list[dict[str, str]]:
    return list(texts([entry.name, entry.touchpoint, entry.about, entry.questions, dict(entry.thanks)]))


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[a-zäöüß]+", text.lower()))


def document(entry: Entry) -> dict[str, Any]:
    survey = Survey(key=entry.key, name=entry.name)
    return versions.document_of(survey, *library.rows(entry, survey))


def test_there_is_one_for_each_touchpoint_that_matters() -> None:
    assert {entry.key for entry in ENTRIES} == {
        "order-received", "checkout", "support-contact", "cancellation", "data-change", "renewal", "newsletter",
        "landing-page", "relationship", "product-update", "repeat-purchase",
    }  # fmt: skip
    for name in ("name", "about", "touchpoint"):
        assert len({getattr(entry, name)["de"] for entry in ENTRIES}) == len(ENTRIES)


@each
def test_every_text_is_there_in_both_languages(entry: Entry) -> None:
    for text in all_texts(entry):
        assert set(text) == {"en", "de"}
        assert all(one and one == one.strip() and "  " not in one for one in text.values())
    for question in entry.questions:
        if question["kind"] == "comment":
            assert {"text_promoter", "text_passive", "text_detractor"} <= set(question)
        if question["kind"] in {"nps", "csat", "ces", "rating"}:
            assert {"low_label", "high_label"} <= set(question)


@each
def test_no_language_has_leftovers_of_the_other(entry: Entry) -> None:
    for text in all_texts(entry):
        assert not words_of(text["de"]) & set(ENGLISH.split()), text["de"]
        assert not words_of(text["de"]) & set(INFORMAL.split()), text["de"]
        assert not words_of(text["en"]) & set(GERMAN.split()), text["en"]
        assert "Email" not in text["de"]
        same = text["en"] == text["de"]
        assert not same or len(words_of(text["en"])) <= 1, text


@each
def test_questions_and_pages_are_as_the_models_want_them(entry: Entry, tenant: Any) -> None:
    survey = Survey.objects.create(key="x", name=entry.name)
    for row in [row for rows in library.rows(entry, survey) for row in rows]:
        row.full_clean()
        row.save()
    keys = [question["key"] for question in entry.questions]
    assert all(re.fullmatch(r"[a-z][a-z_]*", key) for key in keys)
    assert 4 <= len(keys) <= 10


@each
def test_every_question_can_be_reached_and_nothing_is_wrong(entry: Entry) -> None:
    found = document(entry)
    assert problems(found) == []
    definition = load(found)
    assert definition.lead is not None
    assert definition.lead.kind in LEADS
    assert [question.key for question in definition.pages[0]] == [definition.lead.key, "comment"]
    assert len(definition.conditions) == sum("show_if" in row for row in entry.questions)
    for question in definition.questions:
        assert witness(found, question.key) is not None


@each
def test_every_segment_has_its_own_last_page_and_detractors_are_offered_a_call(entry: Entry) -> None:
    assert list(entry.thanks) == ["promoter", "passive", "detractor", ""]
    assert [segment for segment, row in entry.thanks.items() if row.get("offers_call_back")] == ["detractor"]
    assert len({row["text"]["de"] for row in entry.thanks.values()}) >= 3


@each
def test_a_survey_is_made_and_can_be_answered_at_once(entry: Entry, tenant: Any) -> None:
    survey = library.create(entry.key, "mine", NOW, by="chief")
    assert (survey.key, survey.name, survey.is_active, survey.is_public) == ("mine", entry.name, True, False)
    version = survey.current_version
    assert version is not None
    assert (version.number, version.created_by, version.created_at) == (1, "chief", NOW)
    definition = versions.definition_of(version)
    assert [question.key for question in definition.questions] == [row["key"] for row in entry.questions]
    assert all(question.id for question in definition.questions)
    assert definition.lead is not None
    for number, segment in ((definition.lead.bounds[1], "promoter"), (definition.lead.bounds[0], "detractor")):
        assert segment_of_answers(definition, {definition.lead.key: number}) == segment
        assert definition.thanks_for(segment).offers_call_back == (segment == "detractor")


def test_what_is_made_can_be_made_again_under_another_key(tenant: Any) -> None:
    keys = []
    for _ in range(3):
        keys.append(library.free_key("checkout"))
        library.create("checkout", keys[-1], NOW)
    assert keys == ["checkout", "checkout-2", "checkout-3"]
    Survey.objects.create(key="k" * 60, name={"en": "Long"})
    assert len(library.free_key("k" * 60)) <= 60
    with pytest.raises(KeyError):
        library.create("nothing", "nothing", NOW)


def test_a_template_is_not_changed_by_what_is_made_of_it() -> None:
    before = repr(ENTRIES)
    questions, thanks = library.rows(ENTRIES[1], Survey(key="x"))
    questions[3].options.append({"key": "new", "text": {"en": "New"}})
    questions[0].text["en"] = thanks[0].text["en"] = "Changed"
    assert repr(library.entries()) == before


# --- the page ---


@pytest.fixture
def admin_user(tenant: Any) -> User:
    return User.objects.create_superuser("chief", "chief@example.com")


@pytest.fixture
def client(admin_user: User) -> Client:
    return client_for(admin_user, TENANT)


def person(*rights: str) -> Client:
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return client_for(user, TENANT)


def test_all_templates_are_shown_in_the_language_that_is_asked_for(client: Client) -> None:
    english, german = (client.get(f"{PAGE}?lang={code}").content.decode() for code in ("en", "de"))
    for entry in ENTRIES:
        assert f'id="{entry.key}"' in english
        assert f"<h2>{entry.name['en']}</h2>" in english
        assert f"<h2>{entry.name['de']}</h2>" in german
        last = entry.questions[-1]["text"]
        assert last["en"] in english
        assert last["de"] in german
        assert last["de"] not in english
    assert client.get(f"{PAGE}?lang=xx").status_code == 200


def test_a_template_becomes_a_survey_and_leads_to_it(client: Client) -> None:
    for number, key in enumerate(["renewal", "renewal-2"]):
        answer = client.post(CREATE, {"entry": "renewal"})
        survey = Survey.objects.get(key=key)
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/admin/surveys/survey/{survey.pk}/change/"
        assert LogEntry.objects.count() == number + 1
    page = client.get(answer.headers["Location"])
    assert page.status_code == 200
    assert "ready to be used" in page.content.decode()
    assert survey.current_version is not None
    assert survey.current_version.created_by == "chief"


def test_a_template_that_is_not_there_makes_nothing(client: Client) -> None:
    assert client.post(CREATE, {"entry": "x"}).status_code == 404
    assert client.post(CREATE).status_code == 404
    assert client.get(CREATE).status_code == 405
    assert not Survey.objects.exists()


def test_the_list_leads_to_the_templates_most_of_all_while_it_is_empty(client: Client) -> None:
    url, hint = "/admin/surveys/survey/", "The quickest beginning is a template"
    empty = client.get(url).content.decode()
    assert empty.count(f'href="{PAGE}') == 2
    assert hint in empty
    assert hint not in client.get(f"{url}?q=nothing").content.decode()
    library.create("checkout", "checkout", NOW)
    full = client.get(url).content.decode()
    assert full.count(f'href="{PAGE}') == 1
    assert hint not in full


def test_only_who_may_add_surveys_sees_and_takes_templates(tenant: Any) -> None:
    reader = person("view_survey", "change_survey")
    assert reader.get(PAGE).status_code == 403
    assert reader.post(CREATE, {"entry": "checkout"}).status_code == 403
    assert PAGE not in reader.get("/admin/surveys/survey/").content.decode()
    assert not Survey.objects.exists()
    assert Client(headers={"host": TENANT}).post(CREATE, {"entry": "checkout"}).status_code == 302
    assert not Survey.objects.exists()


def test_who_may_only_add_is_not_led_to_a_page_that_is_forbidden(tenant: Any) -> None:
    answer = person("add_survey").post(CREATE, {"entry": "checkout"})
    assert answer.headers["Location"] == "/admin/"
    assert Survey.objects.count() == 1


def test_another_tenant_gets_nothing_of_it(client: Client, other_tenant: Any) -> None:
    client.post(CREATE, {"entry": "checkout"})
    with tenant_context(other_tenant):
        assert not Survey.objects.exists()
        assert not Question.objects.exists()
