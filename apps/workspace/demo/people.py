"""Names of people and companies that do not exist. Pure: no Django."""

import unicodedata
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = {
    "de": _words(
        "Anna Lena Julia Katharina Sabine Petra Monika Claudia Birgit Heike Sandra Nadine Miriam Franziska "
        "Johanna Clara Emma Mia Leonie Greta Frieda Ayşe Elif Olga Svenja Thomas Michael Stefan Andreas "
        "Markus Christian Matthias Jan Tobias Florian Lukas Jonas Felix Paul Emil Anton Jürgen Uwe Bernd "
        "Holger Mehmet Cem Piotr Björn Sören"
    ),
    "en": _words(
        "Emily Olivia Charlotte Hannah Grace Alice Lucy Megan Rachel Laura Sophie Amelia Isla Fiona Aoife "
        "Priya Nadia Zoe Chloe Victoria James Oliver Harry George William Daniel Matthew Andrew Peter Simon "
        "Callum Owen Liam Ravi Marcus Dylan Ethan Noah Hugo Adam"
    ),
}
LAST = {
    "de": _words(
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer "
        "Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Werner "
        "Krause Lehmann Köhler Maier Jansen Petersen Hansen Lorenz Vogt Brandt Seidel Yılmaz Demir Kowalski "
        "Nowak Friedrich Keller Günther Berger Winkler Roth Beck Lindner Sommer Thiele Busch Voß Arnold"
    ),
    "en": _words(
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White "
        "Roberts Green Hall Wood Clarke Jackson Harris Cooper Ward Turner Hill Moore Murphy Kelly Byrne Patel "
        "Shah Khan Campbell Stewart Fraser Bennett Marsh Holt Foster Reid"
    ),
}
MAIL_DOMAINS = ("mail.example", "post.example", "inbox.example", "home.example", "briefkasten.example")
TRADES = _words(
    "Logistik Maschinenbau Medizintechnik Verlag Handel Energie Bau Software Analytics Foods Textil Optik "
    "Studios Labs Consulting Systems Mobility Robotics Pharma Design"
)
FORMS = ("GmbH", "AG", "KG", "GmbH & Co. KG", "Ltd", "SE")


def name(rng: Random, language: str) -> tuple[str, str]:
    """A first and a last name."""
    return rng.choice(FIRST[language]), rng.choice(LAST[language])


def company(rng: Random) -> str:
    """The name of a company."""
    return f"{rng.choice(LAST[rng.choice(('de', 'de', 'en'))])} {rng.choice(TRADES)} {rng.choice(FORMS)}"


_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i"})


def ascii_word(text: str) -> str:
    """Lower-case ASCII letters of a name, for addresses."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return "".join(c for c in plain if c.isascii() and c.isalnum())
