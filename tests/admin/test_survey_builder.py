"""Surveys are built in the admin: questions, thanks, versions, copies, the archive, the preview."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.responses.models import Answer, Response
from apps.surveys.branching import checks
from apps.surveys.branching.reach import Budget
from apps.surveys.models import Question, Survey, SurveyVersion, ThankYou
from tests.admin.conftest import TENANT, client_for

SURVEYS = "/admin/surveys/survey/"
NPS = {"key": "nps", "kind": "nps", "text_en": "How likely?", "position": 0}
COMMENT = {"key": "why", "kind": "comment", "text_en": "Why?", "position": 1}
CHOICE = {
    "key": "what", "kind": "single", "text_en": "What?", "position": 2,
    "options": json.dumps([{"text": {"en": "Price"}}, {"text": {"en": "Größe", "de": "Größe"}}]),
}  # fmt: skip


def rows(prefix: str, found: Any, initial: int = 0) -> dict[str, Any]:
    data = {f"{prefix}-TOTAL_FORMS": len(found), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(found):
        data |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return data


def posted(*questions: dict[str, Any], thanks: Any = (), initial: int = 0, **values: Any) -> dict[str, Any]:
    survey = {"key": "order", "name_en": "Order", "is_active": "on", "min_days_between": 0, "public_properties": ""}
    parts = {**rows("questions", questions, initial), **rows("thanks", thanks), **rows("reminders", ())}
    return {**survey, **parts, **values}


def saved(survey: Survey) -> list[dict[str, Any]]:
    """The survey's questions as their form would send them."""
    found = []
    for question in survey.questions.filter(is_retired=False):
        row = {"id": question.pk, "survey": survey.pk, "key": question.key, "kind": question.kind}
        row |= {"position": question.position, "text_en": question.text.get("en", "")}
        row |= {"text_de": question.text.get("de", ""), "options": json.dumps(question.options)}
        for name in ("text_promoter", "text_passive", "text_detractor", "low_label", "high_label"):
            texts = getattr(question, name)
            row |= {f"{name}_en": texts.get("en", ""), f"{name}_de": texts.get("de", "")}
        found.append({**row, "show_if": json.dumps(question.show_if) if question.show_if else ""})
    return found


def page_of(answer: Any) -> str:
    return answer.content.decode()


def errors(answer: Any, row: int | None = None) -> Any:
    """What is wrong, of the whole or of one question."""
    formset = answer.context["inline_admin_formsets"][0].formset
    return list(formset.non_form_errors()) if row is None else dict(formset.forms[row].errors)


def new(client: Client, *questions: dict[str, Any], **values: Any) -> Survey:
    answer = client.post(f"{SURVEYS}add/", posted(*questions, **values))
    assert answer.status_code == 302, answer.context and answer.context["errors"]
    return Survey.objects.latest("pk")


# --- saving ---


def test_a_survey_is_made_with_questions_options_and_thanks(client: Client) -> None:
    thanks = [{"segment": "promoter", "heading_en": "Great!"}, {"segment": "", "text_en": "Bye"}]
    survey = new(client, NPS, COMMENT, CHOICE, thanks=thanks, public_properties="store, till\nstore")
    assert list(survey.questions.values_list("key", flat=True)) == ["nps", "why", "what"]
    assert survey.questions.get(key="what").options == [
        {"key": "price", "text": {"en": "Price"}},
        {"key": "grosse", "text": {"en": "Größe", "de": "Größe"}},
    ]
    assert {row.segment for row in survey.thanks.all()} == {"", "promoter"}
    assert survey.public_properties == ["store", "till"]
    version = survey.current_version
    assert version is not None
    assert (version.number, version.created_by) == (1, "chief")
    assert [q["key"] for q in version.definition["questions"]] == ["nps", "why", "what"]


def test_a_promise_is_published_with_the_survey_and_one_that_is_too_long_stays_in_its_field(client: Client) -> None:
    survey = new(client, NPS, incentive_en="€5 voucher", incentive_de="5 € Gutschein")
    assert survey.current_version is not None
    assert survey.current_version.definition["incentive"] == {"en": "€5 voucher", "de": "5 € Gutschein"}
    answer = client.post(f"{SURVEYS}add/", posted(NPS, key="other", incentive_de="Gutschein " * 30))
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == ["incentive"]
    assert "Gutschein " * 30 in page_of(answer)
    assert "must not depend on the score" in page_of(answer)


