"""Small programs in the documentation that are not requests: they compute what we compute."""

import hashlib
import hmac
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import WebhookVerificationError

from apps.integrations import signing

DOCS = Path(__file__).resolve().parents[1] / "docs"


def block(page: str, language: str) -> str:
    """The page's only program in this language."""
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_receiver_in_python_takes_what_we_sign_and_nothing_else() -> None:
    secret, body = signing.new_secret(), b'{"type":"response.created"}'
    headers = signing.headers(keys=[secret], message_id="msg-1", body=body, now=datetime.now(UTC))
    program = block("webhooks.md", "python").replace("whsec_…", secret)
    scope = {"body": body.decode(), "headers": headers}
    exec(program, scope)
    assert scope["message"] == {"type": "response.created"}
    with pytest.raises(WebhookVerificationError):
        exec(program, {"body": body.decode() + " ", "headers": headers})


def test_the_signature_of_who_is_signed_in_is_the_same_in_every_language() -> None:
    expected = hmac.new(b"s3cret", b"customer-42", hashlib.sha256).hexdigest()
    scope = {"hmac": hmac, "hashlib": hashlib, "secret": "s3cret", "external_id": "customer-42"}
    exec(block("embedding.md", "python"), scope)
    assert scope["signature"] == expected
    if shutil.which("node") is None and not os.environ.get("CI"):
        pytest.skip("needs node")
    start = 'const {createHmac} = require("crypto"), secret = "s3cret", externalId = "customer-42";'
    program = f"{start}\n{block('embedding.md', 'js')}\nconsole.log(signature);"
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == expected
