import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from subscriptions.models import Topic

SHIPPED = Path(__file__).resolve().parent.parent.parent / "topics.json"


class Command(BaseCommand):
    help = (
        "Load the topics that come with Daily Papers. Topics that are there already keep what editors made of them; "
        "--overwrite sets them back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--overwrite."""
        parser.add_argument("--overwrite", action="store_true", help="set edited topics back to what is shipped")

    def handle(self, *args: Any, **options: Any) -> None:
        """Add the missing ones."""
        shipped = [
            Topic(position=10 * place, **fields)
            for place, fields in enumerate(json.loads(SHIPPED.read_text()), start=1)
        ]
        before = Topic.objects.count()
        if options["overwrite"]:
            fields = ["name", "description", "categories", "terms", "position"]
            Topic.objects.bulk_create(shipped, update_conflicts=True, unique_fields=["slug"], update_fields=fields)
        else:
            Topic.objects.bulk_create(shipped, ignore_conflicts=True)
        self.stdout.write(f"{Topic.objects.count()} topics, {Topic.objects.count() - before} of them new.")