def test_keys_are_made_of_kinds_and_texts(client: Client) -> None:
    first = {**NPS, "key": ""}
    rating = {"key": "", "kind": "rating", "text_en": "Delivery time", "position": 3}
    survey = new(client, first, {**COMMENT, "key": ""}, rating, rating)
    assert list(survey.questions.values_list("key", flat=True)) == ["nps", "why", "delivery-time", "delivery-time-2"]


def test_questions_without_a_place_come_last_and_in_order(client: Client) -> None:
    survey = new(client, {**COMMENT, "position": ""}, {**CHOICE, "position": ""}, {**NPS, "position": 5})
    assert list(survey.questions.values_list("key", "position")) == [("nps", 0), ("why", 1), ("what", 2)]


def test_what_a_kind_does_not_need_is_put_back(client: Client) -> None:
    odd = {**CHOICE, "kind": "rating", "style": "stars", "low": 0, "high": 99}
    question = new(client, NPS, odd).questions.get(key="what")
    assert (question.options, question.style, question.low, question.high) == ([], "stars", 1, 5)


def test_moving_a_neighbour_moves_the_others_along(client: Client) -> None:
    survey = new(client, NPS, COMMENT, CHOICE)
    found = saved(survey)
    found[2]["position"] = 1  # As the comment, which comes first among equals.
    found[1]["position"] = 1
    found.append({"key": "new", "kind": "text", "text_en": "New?", "position": 1})
    client.post(f"{SURVEYS}{survey.pk}/change/", posted(*found, initial=3))
    assert list(survey.questions.values_list("key", "position")) == [("nps", 0), ("why", 1), ("what", 2), ("new", 3)]


def test_a_neighbour_that_nobody_touched_makes_way(client: Client) -> None:
    survey = new(client, NPS, COMMENT, CHOICE)
    found = saved(survey)
    found[2]["position"] = 0
    client.post(f"{SURVEYS}{survey.pk}/change/", posted(*found, initial=3))
    assert list(survey.questions.values_list("key", "position")) == [("nps", 0), ("what", 1), ("why", 2)]


def test_saving_without_a_change_makes_no_version(client: Client) -> None:
    survey = new(client, NPS, COMMENT)
    assert client.post(f"{SURVEYS}{survey.pk}/change/", posted(*saved(survey), initial=2)).status_code == 302
    assert survey.versions.count() == 1
    changed = saved(survey)
    changed[1]["text_en"] = "Why, please?"
    client.post(f"{SURVEYS}{survey.pk}/change/", posted(*changed, initial=2))
    assert survey.versions.count() == 2


def test_a_deep_condition_is_kept_as_it_is(client: Client) -> None:
    either = [
        {"field": "contact.country", "op": "eq", "value": "DE"},
        {"field": "property.shop", "op": "exists"},
    ]
    deep = {"all": [{"not": {"field": "response.score", "op": "ge", "value": 7}}, {"any": either}]}
    survey = new(client, NPS, {**COMMENT, "show_if": json.dumps(deep)})
    client.post(f"{SURVEYS}{survey.pk}/change/", posted(*saved(survey), initial=2))
    assert survey.questions.get(key="why").show_if == deep


def test_forty_questions_can_be_saved(client: Client) -> None:
    texts = {f"text_{segment}_{n}": "x" for segment in ("promoter", "passive", "detractor") for n in ("en", "de")}
    more = {"low_label_en": "a", "low_label_de": "a", "high_label_en": "b", "high_label_de": "b", "is_required": "on"}
    many = [{**COMMENT, **texts, **more, "key": f"q{n}", "kind": "text", "position": n + 1, "text_de": "?", "style":
             "numbers", "low": 1, "high": 5, "options": "", "show_if": ""} for n in range(39)]  # fmt: skip
    survey = new(client, NPS, *many)
    assert survey.questions.count() == 40
    rows_of = [{**row, **more, **texts, "style": "numbers", "low": 1, "high": 5} for row in saved(survey)]
    assert client.post(f"{SURVEYS}{survey.pk}/change/", posted(*rows_of, initial=40)).status_code == 302


# --- what is wrong is told at its question ---

TOO_HIGH = {"field": "response.score", "op": "ge", "value": 11}
NEVER = {"all": [{"field": "response.score", "op": "ge", "value": 9}, {"field": "answer.why", "op": "eq", "value": "x"},
                 {"field": "response.segment", "op": "eq", "value": "detractor"}]}  # fmt: skip


