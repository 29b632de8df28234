"""What may be entered as a webhook endpoint."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.integrations.models import Endpoint


@pytest.mark.parametrize("url", ["https://crm.example/hook?x=1", "http://crm:8080/", "https://[2606:2800::1]/"])
def test_a_usable_address_is_accepted(tenant: Any, url: str) -> None:
    Endpoint(url=url).full_clean()


@pytest.mark.parametrize("url", [
    "ftp://a.example/", "javascript:alert(1)", "//a.example/", "https://", "https://user:pw@a.example/",
    "https://a.example:99999/", "https://[::1/", "https://a.example/\r\nX: y", "https://a b.example/", "a.example",
])  # fmt: skip
def test_an_unusable_address_is_refused(tenant: Any, url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Endpoint(url=url).full_clean()
    assert set(caught.value.message_dict) == {"url"}


def test_secrets_are_random_and_their_form_is_checked(tenant: Any) -> None:
    assert Endpoint().secret != Endpoint().secret
    for wrong in ["", "whsec_", "whsec_kurz", "whsec_" + "A" * 100, Endpoint().secret[6:], "whsec_ä" + "A" * 40]:
        with pytest.raises(ValidationError) as caught:
            Endpoint(url="https://a.example/", secret=wrong).full_clean()
        assert set(caught.value.message_dict) == {"secret"}
