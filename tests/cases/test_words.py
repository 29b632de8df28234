"""Words in comments, and people in notes."""

import unicodedata

import pytest

from apps.cases.mentions import Person, mentioned, names_of
from apps.cases.words import says


@pytest.mark.parametrize(
    ("comment", "keywords", "found"),
    [
        ("I will cancel.", ["cancel"], "cancel"),
        ("CANCEL now!", ["Cancel"], "Cancel"),
        ("My cancellation", ["cancel"], ""),
        ("My cancellation", ["cancel*"], "cancel*"),
        ("uncancelled", ["cancel*"], ""),
        ("Ich werde KÜNDIGEN", ["kündigen"], "kündigen"),
        (unicodedata.normalize("NFD", "Ich werde kündigen"), ["kündigen"], "kündigen"),
        ("Die Straße ist laut", ["STRASSE"], "STRASSE"),
        ("Prüfung", ["prüf"], ""),
        ("I call my\n  lawyer today", ["my lawyer"], "my lawyer"),
        ("my old lawyer", ["my lawyer"], ""),
        ("Go to court, or (lawyer)!", ["judge", "lawyer"], "lawyer"),
        ("1.5 stars", ["1.5"], "1.5"),
        ("1x5 stars", ["1.5"], ""),
        ("C++ is broken", ["c++"], "c++"),
        ("", ["cancel"], ""),
        ("anything", ["*", "  "], ""),
    ],
)
def test_a_comment_says_whole_words(comment: str, keywords: list[str], found: str) -> None:
    assert says(comment, keywords) == found


PEOPLE = [
    Person(1, "ada", "Ada Lovelace"),
    Person(2, "bob", "Bob Müller"),
    Person(3, "ada.king", ""),
    Person(4, "adam", "Ada Lovelace"),
    Person(5, "cx@example.com", "C X"),
]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("@ada please look", {1}),
        ("Please, @Ada Lovelace, look", {1, 4}),
        ("@ada lovelace", {1, 4}),
        ("@Ada  Lovelace.", {1, 4}),
        ("@ada.king and @BOB!", {3, 2}),
        ("@ada. Then", {1}),
        ("@bob müller", {2}),
        ("@adamantine", set()),
        ("write to info@ada or x@bob.example", set()),
        ("mail ada@example.com", set()),
        ("@ada@example.com", set()),
        ("@cx@example.com knows", {5}),
        ("(@bob)", {2}),
        ("@nobody", set()),
        ("@", set()),
    ],
)
def test_a_note_mentions_people_by_user_name_or_full_name(text: str, ids: set[int]) -> None:
    assert mentioned(text, names_of(PEOPLE)) == ids
