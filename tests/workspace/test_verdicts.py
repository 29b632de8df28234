import pytest
from django.template import Context, Template
from django.utils import translation

from apps.insights.differences import Change
from apps.insights.effects import Effect
from apps.insights.influence import Association
from apps.workspace.verdicts import change_in_words, effect_in_words, influence_in_words

CHANGES = [
    (None, "nps", "too few answers to say"),
    (Change(6.2, 1.0, 11.0), "nps", "up 6, likely real"),
    (Change(6.2, -1.0, 13.0), "nps", "up 6: could be chance"),
    (Change(-6.2, -11.0, -1.0), "nps", "down 6, likely real"),
    (Change(-6.2, -13.0, 1.0), "nps", "down 6: could be chance"),
    (Change(0.3, -4.0, 4.6), "nps", "practically unchanged"),
    (Change(0.3, -40.0, 40.6), "nps", "no difference seen, but up to ± 41 is possible"),
    (Change(0.3, 0.1, 0.5), "nps", "up 0.3, likely real"),
    (Change(-0.004, -0.006, -0.002), "nps", "down 0.004, likely real"),
    (Change(1.2, 0.2, 2.2), "csat", "up 1 percentage point, likely real"),
    (Change(-7.0, -15.0, 1.0), "csat", "down 7 percentage points: could be chance"),
    (Change(1.42, 0.9, 1.9), "ces", "up 1.4, likely real"),
    (Change(-0.42, -0.9, 0.1), "ces", "down 0.4: could be chance"),
    (Change(0.04, -0.2, 0.3), "ces", "practically unchanged"),
    (Change(0.04, -1.26, 1.3), "ces", "no difference seen, but up to ± 1.3 is possible"),
    (Change(0.0, -12.0, 12.0), "csat", "no difference seen, but up to ± 12 percentage points is possible"),
]


@pytest.mark.parametrize(("change", "kind", "sentence"), CHANGES)
def test_a_change_in_plain_words(change: Change | None, kind: str, sentence: str) -> None:
    assert change_in_words(change, kind) == sentence


@pytest.mark.parametrize(
    ("net", "sentence"),
    [
        (Change(6.0, 1.0, 11.0), "6 better than where nothing was changed, likely real"),
        (Change(6.0, -1.0, 13.0), "6 better than where nothing was changed: could be chance"),
        (Change(-6.0, -11.0, -1.0), "6 worse than where nothing was changed, likely real"),
        (Change(-6.0, -13.0, 1.0), "6 worse than where nothing was changed: could be chance"),
        (Change(0.0, -5.0, 5.0), "practically the same as where nothing was changed"),
        (Change(0.0, -25.0, 25.0), "the same as where nothing was changed, but up to ± 25 is possible"),
    ],
)
def test_an_effect_in_plain_words(net: Change, sentence: str) -> None:
    # The changes themselves do not matter.
    found = Effect(Change(60.0, 50.0, 70.0), Change(-60.0, -70.0, -50.0), net)
    assert effect_in_words(found) == sentence
    assert effect_in_words(None) == "too few answers to say"


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Association(29, 0.9, 0.8, 0.95, None), "too few contacts to say"),
        (Association(30, None, None, None, None), "could be chance"),
        (Association(90, 0.1, -0.1, 0.3, None), "could be chance"),
        (Association(90, 0.4, 0.2, 0.6, None), "helps to tell: who is happier here is happier later"),
        (Association(90, -0.4, -0.6, -0.2, None),
         "helps to tell, the other way round: who is happier here is less happy later"),
    ],
)  # fmt: skip
def test_an_association_in_plain_words(found: Association, sentence: str) -> None:
    assert influence_in_words(found) == sentence


def test_the_filter_tells_a_change_an_effect_and_an_association_apart() -> None:
    change = Change(6.0, 1.0, 11.0)
    found = {"change": change, "effect": Effect(change, change, Change(0.0, -5.0, 5.0)), "none": None,
             "tie": Association(9, None, None, None, None)}  # fmt: skip
    page = (
        '{% load verdicts %}{{ change|verdict }}|{{ change|verdict:"csat" }}'
        "|{{ effect|verdict }}|{{ tie|verdict }}|{{ none|verdict }}"
    )
    assert Template(page).render(Context(found)).split("|") == [
        "up 6, likely real",
        "up 6 percentage points, likely real",
        "practically the same as where nothing was changed",
        "too few contacts to say",
        "too few answers to say",
    ]


def test_numbers_follow_the_readers_language() -> None:
    with translation.override("de"):
        assert "0,4" in change_in_words(Change(0.42, 0.1, 0.7), "ces")
