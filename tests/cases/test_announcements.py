"""What webhooks tell of cases: as documented, once, and no words of the contact."""

from typing import Any

import pytest

from apps.cases import services
from apps.cases.models import Outcome, RootCause
from apps.cases.services import Changes
from apps.integrations.models import Delivery, Endpoint
from tests.cases.caring import NOW, case, contact, opened, response, rule, touchpoint, worker
from tests.surveys.test_announcements import examples, shape

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture(autouse=True)
def listening(tenant: Any) -> None:
    Endpoint.objects.create(url="https://hook.example/")


def told() -> list[tuple[str, dict[str, Any]]]:
    found = Delivery.objects.filter(event_type__startswith="case.").order_by("payload__revision", "pk")
    return [(row.event_type, row.payload) for row in found]


def test_what_is_published_is_what_the_documentation_shows() -> None:
    documented = examples()["case.opened"]["data"]
    rule(worker("ada"))
    kim = contact("kim")
    [row] = opened(response(contact=kim, touchpoint=touchpoint(), comment="Secret words"))
    refunded, late = Outcome.objects.create(name={"en": "x"}), RootCause.objects.create(name={"en": "y"})
    for changes in (
        Changes(root_cause_id=late.pk),
        Changes(status="solved", result_id=refunded.pk, outcome="Done"),
        Changes(status="contacted"),
        Changes(status="contacted"),
    ):
        services.change(case_id=row.pk, revision=None, changes=changes, by=None, now=NOW)
    assert opened(response(contact=kim, score=0)) == []
    kinds = [kind for kind, _payload in told()]
    assert kinds == ["case.opened", "case.updated", "case.closed", "case.updated", "case.updated"]
    for _kind, payload in told():
        expected, found = shape(documented), shape(payload)
        assert found == {**expected, **{name: "NoneType" for name, kind in found.items() if kind == "NoneType"}}
        assert "Secret" not in str(payload)
    assert [payload["revision"] for _kind, payload in told()] == [0, 1, 2, 3, 4]
    closed = told()[2][1]
    assert (closed["status"], closed["score"], closed["segment"]) == ("solved", 2, "detractor")
    assert closed["closed_at"] is not None


def test_merging_tells_of_all_cases_and_where_they_went() -> None:
    kim, jo = case(contact=contact("kim", "Acme")), case(contact=contact("jo", "Acme"))
    services.merge(into=kim.pk, others=[jo.pk], by=None, now=NOW)
    went = {payload["id"]: payload["merged_into_id"] for kind, payload in told() if kind == "case.updated"}
    assert went == {str(kim.pk): None, str(jo.pk): str(kim.pk)}
