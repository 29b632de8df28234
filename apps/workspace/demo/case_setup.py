"""How the demo's cases are opened, whose they are, and what they end with."""

from django.contrib.auth import get_user_model

from apps.cases import usual
from apps.cases.models import CasePolicy, CaseRule, CaseRuleMember, Outcome, RootCause
from apps.workspace.demo.caring import CLOSE_WITHIN, CONTACT_WITHIN, URGENT_WITHIN
from apps.workspace.demo.records import CaseIds

URGENT_WORDS = ["cancel*", "lawyer", "refund*", "kündig*", "Anwalt", "Erstattung*"]


def set_up_cases() -> CaseIds:
    """The policy, two rules whose cases everybody gets in turn, and the usual lists."""
    users = list(get_user_model()._default_manager.filter(is_active=True).order_by("pk"))
    boss = next((user for user in users if user.is_superuser), None)
    policy = CasePolicy(contact_within=CONTACT_WITHIN, close_within=CLOSE_WITHIN, escalate_to=boss)
    policy.full_clean()
    policy.save(force_insert=True)
    urgent = CaseRule(
        name="Angry words", position=1, keywords=URGENT_WORDS, is_urgent=True, contact_within=URGENT_WITHIN
    )
    usual_rule = CaseRule(name="All detractors", position=2)
    for rule in (urgent, usual_rule):
        rule.full_clean()
        rule.save(force_insert=True)
        CaseRuleMember.objects.bulk_create(CaseRuleMember(rule=rule, user=user) for user in users)
    for model in (Outcome, RootCause):
        usual.take_over(model)
    return CaseIds(
        rule=usual_rule.pk,
        urgent_rule=urgent.pk,
        outcomes=tuple(Outcome.objects.order_by("position", "pk").values_list("pk", flat=True)),
        root_causes=tuple(RootCause.objects.order_by("position", "pk").values_list("pk", flat=True)),
    )
