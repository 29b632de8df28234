from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User

PASSWORD = "a-long-password"


@pytest.fixture(autouse=True)
def password(settings: Any, user: User) -> None:
    """The user has a password; it is hashed quickly, because one test tries many."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    user.set_password(PASSWORD)
    user.save()


def test_the_right_password_leads_to_the_page_that_was_asked_for(visitor: Client) -> None:
    answer = visitor.post("/login/?next=/cases/", {"username": "cx", "password": PASSWORD, "next": "/cases/"})
    assert answer.headers["Location"] == "/cases/"
    assert visitor.get("/cases/").status_code == 200


def test_a_wrong_password_is_said_so_without_saying_which_part(visitor: Client) -> None:
    answer = visitor.post("/login/", {"username": "cx", "password": "wrong"})
    assert answer.status_code == 200
    assert "_auth_user_id" not in visitor.session
    assert 'role="alert"' in answer.content.decode()


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/"])
def test_sign_in_does_not_lead_to_another_site(visitor: Client, elsewhere: str) -> None:
    answer = visitor.post("/login/", {"username": "cx", "password": PASSWORD, "next": elsewhere})
    assert answer.headers["Location"] == "/"


def test_ten_wrong_passwords_lock_the_door(visitor: Client) -> None:
    for _try in range(10):
        visitor.post("/login/", {"username": "cx", "password": "wrong"})
    answer = visitor.post("/login/", {"username": "cx", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()
    assert "_auth_user_id" not in visitor.session


def test_signing_out_needs_a_post_and_ends_the_session(client: Client) -> None:
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_a_user_is_spoken_to_in_the_language_chosen(visitor: Client, user: User) -> None:
    user.language = "de"
    user.save()
    visitor.force_login(user)
    assert '<html lang="de"' in visitor.get("/responses/", headers={"accept-language": "en"}).content.decode()
    visitor.cookies["django_language"] = "en"
    assert '<html lang="en"' in visitor.get("/responses/").content.decode()
