"""Every text of the user interface exists in German, and what runs is what was translated."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "locale" / "de" / "LC_MESSAGES" / "django.po"
SOURCES = ("apps", "config", "templates")
Message = tuple[str | None, str]


def current(entry: polib.POEntry) -> bool:
    return not entry.obsolete


def messages(catalog: polib.POFile) -> set[Message]:
    return {(entry.msgctxt, entry.msgid) for entry in catalog if current(entry)}


@pytest.fixture(scope="module")
def german() -> polib.POFile:
    assert CATALOG.exists(), "there is no German catalog; run: make messages"
    return polib.pofile(str(CATALOG))


def test_every_message_has_a_translation(german: polib.POFile) -> None:
    missing = [entry.msgid for entry in german if current(entry) and not entry.translated()]
    assert not missing


def test_no_translation_is_a_guess(german: polib.POFile) -> None:
    assert [entry.msgid for entry in german if current(entry) and entry.fuzzy] == []


def test_the_compiled_catalog_is_that_of_the_texts(german: polib.POFile) -> None:
    compiled = CATALOG.with_suffix(".mo")
    assert compiled.exists(), "run: make messages"

    def texts(catalog: polib.POFile | polib.MOFile) -> dict[Message, object]:
        return {
            (entry.msgctxt, entry.msgid): entry.msgstr_plural or entry.msgstr
            for entry in catalog
            if current(entry) and entry.msgid
        }

    assert texts(polib.mofile(str(compiled))) == texts(german)


def test_the_catalog_knows_every_text_in_the_code(german: polib.POFile, tmp_path: Path) -> None:
    if shutil.which("xgettext") is None:
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail("gettext is missing, and CI=true promises it", pytrace=False)
        pytest.skip("needs gettext")
    for name in SOURCES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.js"))
    (tmp_path / "locale").mkdir()
    script = (
        "from django.conf import settings; settings.configure(LOCALE_PATHS=['locale'], USE_I18N=True);"
        "import django; django.setup();"
        "from django.core.management import call_command;"
        "call_command('makemessages', locale=['de'], verbosity=0, no_location=True)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    found = messages(polib.pofile(str(tmp_path / "locale/de/LC_MESSAGES/django.po")))
    known = messages(german)
    assert found - known == set(), "new texts; run: make messages"
    assert known - found == set(), "texts that are gone; run: make messages"
