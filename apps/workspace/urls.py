"""Pages for CX managers on a tenant's host."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from apps.workspace.views import (
    best_hour,
    cases,
    contacts,
    dashboard,
    decisions,
    delivery,
    dry_runs,
    emails,
    responses,
    theme,
    why,
)

app_name = "workspace"

sign_in = LoginView.as_view(template_name="workspace/login.html", redirect_authenticated_user=True)

urlpatterns = [
    path(
        "login/",
        LoginView.as_view(template_name="workspace/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("theme.css", theme.stylesheet, name="theme"),
    path("", dashboard.dashboard, name="dashboard"),
    path("responses/", responses.responses, name="responses"),
    path("responses/<uuid:pk>/", responses.response, name="response"),
    path("responses/<uuid:pk>/judge/", responses.judge, name="judge"),
    path("responses/<uuid:pk>/case/", cases.open_case, name="open_case"),
    path("contacts/<uuid:pk>/", contacts.contact, name="contact"),
    path("decisions/", decisions.decisions, name="decisions"),
    path("best-hour/", best_hour.best_hour, name="best_hour"),
    path("why/", why.search, name="why"),
    path("why/event/<uuid:pk>/", why.event, name="why_event"),
    path("why/contact/<uuid:pk>/", why.contact, name="why_contact"),
    path("dry-runs/", dry_runs.dry_runs, name="dry_runs"),
    path("dry-runs/<uuid:pk>/", dry_runs.dry_run, name="dry_run"),
    path("dry-runs/<uuid:pk>/progress/", dry_runs.progress, name="dry_run_progress"),
    path("dry-runs/<uuid:pk>/again/", dry_runs.again, name="dry_run_again"),
    path("cases/", cases.cases, name="cases"),
    path("cases/<uuid:pk>/", cases.case, name="case"),
    path("emails/", emails.emails, name="emails"),
    path("emails/by-hand/", emails.by_hand, name="emails_by_hand"),
    path("emails/<uuid:pk>/", emails.email, name="email"),
    path("emails/<uuid:pk>/html/", emails.html, name="email_html"),
    path("delivery/", delivery.delivery, name="delivery"),
    path("delivery/progress/", delivery.progress, name="delivery_progress"),
    path("delivery/pause/", delivery.pause, name="delivery_pause"),
    path("delivery/resume/", delivery.resume, name="delivery_resume"),
]
