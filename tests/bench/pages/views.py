"""The least that Django does: a greeting; and an answer stored with the ORM, with every row that ours leaves."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from apps.common.models import AgendaItem
from apps.common.tokens import hash_token
from apps.contacts.models import Outreach
from apps.responses.models import Answer, Response, ScoreChange
from apps.surveys.models import Invitation

QUEUES = ("insights.roll_up", "campaigns.enrol")


def hello(request: HttpRequest) -> HttpResponse:
    """Says hello."""
    return HttpResponse("Hello")


@csrf_exempt
def bare(request: HttpRequest, token: str) -> HttpResponse:
    """Stores what was posted, unchecked."""
    now = timezone.now()
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update().get(token_hash=hash_token(token))
        response = Response.objects.create(
            invitation=invitation,
            survey_id=invitation.survey_id,
            contact_id=invitation.contact_id,
            touchpoint_id=invitation.touchpoint_id,
            score=int(request.POST["score"]),
            comment=request.POST["comment"],
            answered_at=now,
            updated_at=now,
            follow_up_at=now,
        )
        Answer.objects.create(
            response=response, question_id=int(request.POST["question"]), value=int(request.POST["q-delivery"])
        )
        ScoreChange.objects.create(
            day=now.date(), survey_id=response.survey_id, touchpoint_id=response.touchpoint_id,
            score=response.score or 0, weight=1,
        )  # fmt: skip
        Outreach.objects.filter(reason=f"invitation:{invitation.pk}").update(outcome="answered", outcome_at=now)
    for queue in QUEUES:
        AgendaItem.objects.update_or_create(
            schema_name=request.tenant.schema_name,  # type: ignore[attr-defined]
            queue=queue,
            defaults={"due_at": now},
        )
    return HttpResponse(status=303, headers={"Location": "/"})
