"""The operator's form for a mail service: what every one has, and what its kind needs."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordInput,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.common import sealed
from apps.relays.esps import Proof, Setting
from apps.relays.models import Relay

PREFIX = "setting_"
_SMTP = (
    Setting("host", _("Host"), is_secret=False),
    Setting("port", _("Port"), is_secret=False, is_required=False),
    Setting("security", _("Encryption"), is_secret=False, is_required=False, default="tls"),
    Setting("user", _("User name"), is_secret=False, is_required=False),
    Setting("password", _("Password"), is_required=False),
)
_SECURITY = [("tls", _("STARTTLS (587)")), ("ssl", _("TLS from the start (465)")), ("", _("none (own network only)"))]
_KEEP = _("Something is stored and not shown. Leave it empty to keep it.")
_host = RegexValidator(r"\A[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?\Z", _("Enter a host name."))
_printable = RegexValidator(r"\A[\x20-\x7e]+\Z", _("Only letters, digits and signs without accents."))


def settings_of(relay: Relay) -> tuple[Setting, ...]:
    """What the operator enters for a mail service of this kind."""
    esp = relay.esp
    return _SMTP if esp is None else esp.settings + esp.webhook_settings


class NewRelayForm(forms.ModelForm):
    """Which service it is; its settings come on the next page."""

    class Meta:
        model = Relay
        fields = ("name", "key", "kind")
        help_texts = {"kind": _("It cannot be changed later. The settings come on the next page.")}


class RelayForm(forms.ModelForm):
    """All but its kind. What is secret is never shown, and kept when its input stays empty."""

    class Meta:
        model = Relay
        fields = (
            "name", "is_active", "is_default", "is_offered", "batch_size", "spf_include", "dkim_selector",
            "dkim_target", "dkim_value", "return_path_label", "return_path_target",
        )  # fmt: skip

    specs: tuple[Setting, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.problem = sealed.problem(self.instance.settings)
        for spec in self.specs:
            field, stored = self.fields[PREFIX + spec.name], self.instance.settings.get(spec.name)
            if not spec.is_secret:
                field.initial = spec.default if stored is None else stored
            elif stored:
                field.required, field.help_text = False, _KEEP
            if self.problem:
                field.help_text = str(self.problem)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("dkim_target") and data.get("dkim_value"):
            self.add_error("dkim_value", _("Either a target or a value."))
        if data.get("is_default") and not data.get("is_active"):
            self.add_error("is_default", _("Only an active mail service can be the default."))
        if not self.errors:
            self.instance.settings = self._settings(data)
        return data

    def _settings(self, data: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for spec in self.specs:
            given = data.get(PREFIX + spec.name)
            if spec.is_secret and not given:
                given = self.instance.settings.get(spec.name)
            if given not in (None, "") or spec.name == "security":
                found[spec.name] = given
        return found


def form_for(relay: Relay) -> type[RelayForm]:
    """The form for this mail service's kind."""
    specs = settings_of(relay)
    fields: dict[str, Any] = {PREFIX + spec.name: _field(relay, spec) for spec in specs}
    return type("RelayForm", (RelayForm,), {**fields, "specs": specs})


def setting_names(relay: Relay) -> list[str]:
    """Names of the form's fields that its kind needs."""
    return [PREFIX + spec.name for spec in settings_of(relay)]


def _field(relay: Relay, spec: Setting) -> forms.Field:
    common: dict[str, Any] = {"label": spec.label, "required": spec.is_required}
    if spec.name == "security":
        return forms.ChoiceField(choices=_SECURITY, widget=UnfoldAdminSelectWidget(), **common)
    if spec.name == "port":
        return forms.IntegerField(min_value=1, max_value=65535, widget=UnfoldAdminIntegerFieldWidget(), **common)
    if spec.name == "auto_confirm":
        return forms.BooleanField(widget=UnfoldBooleanSwitchWidget(), **common)
    if spec.is_secret:
        if relay.esp is not None and spec.name == relay.esp.signing and relay.esp.proof is Proof.SIGNATURE:
            common["help_text"] = _("Without it no delivery report can be believed: all are refused.")
        widget = UnfoldAdminPasswordInput(attrs={"autocomplete": "new-password"}, render_value=False)
        return forms.CharField(max_length=2000, validators=[_printable], widget=widget, **common)
    special: dict[str, list[Any]] = {"host": [_host], "api_url": [URLValidator(schemes=["https", "http"])]}
    validators = special.get(spec.name, [_printable])
    return forms.CharField(max_length=500, validators=validators, widget=UnfoldAdminTextInputWidget(), **common)


class TestMailForm(forms.Form):
    """Who gets the test mail."""

    __test__ = False
    to = forms.EmailField(label=_("To"), widget=UnfoldAdminEmailInputWidget())

    def clean_to(self) -> str:
        to: str = self.cleaned_data["to"]
        if "\n" in to or "\r" in to:
            raise ValidationError(_("Enter a valid email address."))
        return to
