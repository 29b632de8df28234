"""Pages for CX managers on a tenant's host."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from apps.workspace.views import cases, contacts, dashboard, decisions, emails, responses, theme

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
    path("responses/<uuid:pk>/case/", cases.open_case, name="open_case"),
    path("contacts/<uuid:pk>/", contacts.contact, name="contact"),
    path("decisions/", decisions.decisions, name="decisions"),
    path("cases/", cases.cases, name="cases"),
    path("cases/<uuid:pk>/", cases.case, name="case"),
    path("emails/", emails.emails, name="emails"),
    path("emails/<uuid:pk>/", emails.email, name="email"),
    path("emails/<uuid:pk>/html/", emails.html, name="email_html"),
]
