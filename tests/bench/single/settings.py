"""The same application for one organisation: no tenant is chosen, nothing switches schemas."""

from config.settings import *  # noqa: F403
from config.settings import DATABASES, INSTALLED_APPS, MIDDLEWARE

INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "django_tenants"]
MIDDLEWARE = [name for name in MIDDLEWARE if name != "apps.tenants.middleware.TenantMiddleware"]
DATABASE_ROUTERS = []
DATABASES["default"]["ENGINE"] = "tests.bench.single.backend"
