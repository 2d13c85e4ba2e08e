import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.table import Table

from digest import explaining
from digest.management.stage import StageCommand
from digest.models import Digest


class Command(StageCommand):
    help = (
        "Why each paper is in a digest, and why the next ten are not: the interests that find it, how relevant they "
        "find it, the place in the day's trend, and what left a paper out. The number of a digest stands in the admin "
        "(Digests)."
    )
    takes_day = False

    def add_arguments(self, parser: CommandParser) -> None:
        """The digest; --others, --json."""
        super().add_arguments(parser)
        parser.add_argument("digest", type=int, metavar="DIGEST", help="the digest's number")
        parser.add_argument(
            "--others", type=int, default=explaining.OTHERS, metavar="N", help="how many of the next ones (default: 10)"
        )
        parser.add_argument("--json", action="store_true", help="all figures, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where there is nothing to explain, with the reason."""
        digest = Digest.objects.select_related("subscriber").filter(pk=options["digest"]).first()
        if digest is None:
            newest = Digest.objects.order_by("-pk").values_list("pk", flat=True).first()
            raise CommandError(
                f"There is no digest {options['digest']}. " + (f"The newest is {newest}." if newest else "")
            )
        try:
            told = explaining.explain(digest, self.now(options), options["others"])
        except ValueError as reason:
            raise CommandError(f"Digest {digest.pk} cannot be explained. {reason}") from reason
        if options["json"]:
            lines = {"picks": [asdict(line) for line in told.picks], "others": [asdict(line) for line in told.others]}
            self.stdout.write(json.dumps({"digest": digest.pk, **lines, "notes": told.notes}, ensure_ascii=False))
            return
        self.stdout.write(
            f"Digest {digest.pk} of reader {digest.subscriber_id}, {digest.day}: {digest.state}"
            f"{f' ({digest.reason})' if digest.reason else ''}, editions {digest.content_from} to {digest.content_to}."
        )
        self.console.print(_table("In it", told.picks), _table("Not in it: the next ones", told.others))
        for note in told.notes:
            self.stdout.write(note)


def _table(title: str, lines: tuple[explaining.Line, ...]) -> Table:
    table = Table("place", "trend", "paper", "found by", "why", title=title, show_lines=True)
    for line in lines:
        found = "\n".join(
            f"{one.interest}: {one.evidence}; relevance {one.relevance:.2f} x trend = {one.worth:.2f}, no. {one.rank}"
            for one in line.reasons
        )
        table.add_row(str(line.place), f"{line.trend:.2f}", f"{line.title} ({line.paper})", found, line.verdict)
    return table
