"""Ready-made journey maps: choose an industry, see what comes, put it on."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from apps.touchpoints import industry_maps
from apps.touchpoints.arranging import ImpossibleError
from apps.touchpoints.industries import INDUSTRIES
from apps.workspace.journey_arrange_words import refusal

ADD = ("touchpoints.add_stage", "touchpoints.add_touchpoint", "touchpoints.change_touchpoint")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required(ADD, raise_exception=True)
def templates(request: HttpRequest) -> HttpResponse:
    """All industries; with ``?industry=`` one of them beside what there is already."""
    industry = INDUSTRIES.get(request.POST.get("industry") or request.GET.get("industry", ""))
    error, chosen = "", None
    if request.method == "POST" and industry is not None:
        chosen = set(request.POST.getlist("phases"))
        error = _("Choose one stage at least.") if not chosen else ""
        if not error:
            try:
                number = industry_maps.put_on(industry=industry, phases=chosen)
            except ImpossibleError as problem:
                error = refusal(problem.code)
            else:
                _say(request, number)
                return redirect("workspace:journey_arrange")
    offers = industry_maps.offers(industry=industry) if industry is not None else []
    context = {
        "industries": INDUSTRIES.values(),
        "industry": industry,
        "rows": [(offer, chosen is None or offer.phase.key in chosen) for offer in offers],
        "missing": sum(offer.missing for offer in offers),
        "error": error,
    }
    return render(request, "workspace/journey_templates.html", context, status=422 if error else 200)


def _say(request: HttpRequest, number: int) -> None:
    if not number:
        messages.info(request, _("All of it was there already; nothing was changed."))
        return
    told = ngettext("One touchpoint came onto the map.", "%(count)d touchpoints came onto the map.", number)
    messages.success(request, told % {"count": number})
