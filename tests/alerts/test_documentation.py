import json
import re
from pathlib import Path

from apps.alerts import bodies
from apps.alerts.models import Kind
from apps.alerts.words import Item, Told
from apps.common.ids import uuid7

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "alerts.md").read_text()


def test_the_documented_message_has_the_form_of_a_real_one_and_every_kind_is_named() -> None:
    (example,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    item = Item("response", "h", (("Company", "x"),), "c", "u")
    real = bodies.signed(Told("s", (("Responses", (item,)),), 0, "", False), message_id=uuid7())
    shown = json.loads(example)["data"]
    assert shown.keys() == real.keys()
    assert shown["notices"][0].keys() == real["notices"][0].keys()
    assert shown["notices"][0]["facts"][0].keys() == real["notices"][0]["facts"][0].keys()
    assert all(f"`{kind}`" in PAGE for kind in Kind.values)
