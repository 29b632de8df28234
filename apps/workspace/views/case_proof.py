"""What taking care of cases brought: whether detractors come back happier, how fast we are, what was behind it."""

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from apps.common.spreadsheets import csv_parts
from apps.insights.recovery import MINIMUM
from apps.transfers.exports import csv_download
from apps.workspace import bars, case_hours, proof_table
from apps.workspace import lists_cases as rows
from apps.workspace.bars import Chart, Column
from apps.workspace.proof import Proof, gather
from apps.workspace.proof_charts import spark
from apps.workspace.proof_filter import ProofFilter


@require_safe
@login_required
@never_cache
def proof(request: HttpRequest) -> HttpResponse:
    """All figures of the period, the owner and the touchpoint that the address names."""
    form, found = _found(request)
    top = max((number for row in found.causes for number in row.months), default=0)
    context = {
        "filter": form,
        "proof": found,
        "recovery": found.recovery,
        "total": found.total,
        "minimum": MINIMUM,
        "hours": case_hours.in_words(found.terms),
        "charts": [
            ("wide", _chart(found, width=1060, height=224, labels=12)),
            ("narrow", _chart(found, width=340, height=200, labels=4)),
        ]
        if any(part.total for _month, part in found.in_time)
        else [],
        "causes": [(row, spark(row.months, top=top)) for row in found.causes],
    }
    return render(request, "workspace/case_proof.html", context)


@require_GET
@login_required
@permission_required("cases.view_case", raise_exception=True)
def export(request: HttpRequest) -> HttpResponseBase:
    """The same as a file, one figure a row."""
    _form, found = _found(request)
    # All at once: parts of a file are sent when the reader's language is forgotten.
    parts = csv_parts(proof_table.header(), list(proof_table.rows(found)))
    return csv_download(parts, filename=f"cases-{timezone.localdate().isoformat()}.csv")


def _found(request: HttpRequest) -> tuple[ProofFilter, Proof]:
    now, choices = timezone.now(), rows.choices()
    form = ProofFilter(request.GET, choices=choices)
    return form, gather(wanted=form.wanted(now=now), choices=choices, now=now)


def _chart(found: Proof, *, width: int, height: int, labels: int) -> Chart:
    """What was due each month: closed in time below, late on top."""
    columns = [Column(month, part.hits, part.total - part.hits) for month, part in found.in_time]
    return bars.bar_chart(columns, width=width, height=height, labels=labels)
