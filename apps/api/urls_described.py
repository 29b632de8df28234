"""The addresses that the API's description is made from."""

from django.urls import include, path

urlpatterns = [path("api/v1/", include("apps.api.urls"))]
