"""The look is changed: a logo goes in and out, and colours that nobody could read are refused with a better one."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from apps.accounts.models import User
from apps.common.colours import contrast
from apps.surveys.models import Logo, Theme
from tests.admin.conftest import TENANT, client_for
from tests.admin.test_configuration import errors
from tests.surveys.test_logos import picture

ADD, CHANGE = "/admin/surveys/theme/add/", "/admin/surveys/theme/1/change/"
LOOK = {"brand_name": "Nordwind", "accent": "#0f766e", "font": "serif"}


def upload(data: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/png")


@pytest.fixture
def with_logo(client: Client) -> Logo:
    client.post(ADD, {**LOOK, "logo": upload(picture())})
    return Logo.objects.get()


def test_a_logo_is_uploaded_shown_replaced_and_removed(client: Client, with_logo: Logo) -> None:
    theme = Theme.objects.get()
    assert (theme.pk, theme.logo_digest, theme.font) == (1, with_logo.digest, "serif")
    page = client.get(CHANGE).content.decode()
    assert f'src="/brand/{with_logo.digest}"' in page
    assert 'enctype="multipart/form-data"' in page
    client.post(CHANGE, {**LOOK, "logo": upload(picture((50, 50)))})
    assert Logo.objects.get().digest == Theme.objects.get().logo_digest != with_logo.digest
    client.post(CHANGE, {**LOOK, "brand_name": "Südwind"})
    assert (Logo.objects.count(), Theme.objects.get().brand_name) == (1, "Südwind")
    client.post(CHANGE, {**LOOK, "remove_logo": "on"})
    assert (Logo.objects.count(), Theme.objects.get().logo_digest) == (0, "")
    assert "remove_logo" not in client.get(CHANGE).content.decode()


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"<svg/>", "This is no picture in PNG, JPEG or WebP."),
        (picture()[:200], "The picture is damaged or incomplete."),
        (b"\x00" * 600_000, "The picture is larger than 500 KB."),
        (picture((4001, 20)), "The picture has more than 4000 pixels on a side."),
    ],
)
def test_a_wrong_file_is_refused_and_what_was_typed_stays(client: Client, data: bytes, complaint: str) -> None:
    answer = client.post(ADD, {**LOOK, "brand_name": "Typed by me", "logo": upload(data)})
    assert complaint in errors(answer)
    assert 'value="Typed by me"' in answer.content.decode()
    assert not Theme.objects.exists()


def test_a_good_file_beside_a_wrong_field_has_to_be_chosen_again(client: Client) -> None:
    answer = client.post(ADD, {**LOOK, "brand_name": "", "logo": upload(picture())})
    assert "Choose it once more" in errors(answer)


def test_a_new_logo_and_none_at_once_is_refused(client: Client, with_logo: Logo) -> None:
    answer = client.post(CHANGE, {**LOOK, "logo": upload(picture((9, 9))), "remove_logo": "on"})
    assert "Either choose a new logo or remove the old one." in errors(answer)
    assert Logo.objects.get().digest == with_logo.digest


def test_whoever_may_only_look_sees_the_logo_and_cannot_change_it(client: Client, with_logo: Logo) -> None:
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_theme"))
    reader = client_for(user, TENANT)
    page = reader.get(CHANGE)
    assert f"/brand/{with_logo.digest}" in page.content.decode()
    assert 'name="logo"' not in page.content.decode()
    assert "emove logo" not in page.content.decode()
    assert reader.post(CHANGE, {**LOOK, "remove_logo": "on"}).status_code == 403
    assert Logo.objects.exists()


# --- colours ---


@pytest.mark.parametrize(
    ("accent", "on_accent", "complaint"),
    [
        ("#f5a623", "#ffffff", "White text on #f5a623 reaches 2.0:1; WCAG AA asks for 4.5:1. #a56a07 would do."),
        ("#7b7b7b", "", "White text on #7b7b7b reaches 4.2:1; WCAG AA asks for 4.5:1. #767676 would do."),
        ("#808080", "", "Near-black text on #808080 reaches 4.4:1; WCAG AA asks for 4.5:1. #818181 would do."),
        ("#0f766e", "#00ff00", "Text in #00ff00 on #0f766e reaches"),
        ("#777777", "#FFFFFF", "White text on #777777 reaches 4.4:1"),
    ],
)
def test_text_that_nobody_could_read_is_refused_with_a_better_colour(
    client: Client, accent: str, on_accent: str, complaint: str
) -> None:
    answer = client.post(ADD, {**LOOK, "accent": accent, "on_accent": on_accent})
    said = errors(answer)
    assert complaint in said
    assert f'value="{accent}"' in answer.content.decode()
    assert not Theme.objects.exists()
    found = re.search(r"(#[0-9a-f]{6}) would do", said)
    assert found is not None
    client.post(ADD, {**LOOK, "accent": found[1], "on_accent": on_accent})
    assert Theme.objects.get().accent == found[1]
    assert not on_accent or contrast(found[1], on_accent) >= 4.5


def test_the_number_is_rounded_down_and_written_as_the_reader_does() -> None:
    from apps.surveys.admin.themes import too_faint

    with translation.override("de"):
        assert "4,4:1" in too_faint("#777777", "#ffffff", 4.49, is_chosen=True)


def test_leaving_the_text_colour_empty_is_offered_where_it_would_do(client: Client) -> None:
    said = errors(client.post(ADD, {**LOOK, "accent": "#f5a623", "on_accent": "#ffffff"}))
    assert "Left empty it would be: Near-black text" in said
    client.post(ADD, {**LOOK, "accent": "#f5a623", "on_accent": ""})
    assert Theme.objects.get().accent == "#f5a623"


@pytest.mark.parametrize("changes", [{"accent": "red"}, {"on_accent": "#fff"}, {"accent": "#0f766e;}"}, {"accent": ""}])
def test_what_is_no_colour_is_refused(client: Client, changes: dict[str, str]) -> None:
    said = errors(client.post(ADD, {**LOOK, **changes}))
    assert "Write a colour such as #0f766e." in said or "at most 7 characters" in said or "required" in said


def test_pages_and_fields_say_what_the_script_needs(client: Client) -> None:
    page: Any = client.get(ADD).content.decode()
    assert page.count("data-colour=") == 2
    assert "surveys/theme.js" in page
    assert "surveys/theme.css" in page
