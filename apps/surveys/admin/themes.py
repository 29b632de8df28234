"""The tenant's look: logo, and colours that can be read."""

import re
from math import floor
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from apps.common.admin import SingletonAdmin
from apps.common.admin_site import tenant_admin
from apps.common.colours import AA, NEAR_BLACK, WHITE, contrast, nearest_readable, readable_accent, text_on
from apps.surveys import logos
from apps.surveys.models import Theme

_is_colour = re.compile(r"#[0-9a-fA-F]{6}").fullmatch
_ACCEPTED = "image/png,image/jpeg,image/webp"


class ColourWidget(UnfoldAdminTextInputWidget):
    """A colour as text, with a picker and the contrast beside it where scripts run."""

    template_name = "admin/surveys/theme/colour.html"

    def __init__(self, role: str) -> None:
        super().__init__({"maxlength": 7, "spellcheck": "false", "autocomplete": "off"})
        self.role = role

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        return {**context, "role": self.role}


class ThemeForm(forms.ModelForm):
    """The look, with a file that becomes the logo."""

    logo = forms.FileField(
        label=gettext_lazy("Logo"),
        required=False,
        widget=forms.FileInput({"accept": _ACCEPTED, "class": " ".join(INPUT_CLASSES)}),
        help_text=gettext_lazy(
            "PNG, JPEG or WebP, at most 500 KB; it is made to fit into 480 × 160 pixels. A transparent background "
            "looks good in light and dark."
        ),
    )
    remove_logo = forms.BooleanField(
        label=gettext_lazy("Remove the logo"), required=False, widget=UnfoldBooleanWidget()
    )
    picture: logos.Picture | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "font" in self.fields:
            self.fields["font"].required = False  # The model has a default.

    def clean_logo(self) -> Any:
        """Look into the file already here: what is wrong with it is told at its field."""
        upload = self.cleaned_data.get("logo")
        if upload:
            if upload.size > logos.MAX_UPLOAD:
                limit = {"limit": logos.MAX_UPLOAD // 1024}
                raise ValidationError(_("The picture is larger than %(limit)s KB."), params=limit)
            self.picture = logos.read(upload.read())
        return upload

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.picture and data.get("remove_logo"):
            self.add_error("remove_logo", _("Either choose a new logo or remove the old one."))
        accent, chosen = data.get("accent") or "", data.get("on_accent") or ""
        if _is_colour(accent) and (not chosen or _is_colour(chosen)):  # What is no colour the model refuses.
            self._check_contrast(accent, chosen)
        return data

    def _post_clean(self) -> None:
        """No browser keeps a chosen file over an error: say so where it was chosen."""
        super()._post_clean()
        if self.picture and self.errors:
            self.add_error("logo", _("The picture is fine. Choose it once more after you have corrected the rest."))

    def _check_contrast(self, accent: str, chosen: str) -> None:
        text = chosen or text_on(accent)
        if (ratio := contrast(accent, text)) >= AA:
            return
        self.add_error("accent", too_faint(accent, text, ratio, is_chosen=bool(chosen)))
        automatic = text_on(accent)
        if chosen and contrast(accent, automatic) >= AA:
            name = {"text": _named(automatic)}
            self.add_error("on_accent", _("Left empty it would be: %(text)s, which reads well.") % name)


def too_faint(accent: str, text: str, ratio: float, *, is_chosen: bool) -> str:
    """What is wrong with the colours, and the nearest that would do."""
    return _("%(text)s on %(accent)s reaches %(ratio)s:1; WCAG AA asks for %(least)s:1. %(better)s would do.") % {
        "text": _named(text),
        "accent": accent,
        # Rounded down: 4.49 is not enough and must not read as 4.5.
        "ratio": number_format(floor(ratio * 10) / 10, 1),
        "least": number_format(AA, 1),
        "better": nearest_readable(accent, text) if is_chosen else readable_accent(accent),
    }


def _named(colour: str) -> str:
    if colour.lower() == WHITE:
        return _("White text")
    if colour.lower() == NEAR_BLACK:
        return _("Near-black text")
    return _("Text in %(colour)s") % {"colour": colour}


@admin.register(Theme, site=tenant_admin)
class ThemeAdmin(SingletonAdmin):
    """The tenant's look."""

    form = ThemeForm
    readonly_fields = ("current_logo",)

    class Media:
        css = {"all": ["surveys/theme.css"]}
        js = [forms.Script("surveys/theme.js", defer=True)]

    def get_fieldsets(self, request: HttpRequest, obj: Theme | None = None) -> Any:
        has_logo = obj is not None and obj.logo_digest
        kept = ("current_logo", "remove_logo") if has_logo else ()
        if not self._may_write(request, obj):
            return self._fieldsets(("current_logo",) if has_logo else ())
        return self._fieldsets((kept[0], "logo", kept[1]) if kept else ("logo",))

    @staticmethod
    def _fieldsets(logo: tuple[str, ...]) -> Any:
        return (
            (gettext_lazy("Brand"), {"fields": ("brand_name", *logo)}),
            (gettext_lazy("Colours and font"), {"fields": ("accent", "on_accent", "font")}),
            (gettext_lazy("Who it is from"), {"fields": ("imprint_url", "privacy_url", "postal_address")}),
        )

    def _may_write(self, request: HttpRequest, obj: Theme | None) -> bool:
        return self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("accent", "on_accent"):
            kwargs["widget"] = ColourWidget(db_field.name)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @admin.display(description=gettext_lazy("current logo"))
    def current_logo(self, theme: Theme) -> str:
        return render_to_string("admin/surveys/theme/logo.html", {"theme": theme})

    def save_model(self, request: HttpRequest, theme: Theme, form: Any, change: bool) -> None:
        with transaction.atomic():
            super().save_model(request, theme, form, change)
            if form.picture:
                logos.keep(theme=theme, picture=form.picture)
            elif form.cleaned_data.get("remove_logo"):
                logos.remove(theme=theme)
