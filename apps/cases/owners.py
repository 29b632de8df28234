"""Who gets a new case: in turn, or whoever looks after the company or the touchpoint."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from apps.cases.models import Case, CaseRule, CaseRuleMember, Responsibility

_BACKEND = "django.contrib.auth.backends.ModelBackend"
_A_MOMENT = timedelta(microseconds=1)
_Owner = CaseRule.Owner


def able(*, right: str = "cases.change_case") -> QuerySet[Any]:
    """Users who work here and have a right over cases."""
    users: Any = get_user_model()._default_manager
    found: QuerySet[Any] = users.with_perm(right, backend=_BACKEND)
    return found


def give(cases: Sequence[Case], *, now: datetime) -> None:
    """Set the owners of new cases by their rules. Does not save them. Five queries at most.

    Who is inactive or may not change cases is passed over. Members of a rule are locked in order, so that two workers
    take turns as one would. Each case's rule, contact and response are loaded.
    """
    ruled = [case for case in cases if case.rule is not None and case.rule.owner != _Owner.NOBODY]
    if not ruled:
        return
    members = _members({case.rule_id for case in ruled if case.rule_id is not None})
    keepers = _keepers(ruled)
    people = {row.user_id for rows in members.values() for row in rows} | set(keepers.values())
    working = set(able().filter(pk__in=people).values_list("pk", flat=True))
    taken: dict[int, CaseRuleMember] = {}
    for case in ruled:
        keeper = keepers.get(_key(case))
        if keeper in working:
            case.owner_id = keeper
        else:
            case.owner_id = _next(members[case.rule_id or 0], working, now, taken)
    CaseRuleMember.objects.bulk_update(taken.values(), ["last_at"], batch_size=500)


def _members(rule_ids: Collection[int]) -> dict[int, list[CaseRuleMember]]:
    found: dict[int, list[CaseRuleMember]] = defaultdict(list)
    for row in CaseRuleMember.objects.filter(rule__in=rule_ids).order_by("pk").select_for_update():
        found[row.rule_id].append(row)
    return found


def _key(case: Case) -> tuple[str, int | None]:
    """What somebody may look after, by the rule's way of finding an owner."""
    assert case.rule is not None  # noqa: S101 - only such cases are looked at
    if case.rule.owner == _Owner.COMPANY:
        return "company", case.contact.company_id if case.contact else None
    if case.rule.owner == _Owner.TOUCHPOINT:
        return "touchpoint", case.response.touchpoint_id
    return "", None


def _keepers(cases: Iterable[Case]) -> dict[tuple[str, int | None], int]:
    """Who looks after the companies and touchpoints of these cases. One query, none if none is asked for."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for case in cases:
        name, pk = _key(case)
        if pk is not None:
            wanted[name].add(pk)
    if not wanted:
        return {}
    rows = Responsibility.objects.filter(Q(company__in=wanted["company"]) | Q(touchpoint__in=wanted["touchpoint"]))
    return {
        (("company", row.company_id) if row.company_id is not None else ("touchpoint", row.touchpoint_id)): row.user_id
        for row in rows
    }


def _next(
    members: Sequence[CaseRuleMember], working: Collection[int], now: datetime, taken: dict[int, CaseRuleMember]
) -> int | None:
    """Whose turn was longest ago, who never had one first; it is theirs now. None if nobody is there."""
    free = [row for row in members if row.user_id in working]
    if not free:
        return None
    row = min(free, key=lambda one: (one.last_at is not None, one.last_at or now, one.pk))
    # Later than anybody's, so that turns of the same moment stay in order.
    last = max((one.last_at for one in members if one.last_at is not None), default=now)
    row.last_at = max(now, last + _A_MOMENT)
    taken[row.pk] = row
    return row.user_id
