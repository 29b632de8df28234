from datetime import UTC, datetime
from uuid import uuid4

import pytest

from apps.alerts.rules import Facts, Quiet, Wish, digest_at, fits, instant_at
from apps.common.schedule import Calendar

BERLIN = Calendar("Europe/Berlin", "DE")
WHO = uuid4()
ALL = {"score_segments": [], "keywords": [], "touchpoint_ids": set(), "survey_id": None, "segment_id": None}
SAID = {
    "score_segment": "detractor", "comment": "I have CANCELLED, it was too slow.", "touchpoint_id": 1, "survey_id": 1,
    "contact_id": WHO, "is_anonymous": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "said", "does"),
    [
        ({}, {}, True),
        ({}, {"score_segment": ""}, True),
        ({"score_segments": ["detractor", "passive"]}, {}, True),
        ({"score_segments": ["promoter"]}, {}, False),
        ({"score_segments": ["promoter"]}, {"score_segment": ""}, False),
        ({"keywords": ["refund", "cancel"]}, {}, True),
        ({"keywords": ["Grüße"]}, {"comment": "Viele GRÜßE"}, True),
        ({"keywords": ["refund"]}, {}, False),
        ({"touchpoint_ids": {1, 2}}, {}, True),
        ({"touchpoint_ids": {2}}, {}, False),
        ({"touchpoint_ids": {2}}, {"touchpoint_id": None}, False),
        ({"survey_id": 1}, {}, True),
        ({"survey_id": 2}, {}, False),
        ({"segment_id": 7}, {}, True),
        ({"segment_id": 8}, {}, False),
        ({"segment_id": 9}, {}, False),
        ({"segment_id": 7}, {"contact_id": None}, False),
        ({"segment_id": 7}, {"is_anonymous": True}, False),
        ({"score_segments": ["detractor"], "segment_id": 8}, {}, False),
    ],
)
def test_a_response_fits_a_wish_only_if_all_of_it_does(wish: dict, said: dict, does: bool) -> None:
    members = {7: {WHO}, 8: {uuid4()}}
    assert fits(Wish(**{**ALL, **wish}), Facts(**{**SAID, **said}), members) is does


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHT = Quiet(20 * 60, 7 * 60)
NOON = Quiet(12 * 60, 13 * 60)


@pytest.mark.parametrize(
    ("now", "quiet", "work", "at"),
    [
        ("2026-03-25T10:00", Quiet(), False, "2026-03-25T10:00"),
        ("2026-03-25T20:00", NIGHT, False, "2026-03-26T06:00"),
        ("2026-03-25T11:30", NOON, False, "2026-03-25T12:00"),  # 12:30 in Berlin, quiet until 13:00
        ("2026-03-28T20:00", NIGHT, False, "2026-03-29T05:00"),  # clocks go forward that night: 7:00 is 5:00 UTC
        ("2026-10-24T20:00", NIGHT, False, "2026-10-25T06:00"),  # and back
        ("2026-03-29T00:30", Quiet(60, 150), False, "2026-03-29T01:00"),  # 1:00 to 2:30; 2:30 does not exist
        ("2026-03-27T20:00", Quiet(20 * 60, 7 * 60, skip_weekends=True), False, "2026-03-30T05:00"),
        ("2026-04-03T08:00", Quiet(skip_holidays=True), False, "2026-04-03T22:00"),  # Good Friday
        ("2026-04-02T20:00", Quiet(20 * 60, 7 * 60, True, True), False, "2026-04-07T05:00"),  # Easter
        ("2026-03-25T20:00", Quiet(), True, "2026-03-26T07:00"),  # 8:00
        ("2026-03-27T18:00", Quiet(), True, "2026-03-30T06:00"),  # after the weekend
        ("2026-04-02T18:00", Quiet(), True, "2026-04-07T06:00"),  # after Easter
        ("2026-03-25T04:00", Quiet(22 * 60, 9 * 60), True, "2026-03-25T08:00"),
        ("2026-03-25T10:00", Quiet(8 * 60, 18 * 60), True, "2026-03-25T17:00"),  # nothing is left of working hours
    ],
)
def test_quiet_hours_move_a_notice_to_their_end(now: str, quiet: Quiet, work: bool, at: str) -> None:
    assert instant_at(utc(now), quiet, BERLIN, within_work=work) == utc(at)


@pytest.mark.parametrize(
    ("now", "weekday", "quiet", "at"),
    [
        ("2026-03-25T06:59", None, Quiet(), "2026-03-25T07:00"),
        ("2026-03-25T07:00", None, Quiet(), "2026-03-26T07:00"),  # what comes with the summary waits for the next
        ("2026-03-28T10:00", None, Quiet(), "2026-03-29T06:00"),  # still 8:00
        ("2026-03-27T10:00", None, Quiet(skip_weekends=True), "2026-03-30T06:00"),
        ("2026-04-02T10:00", None, Quiet(skip_weekends=True, skip_holidays=True), "2026-04-07T06:00"),
        ("2026-03-25T10:00", 0, Quiet(), "2026-03-30T06:00"),
        ("2026-03-30T10:00", 0, Quiet(skip_holidays=True), "2026-04-13T06:00"),  # not on Easter Monday
        ("2026-03-25T10:00", None, Quiet(6 * 60, 9 * 60), "2026-03-26T08:00"),  # its hour is quiet: when that ends
    ],
)
def test_a_summary_goes_out_at_its_hour_on_a_day_that_is_not_quiet(
    now: str, weekday: int | None, quiet: Quiet, at: str
) -> None:
    assert digest_at(utc(now), hour=8, weekday=weekday, quiet=quiet, calendar=BERLIN) == utc(at)
