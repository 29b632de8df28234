"""Pages, origins and signatures, without a database."""

import re

import pytest

from apps.embed import rules

PAGES = [
    (["/products/*"], "https://shop.example/products/boots", True),
    (["/products/*"], "https://shop.example/products/boots?size=42#top", True),
    (["/products/*"], "https://shop.example/products", False),
    (["/products/*"], "https://shop.example/de/products/boots", False),
    (["/products/*"], "https://shop.example/x?from=/products/boots", False),
    (["/"], "https://shop.example/", True),
    (["/"], "https://shop.example/a", False),
    (["/*/boots"], "https://shop.example/a/b/boots", True),
    (["/*/boots"], "https://shop.example/a/boots/x", False),
    (["/search?q=*"], "https://shop.example/search?q=boots", True),
    (["/search?q=*"], "https://shop.example/search", False),
    (["https://shop.example/help/*"], "https://shop.example/help/1", True),
    (["https://shop.example/help/*"], "http://shop.example/help/1", False),
    (["https://*.example/help/*"], "https://shop.example/help/1", True),
    (["/a.c"], "https://shop.example/abc", False),
    (["/a", "/b"], "https://shop.example/b", True),
    (["/aba*aba"], "https://shop.example/aba", False),
    ([], "https://anything.example/x", True),
]


@pytest.mark.parametrize(("patterns", "url", "expected"), PAGES)
def test_pages_are_named_by_patterns(patterns: list[str], url: str, expected: bool) -> None:
    assert rules.url_matches(patterns, url) is expected


@pytest.mark.parametrize(("patterns", "url", "expected"), PAGES)
def test_the_script_reads_the_patterns_as_the_server_does(patterns: list[str], url: str, expected: bool) -> None:
    found = re.search(rules.script_pattern(patterns), url.partition("#")[0])
    assert (found is not None) is expected


def test_many_stars_do_not_take_long() -> None:
    assert not rules.url_matches(["/*a*a*a*a*b"], f"https://x.example/{'a' * 2000}")


@pytest.mark.parametrize("text", ["/a/*", "https://a.example", "https://a.example/*", "https://*.a.example/x", "/?q=*"])
def test_patterns_that_may_be_written(text: str) -> None:
    assert rules.is_pattern(text)


@pytest.mark.parametrize(
    "text", ["", "a", "ftp://a/", "*", "//a b", "/a#b", "/" + "*" * 6, "/" + "a" * 300, "https://"]
)
def test_patterns_that_mean_nothing(text: str) -> None:
    assert not rules.is_pattern(text)


ALLOWED = ["https://shop.example", "https://*.brand.example", "http://localhost:8000", "https://*.p.example:8443"]


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example", "https://www.brand.example", "https://a.b.brand.example", "http://localhost:8000",
     "https://a.p.example:8443"],
)  # fmt: skip
def test_origins_that_may_ask(origin: str) -> None:
    assert rules.origin_allowed(origin, ALLOWED)


@pytest.mark.parametrize(
    "origin",
    ["", "null", "https://brand.example", "http://shop.example", "https://shop.example:444", "https://shop.example.evil",
     "https://evilshop.example", "https://evilbrand.example", "https://www.brand.example.evil", "http://localhost",
     "https://www.brand.example:8443", "https://shop.example/", "https://a@shop.example", "https://a.p.example",
     "https://shop.example:x", "file://", "https://evil.example/.brand.example"],
)  # fmt: skip
def test_origins_that_may_not(origin: str) -> None:
    assert not rules.origin_allowed(origin, ALLOWED)


def test_a_signature_is_what_hmac_makes_of_it() -> None:
    made = rules.signature("secret", "customer-42")
    assert made == "1e22f3f25e29689b1270b3301b610823fe5e83707c6602aa8ef5820fc19a3d68"
    assert rules.is_signed(made, ["other", "secret"], "customer-42")
    assert rules.is_signed(made.upper(), ["secret"], "customer-42")
    assert not rules.is_signed(made, ["other"], "customer-42")
    assert not rules.is_signed(made, ["secret"], "customer-43")
    assert not rules.is_signed(made, [], "customer-42")
    assert not rules.is_signed("ü\ud800", ["secret"], "customer-42")
    assert not rules.is_signed(made, ["secret"], "customer-42", "a@example.com")
