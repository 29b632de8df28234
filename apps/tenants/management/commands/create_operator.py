from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from apps.tenants import people, registry


class Command(BaseCommand):
    """Makes a person who runs the platform."""

    help = "Create an operator, who signs in to the admin of the public host."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--password", help="default: a random one, printed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sign_in = people.create_administrator(
                schema_name=registry.PUBLIC, email=options["email"], password=options["password"]
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{settings.PUBLIC_SCHEME}://{settings.PUBLIC_HOST}/admin/")
        self.stdout.write(f"Sign in as {sign_in.email} with {sign_in.password}")
