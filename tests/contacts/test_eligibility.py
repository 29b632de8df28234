from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.contacts.eligibility import Facts, Policy, decide, earliest_free

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
times = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
gaps = st.integers(0, 60).map(lambda days: timedelta(days=days))


def facts(**changes: object) -> Facts:
    values: dict[str, object] = {
        "wanted_at": NOW + timedelta(days=3),
        "give_up_at": NOW + timedelta(days=17),
        "has_address": True,
        "is_suppressed": False,
        "has_legal_basis": True,
        "outreaches": (),
    }
    return Facts(**{**values, **changes})  # type: ignore[arg-type]


def test_a_contact_with_nothing_against_it_is_scheduled_for_the_wanted_time() -> None:
    verdict = decide(facts(), Policy(), NOW)
    assert (verdict.status, verdict.reason, verdict.at) == ("scheduled", "ok", NOW + timedelta(days=3))


def test_each_objection_has_its_own_reason() -> None:
    assert decide(facts(has_address=False), Policy(), NOW).reason == "no_address"
    assert decide(facts(is_suppressed=True), Policy(), NOW).reason == "suppressed"
    assert decide(facts(has_legal_basis=False), Policy(), NOW).reason == "no_legal_basis"
    assert decide(facts(give_up_at=NOW - timedelta(seconds=1)), Policy(), NOW).reason == "too_old"


def test_over_budget_is_deferred_to_the_end_of_the_gap() -> None:
    recent = NOW + timedelta(days=1)
    verdict = decide(facts(outreaches=(recent,)), Policy(timedelta(days=10)), NOW)
    assert (verdict.status, verdict.reason, verdict.at) == ("deferred", "budget", recent + timedelta(days=10))


def test_a_deferral_past_the_expiry_is_skipped() -> None:
    recent = NOW + timedelta(days=1)
    verdict = decide(facts(outreaches=(recent,)), Policy(timedelta(days=30)), NOW)
    assert (verdict.status, verdict.reason, verdict.at) == ("skipped", "budget_too_late", None)


def test_a_missed_time_is_sent_now_not_in_the_past() -> None:
    assert decide(facts(wanted_at=NOW - timedelta(days=1)), Policy(), NOW).at == NOW


@given(times, st.lists(times, max_size=8), gaps)
def test_the_found_time_is_never_early_and_keeps_the_gap(
    wanted: datetime, taken: list[datetime], gap: timedelta
) -> None:
    at = earliest_free(wanted, taken, gap)
    assert at >= wanted
    assert all(abs(at - other) >= gap for other in taken)


@given(times, st.lists(times, max_size=8), gaps, times)
def test_no_verdict_is_earlier_than_its_cause_or_later_than_its_expiry(
    wanted: datetime, taken: list[datetime], gap: timedelta, give_up: datetime
) -> None:
    verdict = decide(facts(wanted_at=wanted, outreaches=taken, give_up_at=give_up), Policy(gap), NOW)
    if verdict.status == "deferred":
        assert verdict.at is not None
        assert max(wanted, NOW) < verdict.at <= give_up
    if verdict.status == "scheduled":
        assert verdict.at == max(wanted, NOW)
