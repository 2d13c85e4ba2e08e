from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from digest import delivery
from digest.management.stage import StageCommand
from digest.models import Digest
from subscriptions import clock


class Command(StageCommand):
    help = "Send the planned digests, in chunks, until none is left. Any number of these may run at once."
    takes_day = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where the mail server cannot be reached; nothing is lost then."""
        ticking = clock.running_from(self.now(options))
        total: Counter[str] = Counter()
        waiting = Digest.objects.filter(state=Digest.State.PLANNED).count()
        with self.bar("Sending", waiting) as progress:
            task = progress.task_ids[0]
            try:
                while ended := delivery.send_digests(
                    ticking,
                    "command",
                    settings.SEND_CHUNK,
                    progress=lambda number: progress.advance(task, number),
                ):
                    total += ended
            except delivery.TransportDown as error:
                raise CommandError(
                    f"The mail server cannot be reached ({error}). {waiting} digests stay planned. "
                    "Check MAIL_URL; the next run goes on."
                ) from error
        self.stdout.write(
            ", ".join(f"{n} {state}" for state, n in sorted(total.items())) + "." if total else "Nothing to send."
        )
