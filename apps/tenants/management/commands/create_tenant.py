from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError

from apps.tenants import people, provisioning


class Command(BaseCommand):
    """Makes a tenant from the shell."""

    help = "Create a tenant (schema, host name and, with --user, its first administrator)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="schema name: a lower-case letter, then letters, digits, underscores")
        parser.add_argument("name", help="the organisation's name")
        parser.add_argument("--host", help="host name (default: SLUG below PUBLIC_HOST)")
        parser.add_argument("--user", help="e-mail address of the first administrator")
        parser.add_argument("--password", help="that person's password (default: a random one, printed)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["user"]:
                people.check_sign_in(email=options["user"], password=options["password"])
            tenant = provisioning.create_tenant(schema_name=options["slug"], name=options["name"], host=options["host"])
            domain = tenant.domains.get()
            port = settings.PUBLIC_HOST.partition(":")[2]
            self.stdout.write(f"{settings.PUBLIC_SCHEME}://{domain.domain}{f':{port}' if port else ''}/")
            if options["user"]:
                sign_in = people.create_administrator(
                    schema_name=tenant.schema_name, email=options["user"], password=options["password"]
                )
                self.stdout.write(f"Sign in as {sign_in.email} with {sign_in.password}")
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except IntegrityError as error:
            raise CommandError("Somebody took this name or host in the same moment.") from error
