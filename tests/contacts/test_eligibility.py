from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.contacts.budget import Entry, Limit, Plan, Policy, free_from
from apps.contacts.eligibility import Facts, decide

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
times = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
gaps = st.integers(0, 60).map(lambda days: timedelta(days=days))
limits = st.builds(Limit, st.integers(1, 4), st.integers(1, 90).map(lambda days: timedelta(days=days)))


def approaches(*at: datetime) -> list[Entry]:
    return [Entry(str(n), moment, is_spent=True) for n, moment in enumerate(at)]


def facts(**changes: object) -> Facts:
    values: dict[str, object] = {"wanted_at": NOW + timedelta(days=3), "give_up_at": NOW + timedelta(days=17)}
    return Facts(**{**values, **changes})  # type: ignore[arg-type]


def keeps(at: datetime, taken: list[datetime], limit: Limit) -> bool:
    """Counted the plain way: no stretch shorter than ``within`` that includes ``at`` holds too many."""
    everything = sorted([*taken, at])
    for start in range(len(everything) - limit.most):
        crowd = everything[start : start + limit.most + 1]
        if at in crowd and crowd[-1] - crowd[0] < limit.within:
            return False
    return True


def test_a_contact_with_nothing_against_it_is_scheduled_for_the_wanted_time() -> None:
    verdict = decide(facts(), Policy(), NOW)
    assert (verdict.status, verdict.reason, verdict.at) == ("scheduled", "ok", NOW + timedelta(days=3))


def test_each_objection_has_its_own_reason() -> None:
    assert decide(facts(has_address=False), Policy(), NOW).reason == "no_address"
    assert decide(facts(is_suppressed=True), Policy(), NOW).reason == "suppressed"
    assert decide(facts(has_legal_basis=False), Policy(), NOW).reason == "no_legal_basis"
    assert decide(facts(give_up_at=NOW - timedelta(seconds=1)), Policy(), NOW).reason == "too_old"


def test_what_is_shown_on_a_page_needs_no_address_and_no_basis_for_mail() -> None:
    web = facts(by_mail=False, has_address=False, is_suppressed=True, has_legal_basis=False)
    assert decide(web, Policy(), NOW).status == "scheduled"


def test_over_budget_is_deferred_to_the_end_of_the_gap() -> None:
    recent = NOW + timedelta(days=1)
    verdict = decide(facts(others=approaches(recent)), Policy(timedelta(days=10)), NOW)
    assert (verdict.status, verdict.reason, verdict.at) == ("deferred", "budget", recent + timedelta(days=10))


def test_a_deferral_past_the_expiry_is_skipped() -> None:
    recent = NOW + timedelta(days=1)
    verdict = decide(facts(others=approaches(recent)), Policy(timedelta(days=30)), NOW)
    assert (verdict.status, verdict.reason, verdict.at) == ("skipped", "budget_too_late", None)


def test_a_missed_time_is_sent_now_not_in_the_past() -> None:
    assert decide(facts(wanted_at=NOW - timedelta(days=1)), Policy(), NOW).at == NOW


def test_the_rest_after_an_answer_is_kept() -> None:
    until = NOW + timedelta(days=9)
    verdict = decide(facts(not_before=until), Policy(), NOW)
    assert (verdict.status, verdict.at) == ("deferred", until)


def test_at_most_two_in_ninety_days() -> None:
    made = approaches(NOW - timedelta(days=80), NOW - timedelta(days=40))
    verdict = decide(facts(others=made), Policy(caps=(Limit(2, timedelta(days=90)),)), NOW)
    assert (verdict.status, verdict.at) == ("deferred", NOW + timedelta(days=10))


def test_a_survey_has_a_clock_of_its_own() -> None:
    made = [Entry("x", NOW - timedelta(days=5), topic="survey:1", is_spent=True)]
    plan = Plan(topic_gap=timedelta(days=10))
    same = decide(facts(others=made, topic="survey:1", plan=plan), Policy(), NOW)
    other = decide(facts(others=made, topic="survey:2", plan=plan), Policy(), NOW)
    assert (same.at, other.at) == (NOW + timedelta(days=5), NOW + timedelta(days=3))


def test_a_company_is_not_flooded_through_its_people() -> None:
    busy = [NOW - timedelta(days=2), NOW - timedelta(days=1)]
    policy = Policy(company=Limit(2, timedelta(days=10)))
    assert decide(facts(company_times=busy), policy, NOW).at == NOW + timedelta(days=8)


def test_an_exception_may_come_sooner_but_other_limits_hold() -> None:
    made = approaches(NOW + timedelta(days=2))
    policy = Policy(timedelta(days=14), caps=(Limit(1, timedelta(days=5)),))
    plan = Plan(min_gap=timedelta(0))
    assert decide(facts(others=made, plan=plan), policy, NOW).at == NOW + timedelta(days=7)
    beyond = Plan(min_gap=timedelta(0), beyond_caps=True)
    assert decide(facts(others=made, plan=beyond), policy, NOW).at == NOW + timedelta(days=3)


@given(times, st.lists(times, max_size=8), limits)
def test_the_found_time_is_never_early_and_keeps_the_limit(
    wanted: datetime, taken: list[datetime], limit: Limit
) -> None:
    at = free_from(wanted, sorted(taken), limit)
    assert at >= wanted
    assert keeps(at, taken, limit)


@given(times, st.lists(times, max_size=6), limits)
def test_no_earlier_time_would_have_done(wanted: datetime, taken: list[datetime], limit: Limit) -> None:
    at = free_from(wanted, sorted(taken), limit)
    # Whether a time fits changes only at these moments.
    corners = {wanted, *(t + limit.within for t in taken), *(t - limit.within for t in taken), *taken}
    for corner in corners:
        for moment in (corner, corner + timedelta(microseconds=1)):
            if wanted <= moment < at:
                assert not keeps(moment, taken, limit)


@given(times, st.lists(times, max_size=8), gaps, times, st.lists(limits, max_size=2))
def test_no_verdict_is_earlier_than_its_cause_or_later_than_its_expiry(
    wanted: datetime, taken: list[datetime], gap: timedelta, give_up: datetime, caps: list[Limit]
) -> None:
    policy = Policy(gap, caps=tuple(caps))
    verdict = decide(facts(wanted_at=wanted, others=approaches(*taken), give_up_at=give_up), policy, NOW)
    if verdict.status == "deferred":
        assert verdict.at is not None
        assert max(wanted, NOW) < verdict.at <= give_up
    if verdict.status == "scheduled":
        assert verdict.at == max(wanted, NOW)
    if verdict.at is not None:
        assert all(keeps(verdict.at, taken, limit) for limit in policy.limits)
