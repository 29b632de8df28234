import pytest
from django.test import Client


@pytest.mark.django_db
def test_an_unknown_host_gets_a_plain_404() -> None:
    answer = Client().get("/", headers={"host": "nobody.example"})
    assert answer.status_code == 404
    assert answer.content == b"Not found."
