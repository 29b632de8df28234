"""The mailbox of a demo: every mail that was sent, on the public host, only with EMAIL_URL=maildir://…"""

from django.urls import path

from apps.messaging import mailbox_views

app_name = "mailbox"
urlpatterns = [
    path("", mailbox_views.message_list, name="list"),
    path("messages.json", mailbox_views.messages_json, name="json"),
    path("<str:key>/", mailbox_views.message, name="message"),
    path("<str:key>/html", mailbox_views.message_html, name="html"),
]