@pytest.mark.parametrize(
    ("questions", "row", "field", "told"),
    [
        ([COMMENT, {**NPS, "position": 4}], 0, "kind", "The first question asks for recommendation"),
        ([NPS, {**NPS, "key": "again", "position": 1}], 1, "kind", "at most one recommendation question"),
        ([NPS, COMMENT, {**COMMENT, "key": "b", "position": 2}], 2, "kind", "at most one comment question"),
        ([NPS, {**COMMENT, "key": "nps"}], 1, "key", "Another question already has the key “nps”"),
        ([NPS, {**CHOICE, "options": "[]"}], 1, "options", "at least two options"),
        ([NPS, {**COMMENT, "show_if": json.dumps(TOO_HIGH)}], 1, "show_if", "11 cannot be answered"),
        ([NPS, COMMENT, {**CHOICE, "show_if": json.dumps(NEVER)}], 2, "show_if", "can never be shown"),
        ([NPS, {**COMMENT, "show_if": '{"field": "answer.what", "op": "exists"}'}, CHOICE], 1, "show_if",
         "The question “What?” comes later"),
        ([NPS, {**COMMENT, "show_if": '{"field": "answer.gone", "op": "exists"}'}], 1, "show_if",
         "There is no question “gone”"),
        ([NPS, {**COMMENT, "show_if": '{"field": "", "op": ""}'}], 1, "show_if", "Choose what is compared."),
        ([NPS, {**COMMENT, "show_if": "{"}], 1, "show_if", "valid JSON"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(client: Client, questions: Any, row: int, field: str, told: str) -> None:
    answer = client.post(f"{SURVEYS}add/", posted(*questions))
    assert answer.status_code == 200
    assert told in " ".join(errors(answer, row)[field])
    assert not Survey.objects.exists()
    for number, question in enumerate(questions):  # All that was typed is still there.
        assert f'name="questions-{number}-key" value="{question["key"]}"' in page_of(answer).replace("\n", " ")
    if field == "show_if":
        assert holds_json(page_of(answer), questions[row]["show_if"])


def holds_json(page: str, tree: str) -> bool:
    """Whether a text area holds this JSON, however it is laid out."""
    plain = re.sub(r"\s", "", tree)
    return plain in re.sub(r"\s", "", unescape(page))


def test_a_survey_needs_questions_and_no_more_than_forty(client: Client) -> None:
    assert "A survey needs a question" in errors(client.post(f"{SURVEYS}add/", posted()))[0]
    many = [NPS, *({"key": f"q{n}", "kind": "rating", "text_en": "?", "position": n + 1} for n in range(40))]
    assert "at most 40" in errors(client.post(f"{SURVEYS}add/", posted(*many)))[0]


def test_where_something_is_wrong_in_a_condition_is_told_to_the_script(client: Client) -> None:
    tree = {"all": [{"field": "response.score", "op": "ge", "value": 7}, TOO_HIGH]}
    page = page_of(client.post(f"{SURVEYS}add/", posted(NPS, {**COMMENT, "show_if": json.dumps(tree)})))
    places = [json.loads(unescape(found)) for found in re.findall(r'data-places="([^"]*)"', page)]
    assert [set(found) for found in places if found] == [{"all.1.value"}]
    again = page_of(client.get(f"{SURVEYS}add/"))
    assert set(re.findall(r'data-places="([^"]*)"', again)) == {"{}"}


def test_too_complicated_is_a_hint_and_no_reason_to_refuse(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # Too complicated for the real limit, too, but that takes seconds: tests/surveys/test_branching.py.
    monkeypatch.setattr(checks, "Budget", lambda: Budget(left=500))
    options = json.dumps([{"key": f"o{n}", "text": {"en": f"O{n}"}} for n in range(30)])
    several = {**CHOICE, "kind": "multiple", "options": options, "position": 1}
    tree = {"all": [{"field": "answer.what", "op": "contains", "value": f"o{n}"} for n in range(20)]}
    asked = posted(NPS, several, {**COMMENT, "position": 2, "show_if": json.dumps(tree)})
    answer = client.post(f"{SURVEYS}add/", asked, follow=True)
    assert "too complicated to find out" in page_of(answer)
    assert Survey.objects.exists()


def test_names_of_properties_are_checked(client: Client) -> None:
    answer = client.post(f"{SURVEYS}add/", posted(NPS, public_properties="store, a.b"))
    assert "“a.b” cannot be the name" in page_of(answer)
    assert "store, a.b</textarea>" in page_of(answer)


# --- questions that were answered ---


def answer_to(question: Question) -> None:
    now = timezone.now()
    response = Response.objects.create(survey=question.survey, score=9, answered_at=now, updated_at=now)
    Answer.objects.create(response=response, question=question, text="Price")


def test_what_was_answered_is_taken_out_but_kept(client: Client) -> None:
    survey = new(client, NPS, COMMENT, CHOICE)
    answer_to(survey.questions.get(key="what"))
    found = saved(survey)
    for row in found[1:]:
        row["DELETE"] = "on"
    assert client.post(f"{SURVEYS}{survey.pk}/change/", posted(*found, initial=3)).status_code == 302
    assert list(survey.questions.values_list("key", "is_retired")) == [("nps", False), ("what", True)]
    page = page_of(client.get(f"{SURVEYS}{survey.pk}/change/"))
    assert 'value="what"' not in page
    assert [q["key"] for q in Survey.objects.get().current_version.definition["questions"]] == ["nps"]
    assert Answer.objects.exists()


def test_the_key_of_what_was_taken_out_stays_taken(client: Client) -> None:
    survey = new(client, NPS, CHOICE)
    survey.questions.filter(key="what").update(is_retired=True)
    again = [*saved(survey), CHOICE]
    answer = client.post(f"{SURVEYS}{survey.pk}/change/", posted(*again, initial=1))
    assert errors(answer, 1)["key"] == [
        "“what” was the key of a question that was taken out, and its answers are kept. Take another."
    ]
    unnamed = [*saved(survey), {**CHOICE, "key": "", "text_en": "What"}]
    assert client.post(f"{SURVEYS}{survey.pk}/change/", posted(*unnamed, initial=1)).status_code == 302
    assert list(survey.questions.filter(is_retired=False).values_list("key", flat=True)) == ["nps", "what-2"]


def test_a_comment_can_take_the_place_of_one_that_was_answered(client: Client) -> None:
    survey = new(client, NPS, COMMENT)
    answer_to(survey.questions.get(key="why"))
    found = saved(survey)
    found[1]["DELETE"] = "on"
    found.append({**COMMENT, "key": "reason"})
    assert client.post(f"{SURVEYS}{survey.pk}/change/", posted(*found, initial=2)).status_code == 302
    assert list(survey.questions.filter(is_retired=False).values_list("key", flat=True)) == ["nps", "reason"]


def test_a_new_row_that_was_taken_away_again_counts_for_nothing(client: Client) -> None:
    assert new(client, NPS, {"DELETE": "on"}, {**COMMENT, "position": 2}).questions.count() == 2


# --- copies and the archive ---


def test_a_survey_is_duplicated(client: Client) -> None:
    survey = new(client, NPS, COMMENT, CHOICE, thanks=[{"segment": "", "text_en": "Bye"}])
    Survey.objects.update(name={"en": "Order", "de": "Bestellung"})
    survey.questions.filter(key="what").update(is_retired=True)
    answer = client.post(f"{SURVEYS}{survey.pk}/duplicate/", follow=True)
    copy = Survey.objects.exclude(pk=survey.pk).get()
    assert answer.redirect_chain[-1][0] == f"{SURVEYS}{copy.pk}/change/"
    assert (copy.key, copy.is_active, copy.name["en"]) == ("order-copy", False, "Copy of Order")
    assert list(copy.questions.values_list("key", flat=True)) == ["nps", "why"]
    assert copy.thanks.get().text == {"en": "Bye"}
    assert (copy.current_version.number, copy.current_version.survey_id) == (1, copy.pk)
    assert survey.questions.count() == 3
    client.post(SURVEYS, {"action": "duplicate_surveys", "_selected_action": [survey.pk, copy.pk]})
    assert set(Survey.objects.values_list("key", flat=True)) == {
        "order", "order-copy", "order-copy-2", "order-copy-copy",
    }  # fmt: skip


def test_a_survey_is_archived_and_taken_out_again(client: Client) -> None:
    survey = new(client, NPS)
    client.post(f"{SURVEYS}{survey.pk}/archive/")
    survey.refresh_from_db()
    assert (survey.is_active, survey.archived_at is None) == (False, False)
    assert "order" not in keys_in_list(client)
    assert keys_in_list(client, "?archived=yes") == keys_in_list(client, "?archived=all") == {"order"}
    assert "In the archive since" in page_of(client.get(f"{SURVEYS}{survey.pk}/change/"))
    on = client.post(f"{SURVEYS}{survey.pk}/change/", posted(*saved(survey), initial=1))
    assert on.context["adminform"].form.errors["is_active"] == ["Take the survey out of the archive first."]
    client.post(f"{SURVEYS}{survey.pk}/restore/")
    survey.refresh_from_db()
    assert (survey.is_active, survey.archived_at) == (False, None)
    for action in ("archive_surveys", "restore_surveys"):
        client.post(f"{SURVEYS}?archived=all", {"action": action, "_selected_action": [survey.pk]})
        survey.refresh_from_db()
        assert (survey.archived_at is None) == (action == "restore_surveys")


@pytest.mark.parametrize("word", ["duplicate", "archive", "restore"])
def test_buttons_need_a_post_and_the_right(client: Client, word: str) -> None:
    survey = new(client, NPS)
    assert client.get(f"{SURVEYS}{survey.pk}/{word}/").status_code == 405
    assert client.post(f"{SURVEYS}999/{word}/").status_code == 404
    looker = client_for(User.objects.create_user("looker", is_staff=True), TENANT)
    assert looker.post(f"{SURVEYS}{survey.pk}/{word}/").status_code == 403
    assert Survey.objects.count() == 1
    assert looker.post(f"{SURVEYS}preview/", posted(NPS)).status_code == 403
    assert looker.get(f"{SURVEYS}{survey.pk}/versions/1/").status_code == 403


# --- the list ---


def keys_in_list(client: Client, query: str = "") -> set[str]:
    return {survey.key for survey in client.get(f"{SURVEYS}{query}").context["cl"].result_list}


def test_the_list_is_searched_and_filtered(client: Client) -> None:
    new(client, NPS)
    new(client, {**NPS, "kind": "csat", "key": "csat"}, key="happy", name_en="Happiness", is_public="on")
    assert keys_in_list(client) == {"order", "happy"}
    assert keys_in_list(client, "?lead=csat") == keys_in_list(client, "?q=Happi") == {"happy"}
    assert keys_in_list(client, "?is_public__exact=1") == {"happy"}
    assert keys_in_list(client, "?is_anonymous__exact=1") == set()


def test_the_list_costs_the_same_however_long_it_is(client: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            page = page_of(client.get(SURVEYS))
        assert "field-number_of_questions" in page
        return len(captured)

    new(client, NPS, COMMENT)
    before = (count(), count())[1]
    for number in range(5):
        survey = new(client, NPS, COMMENT, key=f"more-{number}")
        answer_to(survey.questions.get(key="why"))
    assert count() == before


def test_the_form_costs_the_same_however_many_questions_there_are(client: Client) -> None:
    def count(survey: Survey) -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(f"{SURVEYS}{survey.pk}/change/")
        return len(captured)

    small, large = new(client, NPS), new(client, NPS, COMMENT, CHOICE, key="large", thanks=[{"segment": "promoter"}])
    count(small)
    assert count(small) == count(large)
    assert count(small) <= 17


# --- preview and versions ---


def preview(client: Client, *questions: Any, query: str = "", **values: Any) -> Any:
    return client.post(f"{SURVEYS}preview/{query}", posted(*questions, **values))


def test_the_preview_shows_what_is_not_saved(client: Client) -> None:
    answer = preview(client, {**NPS, "text_en": "Recommend <us>?"}, COMMENT)
    assert "Recommend &lt;us&gt;?" in page_of(answer)
    assert not Survey.objects.exists()
    assert not SurveyVersion.objects.exists()


def test_the_preview_follows_language_score_and_page(client: Client) -> None:
    unhappy = {**CHOICE, "show_if": json.dumps({"field": "response.segment", "op": "eq", "value": "detractor"})}
    first = {**NPS, "text_de": "Wie wahrscheinlich?"}
    thanks = [{"segment": "detractor", "heading_en": "Sorry!"}]
    assert "Wie wahrscheinlich?" in page_of(preview(client, first, _language="de"))
    assert "What?" in page_of(preview(client, first, unhappy, _page="1", _score="3"))
    assert "What?" not in page_of(preview(client, first, unhappy, _page="1", _score="9"))
    assert "Sorry!" in page_of(preview(client, first, _page="thanks", _score="3", thanks=thanks))
    assert "Sorry!" not in page_of(preview(client, first, _page="thanks", _score="9", thanks=thanks))
    for odd in ({"_page": "99"}, {"_page": "x"}, {"_score": "x"}, {"_language": "xx"}):
        assert preview(client, first, **odd).status_code == 200


def test_the_preview_takes_what_is_half_written(client: Client) -> None:
    half = [NPS, {"key": "x", "kind": "", "position": 1}, {**COMMENT, "show_if": "{"}, {**CHOICE, "options": "["}]
    assert "How likely?" in page_of(preview(client, *half, name_en="", key=""))
    assert "Add a question" in page_of(preview(client))
    assert "Add a question" in page_of(client.post(f"{SURVEYS}preview/", {}))


def test_the_preview_is_framed_by_the_admin_only_and_can_send_nothing(client: Client) -> None:
    answer = preview(client, NPS)
    policy = answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in policy
    assert "form-action 'none'" in policy
    assert "script-src 'none'" in policy
    assert re.search(r"style-src 'self' 'nonce-", policy)
    assert "unsafe" not in policy
    assert "disabled" in page_of(answer)
    assert "<script" not in page_of(answer)
    assert client.get(f"{SURVEYS}preview/").status_code == 405
    change = client.get(f"{SURVEYS}add/")
    assert (change["X-Frame-Options"], "frame-ancestors 'none'" in change["Content-Security-Policy"]) == ("DENY", True)


def test_the_preview_of_a_saved_survey_does_not_change_it(client: Client) -> None:
    survey = new(client, NPS, COMMENT)
    found = saved(survey)
    found[1]["DELETE"] = "on"
    found[0]["text_en"] = "Other?"
    answer = client.post(f"{SURVEYS}preview/?id={survey.pk}", posted(*found, initial=2))
    assert "Other?" in page_of(answer)
    assert "Why?" not in page_of(answer)
    assert survey.questions.count() == 2
    assert client.post(f"{SURVEYS}preview/?id=999", posted(NPS)).status_code == 404


def test_versions_are_listed_and_can_be_looked_at(client: Client) -> None:
    survey = new(client, NPS)
    changed = saved(survey)
    changed[0]["text_en"] = "Newer?"
    client.post(f"{SURVEYS}{survey.pk}/change/", posted(*changed, initial=1))
    page = page_of(client.get(f"{SURVEYS}{survey.pk}/change/"))
    assert f'href="{SURVEYS}{survey.pk}/versions/1/"' in page
    assert page.index("versions/2/") < page.index("versions/1/")
    about = client.get(f"{SURVEYS}{survey.pk}/versions/1/")
    assert "Version 1 of Order" in page_of(about)
    assert "chief" in page_of(about)
    old = client.get(f"{SURVEYS}{survey.pk}/versions/1/page/?_language=en")
    assert "How likely?" in page_of(old)
    assert old["X-Frame-Options"] == "SAMEORIGIN"
    assert "Newer?" in page_of(client.get(f"{SURVEYS}{survey.pk}/versions/2/page/"))
    for missing in (f"{survey.pk}/versions/3/", "999/versions/1/", f"{survey.pk}/versions/3/page/"):
        assert client.get(f"{SURVEYS}{missing}").status_code == 404


def test_who_may_only_look_sees_no_preview_and_no_buttons(client: Client) -> None:
    from django.contrib.auth.models import Permission

    survey = new(client, NPS)
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(*Permission.objects.filter(codename__in=["view_survey", "view_question"]))
    page = page_of(client_for(looker, TENANT).get(f"{SURVEYS}{survey.pk}/change/"))
    assert "versions/1/" in page
    assert "data-preview" not in page
    assert "/duplicate/" not in page


def test_thanks_have_one_page_per_segment(client: Client) -> None:
    thanks = [{"segment": "promoter", "heading_en": "A"}, {"segment": "promoter", "heading_en": "B"}]
    assert client.post(f"{SURVEYS}add/", posted(NPS, thanks=thanks)).status_code == 200
    broken = [{"segment": "", "heading_en": "A", "button_url": "javascript:alert(1)", "button_label_en": "x"}]
    assert client.post(f"{SURVEYS}add/", posted(NPS, thanks=broken)).status_code == 200
    assert not ThankYou.objects.exists()
