import json
import os
import time
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone
from django_tenants.utils import schema_context

from apps.common.models import AgendaItem
from apps.contacts.models import Contact
from apps.tenants import registry
from apps.tenants.models import Tenant
from apps.tenants.provisioning import create_tenant
from apps.workspace.demo import access, loading
from apps.workspace.demo.blueprint import Brand
from apps.workspace.demo.shop import open_shop


def _scale(value: str) -> float:
    try:
        scale = float(value)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 1:
        raise ArgumentTypeError("must be more than 0 and at most 1")
    return scale


class Command(BaseCommand):
    """Makes the two demo tenants, or leaves them as they are."""

    help = "Create the demo tenants nordwind and klarwerk with twelve months of history, and write demo.json."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", type=Path, help="where to write sign-ins and keys (default: $DATA/demo.json)")
        parser.add_argument("--today", type=date.fromisoformat, help="the day after the history ends (default: today)")
        parser.add_argument("--scale", type=_scale, default=1.0, help="share of the contacts, e.g. 0.1")
        parser.add_argument(
            "--reset", action="store_true", help="delete the two demo tenants first, with all they hold"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        path: Path = options["json"] or settings.DATA_DIR / "demo.json"
        saved = self._read(path)
        if options["reset"]:
            for brand in loading.BRANDS:
                self._drop(brand)
        with schema_context(registry.PUBLIC):
            password = access.password_for(user=access.OPERATOR, known=access.known_password(saved))
            access.ensure_user(email=access.OPERATOR, password=password, first_name="Operator", is_admin=True)
        today = options["today"] or timezone.now().date()
        tenants = [self._tenant(brand, saved, password, today, options["scale"]) for brand in loading.BRANDS]
        public_url = registry.base_url_of(settings.PUBLIC_DOMAIN)
        content = {
            "public_url": public_url,
            "mailbox_url": f"{public_url}/mailbox/",
            "shop_url": f"{public_url}/shop/",
            "operator": {"user": access.OPERATOR, "password": password.plain},
            "tenants": tenants,
        }
        if content != saved:
            self._write(path, content)
        self.stdout.write(f"Demo ready after {time.monotonic() - started:.1f} s; sign-ins and keys: {path}")

    def _tenant(
        self, brand: Brand, saved: dict[str, Any], password: access.Password, today: date, scale: float
    ) -> dict[str, Any]:
        """The tenant with users, key and data; returns its part of the JSON."""
        if not Tenant.objects.filter(schema_name=brand.slug).exists():
            self.stdout.write(f"{brand.name}: creating the tenant …")
            create_tenant(schema_name=brand.slug, name=brand.name)
        with schema_context(brand.slug):
            users = self._users(brand, password)
            key = access.ensure_api_key(known=access.known_api_key(saved, brand.slug), now=timezone.now())
            if loading.is_configured():
                self.stdout.write(f"{brand.name}: is there.")
            else:
                self._load(brand, today, scale)
            open_shop(origin=registry.base_url_of(settings.PUBLIC_DOMAIN))
            url = registry.current_base_url()
        return {"slug": brand.slug, "name": brand.name, "url": url, "api_key": key, "users": users}

    def _load(self, brand: Brand, today: date, scale: float) -> None:
        started = time.monotonic()
        self.stdout.write(f"{brand.name}: telling twelve months of history …")
        counts = loading.load(brand=brand, today=today, scale=scale)
        told = ("contacts_contact", "touchpoints_event", "surveys_invitation", "responses_response")
        words = ", ".join(f"{counts[table]} {table.partition('_')[2]}s" for table in told)
        self.stdout.write(f"{brand.name}: {words} in {time.monotonic() - started:.1f} s.")

    def _users(self, brand: Brand, password: access.Password) -> list[dict[str, str]]:
        people = (("admin", "Alex", True), ("cx", "Chris", False))
        users = []
        for role, first_name, is_admin in people:
            email = f"{role}@{brand.domain}"
            access.ensure_user(email=email, password=password, first_name=first_name, is_admin=is_admin)
            users.append({"user": email, "password": password.plain, "role": role})
        return users

    def _drop(self, brand: Brand) -> None:
        """Delete the tenant if it is the demo's: a real customer may have the same name."""
        tenant = Tenant.objects.filter(schema_name=brand.slug).first()
        if tenant is None:
            return
        with schema_context(brand.slug):
            is_demo = get_user_model().objects.filter(username=f"admin@{brand.domain}").exists()
            if not is_demo and (loading.is_configured() or Contact.objects.exists()):
                raise CommandError(f"The tenant “{brand.slug}” was not made by load_demo; it stays as it is.")
        self.stdout.write(f"{brand.name}: deleting …")
        with schema_context(registry.PUBLIC), transaction.atomic():
            AgendaItem.objects.filter(schema_name=brand.slug).delete()
            tenant.delete()
            with connection.cursor() as cursor:
                cursor.execute(f'DROP SCHEMA IF EXISTS "{brand.slug}" CASCADE')

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except ValueError:
            self.stderr.write(f"{path} is not readable as JSON; writing it anew.")
            return {}
        return content if isinstance(content, dict) else {}

    def _write(self, path: Path, content: dict[str, Any]) -> None:
        """Whole or not at all, and for this user's eyes only."""
        draft = path.with_name(f"{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2, ensure_ascii=False)
                file.write("\n")
            draft.replace(path)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
