"""What somebody wrote, without what they quote: as mail programs write it, in German and English."""

import time

import pytest

from apps.cases import plain_html, quoting

NEW = "Thank you, but it is still broken.\n\nPlease call me."
QUOTE = "> We are sorry.\n> What happened?\n>\n> Ada from Nordwind"
HEADS = {
    "gmail": "On Mon, Nov 23, 2026 at 10:00 AM Ada from Nordwind <\nreply+case.abc@in.example.com> wrote:\n\n" + QUOTE,
    "gmail_de": "Am Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Ada von Nordwind <reply@in.example.com>:\n\n" + QUOTE,
    "gmail_mobile_de": "Ada von Nordwind <reply@in.example.com> schrieb am Mo., 23. Nov. 2026, 10:00:\n\n" + QUOTE,
    "apple": "On 23. Nov 2026, at 10:00, Ada from Nordwind <a@b.example> wrote:\n\n" + QUOTE,
    "apple_de": "Am 23.11.2026 um 10:00 schrieb Ada von Nordwind <a@b.example>:\n\n" + QUOTE,
    "thunderbird_de": "Am 23.11.26 um 10:00 schrieb Ada von Nordwind:\n" + QUOTE,
    "outlook": "________________________________\nFrom: Ada from Nordwind <a@b.example>\nSent: Monday, 23 November 2026"
               " 10:00 AM\nTo: Bo <bo@example.com>\nSubject: Your feedback\n\nWe are sorry.",
    "outlook_de": "Von: Ada von Nordwind <a@b.example>\nGesendet: Montag, 23. November 2026 10:00\nAn: Bo\nBetreff:"
                  " Ihre Rückmeldung\n\nWir bedauern das.",
    "outlook_bold": "*Von:* Ada <a@b.example>\n*Gesendet:* Montag\n*An:* Bo\n\nWir bedauern das.",
    "old_outlook": "-----Original Message-----\nFrom: Ada\n\nWe are sorry.",
    "old_outlook_de": "-----Ursprüngliche Nachricht-----\nVon: Ada\n\nWir bedauern das.",
    "marks_only": QUOTE,
    "signature": "-- \nBo Berg\nBerg GmbH",
    "telephone": "Sent from my iPhone\n\n> On 23. Nov 2026, at 10:00, Ada <a@b.example> wrote:\n> \n> We are sorry.",
    "telephone_de": "Von meinem iPhone gesendet\n\n> Am 23.11.2026 um 10:00 schrieb Ada <a@b.example>:\n> \n> Oh.",
}  # fmt: skip


@pytest.mark.parametrize("head", HEADS)
def test_what_is_quoted_below_is_cut(head: str) -> None:
    assert quoting.fresh(f"{NEW}\n\n{HEADS[head]}\n") == NEW
    assert quoting.fresh(f"{NEW}\r\n\r\n{HEADS[head]}".replace("\n", "\r\n").replace("\r\r", "\r")) == NEW


KEPT = [
    NEW,
    "On Monday your colleague wrote me that it works. It does not.",
    "Am 3. Dezember schrieb ich Ihnen schon einmal:\nIhr Paket kam nie an.",
    "From: here to there it rattles.\nThat is all.",
    "Two points:\n- late\n- broken",
    "> What happened?\n\nIt fell.\n\n> When?\n\nOn 3 November.",
    "Hello,\n\n> What happened?\n\nIt fell.",
    HEADS["outlook"],
    "",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_quotation_or_is_answered_line_by_line_stays(text: str) -> None:
    assert quoting.fresh(text) == text.strip("\n")


def test_an_answer_below_the_quotation_is_found() -> None:
    assert quoting.fresh(f"{HEADS['gmail']}\n\n{NEW}\n") == NEW
    assert quoting.fresh(f"{QUOTE}\n\n{NEW}\n\n-- \nBo") == NEW


HTML = """<html><head><title>x</title><style>p{color:red}</style></head><body>
<!-- <p>hidden</p> --><p>Thank you,&nbsp;but it is <b>still</b><br>broken &amp; &lt;old&gt;.</p>
<script>alert(1)</script>
<div>Please call me.</div><table><tr><td>a</td><td>b</td></tr></table>
<div class="gmail_quote"><div>On Mon, Nov 23, 2026 at 10:00 AM Ada &lt;<a href="mailto:a@b.example">a@b.example</a>&gt;
wrote:</div><blockquote><p>We are sorry.</p><blockquote>Bad</blockquote></blockquote></div></body></html>"""


def test_html_becomes_text_with_its_quotations_marked() -> None:
    text = plain_html.text_of(HTML)
    assert text == (
        "Thank you, but it is still\nbroken & <old>.\n\nPlease call me.\na b\n\n"
        "On Mon, Nov 23, 2026 at 10:00 AM Ada <a@b.example> wrote:\n\n> We are sorry.\n\n> > Bad"
    )
    assert quoting.fresh(text) == "Thank you, but it is still\nbroken & <old>.\n\nPlease call me.\na b"


HOSTILE = {
    "lines": "\n" * 500_000,
    "introductions": ("On 1 " + "wrote " * 60 + ":x\n") * 1300,
    "endings": ("Am 1 schrieb " * 30 + ":\n") * 1200,
    "marks": ">" * 500_000,
    "tags": "<b>" * 160_000,
    "open": "<" * 500_000,
    "comments": "<!--" * 120_000,
    "quotes": "<blockquote>" * 40_000,
    "headers": "From: a\n" * 60_000,
    "blanks": " " * 500_000,
    "entities": "&amp" * 120_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_that_somebody_sends_takes_long(name: str) -> None:
    start = time.process_time()
    quoting.fresh(plain_html.text_of(HOSTILE[name]))
    quoting.fresh(HOSTILE[name])
    assert time.process_time() - start < 3
