"""Further questions as they are shown: figures in words, and where their bars end."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from apps.common.shares import Part, wilson
from apps.common.texts import FALLBACK, localized
from apps.insights.csat import Csat
from apps.insights.questions import Asked, Figure
from apps.surveys.models import Question

_UNITS: dict[str, Promise] = {
    Question.Kind.CSAT: gettext_lazy("satisfied"),
    Question.Kind.CES: gettext_lazy("on average, of 7"),
    Question.Kind.YES_NO: gettext_lazy("yes"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A figure in words: itself, and where it lies with 95 % confidence."""

    value: str
    range: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One possible answer. The last two are the shares of promoters and detractors who gave it; "" without them."""

    label: str
    part: Part
    width: str
    promoters: str = ""
    detractors: str = ""


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question with its figure and the bars of its answers."""

    text: str
    asked: Asked
    unit: str | Promise
    figure: Told | None
    bars: Sequence[Bar]
    promoters: Told | None = None
    detractors: Told | None = None

    @property
    def is_split(self) -> bool:
        """Whether promoters and detractors are told apart."""
        return self.promoters is not None or any(bar.promoters for bar in self.bars)


def by_survey(asked: Sequence[Asked]) -> list[tuple[str, list[QuestionRow]]]:
    """The surveys by name with the rows of their questions, in the order they come in."""
    return [
        (str(survey), [_row(one) for one in some]) for survey, some in groupby(asked, key=lambda a: a.question.survey)
    ]


def _row(asked: Asked) -> QuestionRow:
    question = asked.question
    language = get_language() or FALLBACK
    return QuestionRow(
        text=localized(question.text, language) or question.key,
        asked=asked,
        unit=_unit(asked),
        figure=_told(asked.figure) if asked.figure is not None else None,
        bars=_bars(asked, language),
        promoters=_told(asked.promoters) if asked.promoters is not None else None,
        detractors=_told(asked.detractors) if asked.detractors is not None else None,
    )


def _unit(asked: Asked) -> str | Promise:
    if asked.question.kind in _UNITS:
        return _UNITS[asked.question.kind]
    return _("on average, of %(high)s") % {"high": asked.ends[1]}


def _told(figure: Figure) -> Told | None:
    """A share in percent, or a mean with one decimal."""
    if isinstance(figure, Part):
        low, high = wilson(figure)
        return Told(_percent(100 * figure.rate), _span(f"{100 * low:.0f}", f"{100 * high:.0f}", percent=True))
    if figure.value is None or figure.low is None or figure.high is None:
        return None
    if isinstance(figure, Csat):
        return Told(_percent(figure.value), _span(f"{figure.low:.0f}", f"{figure.high:.0f}", percent=True))
    low_text, high_text = _decimal(figure.low), _decimal(figure.high)
    return Told(_decimal(figure.value), _span(low_text, high_text))


def _bars(asked: Asked, language: str) -> list[Bar]:
    if asked.question.kind in (Question.Kind.SINGLE, Question.Kind.MULTIPLE):
        return [
            Bar(
                localized(choice.text, language) or choice.key,
                choice.part,
                _width(choice.part),
                _percent(100 * choice.promoters.rate) if choice.promoters else "",
                _percent(100 * choice.detractors.rate) if choice.detractors else "",
            )
            for choice in asked.choices
        ]
    if not asked.counts:
        return []
    low, high = asked.ends
    yes_no = {1: _("Yes"), 0: _("No")} if asked.question.kind == Question.Kind.YES_NO else {}
    parts = [(value, Part(asked.n, asked.counts.get(value, 0))) for value in range(high, low - 1, -1)]
    return [Bar(yes_no.get(value) or str(value), part, _width(part)) for value, part in parts]


def _width(part: Part) -> str:
    return f"{100 * part.rate:.2f}%"


def _percent(value: float) -> str:
    return f"{number_format(round(value, 1), 1)}\u00a0%"


def _decimal(value: float) -> str:
    return str(number_format(round(value, 2), 2))


def _span(low: str, high: str, *, percent: bool = False) -> str:
    return f"{low}–{high}" + ("\u00a0%" if percent else "")
