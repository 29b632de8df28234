"""Writes what the demo's people noted, tried and set out to reach. Nothing of it is left to be done."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from apps.accounts.models import User
from apps.insights import goals, targets
from apps.insights.models import Action, Annotation, SavedView, Target
from apps.touchpoints.models import Touchpoint
from apps.workspace.demo.blueprint import Window
from apps.workspace.demo.history import PLUS
from apps.workspace.demo.stories import ActionSpec, Story, at
from apps.workspace.demo.survey_setup import save

DAYS = 90


def tell_of_the_goals(*, story: Story, window: Window) -> None:
    """Actions, annotations, targets and views, as of the end of the window."""
    users: list[User | None] = list(User.objects.filter(is_active=True).order_by("pk")) or [None]
    places = {row.key: row for row in Touchpoint.objects.all()}
    for spec in story.actions:
        _act(spec, places, users, window)
    for note in story.notes:
        moment = at(window, note.since)
        save(
            Annotation(
                day=moment.date(),
                text=note.text,
                touchpoint=places[note.touchpoint],
                control_touchpoint=places.get(note.control),
                window=note.window,
                created_by=users[-1],
                created_at=moment,
            )
        )
    _met(places[story.improved].pk, users[-1], window.end)
    _open(places[story.hurting].pk, users[-1], window.end - timedelta(days=24), window.end)
    _open(None, users[0], window.end - timedelta(days=60), window.end)
    _views(story, users[-1], window.end)


def _act(spec: ActionSpec, places: dict[str, Touchpoint], users: Sequence[User | None], window: Window) -> None:
    def day(number: int | None) -> date | None:
        return None if number is None else (window.end + timedelta(days=number)).date()

    made_at = window.end + timedelta(days=min(spec.starts or 0, 0) - 9)
    save(
        Action(
            touchpoint=places[spec.touchpoint],
            title=spec.title,
            hypothesis=spec.hypothesis,
            status=spec.status,
            owner=users[spec.owner % len(users)],
            starts_on=day(spec.starts),
            due_on=day(spec.due),
            done_on=None if spec.since is None else at(window, spec.since).date(),
            learned=spec.learned,
            control_touchpoint=places.get(spec.control),
            window=spec.window,
            created_by=users[0],
            created_at=made_at,
            updated_at=made_at,
        )
    )


def _met(touchpoint_id: int, by: User | None, now: datetime) -> None:
    """A target that the last weeks met: whatever they brought, they lie far enough above it."""
    made_at = now - timedelta(days=210)
    began = targets.score_of(touchpoint_id=touchpoint_id, days=DAYS, until=made_at.date(), now=now)
    until = (now - timedelta(days=6)).date()
    found = targets.score_of(touchpoint_id=touchpoint_id, days=DAYS, until=until, now=now)
    sure = goals.surely(found, days=DAYS)
    goal = max(-100, int((-100.0 if sure is None else sure) // goals.STEP) * goals.STEP)
    save(
        Target(
            touchpoint_id=touchpoint_id,
            goal=goal,
            days=DAYS,
            due_on=now.date(),
            status=Target.Status.MET,
            start_score=began.score,
            start_n=began.n,
            end_score=found.score,
            end_n=found.n,
            ended_on=until,
            checked_on=until,
            proposed=goals.next_goal(found, goal),
            created_by=by,
            created_at=made_at,
        )
    )


def _open(touchpoint_id: int | None, by: User | None, made_at: datetime, now: datetime) -> None:
    """A target that is still some way off. It was looked at today: nobody has to look at it now."""
    began = targets.score_of(touchpoint_id=touchpoint_id, days=DAYS, until=made_at.date(), now=now)
    today = targets.score_of(touchpoint_id=touchpoint_id, days=DAYS, until=now.date(), now=now)
    best = max(-100.0 if row.score is None else row.score for row in (began, today))
    save(
        Target(
            touchpoint_id=touchpoint_id,
            goal=max(0, min(goals.BEST, (int(best // goals.STEP) + 3) * goals.STEP)),
            days=DAYS,
            due_on=(now + timedelta(days=70)).date(),
            start_score=began.score,
            start_n=began.n,
            checked_on=now.date(),
            created_by=by,
            created_at=made_at,
        )
    )


def _views(story: Story, by: User | None, now: datetime) -> None:
    """One of each page."""
    name, place = story.view
    made_at = now - timedelta(days=30)
    for page, title, query in (
        (SavedView.Page.DASHBOARD, name, {**place, "days": "365", "grain": "month"}),
        (SavedView.Page.JOURNEY, "Customers with Plus", {"segment": PLUS, "days": "365"}),
    ):
        save(SavedView(page=page, name=title, query=query, created_by=by, created_at=made_at, updated_at=made_at))
