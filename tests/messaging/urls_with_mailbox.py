"""The public host's addresses as they are with EMAIL_URL=maildir://…"""

from django.urls import include, path

from config.urls_public import urlpatterns as public

urlpatterns = [*public, path("mailbox/", include("apps.messaging.mailbox_urls"))]
