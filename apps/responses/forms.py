"""Reading a posted answer. Plain: the page works without JavaScript and is under load."""

from collections.abc import Sequence

from django.http import QueryDict
from django.utils.translation import gettext as _

from apps.responses.services import MAX_COMMENT, InvalidAnswerError, Submission
from apps.surveys.models import Question

RATING_PREFIX = "q-"


def read_submission(data: QueryDict, questions: Sequence[Question], locale: str) -> Submission:
    """The submission in a posted form. Raises InvalidAnswerError naming each wrong field."""
    errors: dict[str, str] = {}
    score = _whole(data.get("score", ""), 0, 10)
    if score is None:
        errors["score"] = "missing" if not data.get("score") else "out_of_range"
    comment = data.get("comment", "").replace("\r\n", "\n").strip()
    if len(comment) > MAX_COMMENT:
        errors["comment"] = "too_long"
    ratings: dict[str, int] = {}
    known = {question.key for question in questions if question.kind == Question.Kind.RATING}
    for name, raw in data.items():
        if not name.startswith(RATING_PREFIX) or raw == "":
            continue
        key = name.removeprefix(RATING_PREFIX)
        value = _whole(str(raw), 1, 5)
        if key not in known:
            errors[name] = "unknown_question"
        elif value is None:
            errors[name] = "out_of_range"
        else:
            ratings[key] = value
    if errors:
        raise InvalidAnswerError(errors)
    return Submission(score=score or 0, comment=comment, ratings=ratings, locale=locale)


def sentence(code: str) -> str:
    """What is wrong, and what to do, in the respondent's language."""
    return {
        "missing": _("Please choose a number from 0 to 10."),
        "out_of_range": _("Please choose one of the numbers offered."),
        "too_long": _("Please shorten your comment to 5,000 characters."),
        "unreadable": _("Your comment contains a character that cannot be stored. Please remove it."),
        "unknown_question": _("This question does not belong to the survey."),
    }[code]


def _whole(raw: str, low: int, high: int) -> int | None:
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 2 and low <= int(raw) <= high else None
