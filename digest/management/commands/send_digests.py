import contextlib
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from digest import delivery, fencing, outcomes
from digest.delivery import throttle
from digest.management.stage import StageCommand
from digest.models import Digest
from subscriptions import clock

PATIENCE = 60.0  # seconds that the command waits for the mail server, or for MAIL_RATE


class Command(StageCommand):
    help = "Send the planned digests until none is left. Any number of these may run at once."
    takes_day = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 where the mail server cannot be reached, or the database is another's; nothing is lost then."""
        ticking = clock.running_from(self.now(options))
        self._settle(ticking())
        waiting = Digest.objects.filter(state=Digest.State.PLANNED).count()
        with self.bar("Sending", waiting) as bar:
            task = bar.task_ids[0]
            try:
                total = self._send(ticking, lambda number: bar.advance(task, number))
            except fencing.NotOurs as error:
                raise CommandError(str(error)) from error
            except delivery.TransportDown as error:
                raise CommandError(
                    f"The mail server cannot be reached ({error}). {waiting} digests stay planned. "
                    "Check MAIL_URL; the next run goes on."
                ) from error
        said = ", ".join(f"{number} {state}" for state, number in sorted(total.items()))
        self.stdout.write(f"{said}." if said else "Nothing to send.")
        if left := Digest.objects.filter(state=Digest.State.PLANNED).count():
            self.stdout.write(f"{left} digests wait: {self._why(ticking())}. Run it again then.")
        if doubtful := outcomes.in_doubt(Digest.objects.all()).count():
            self.stdout.write(
                f"{doubtful} digests are uncertain: the answer of the mail server was lost. See the doctor."
            )

    def _settle(self, now: datetime) -> None:
        """As a worker does at each tick: some uncertain ones are to be sent again."""
        with contextlib.suppress(fencing.NotOurs):  # said below
            fencing.check(now)
            outcomes.read_events(now)
            outcomes.resolve_uncertain(now)

    def _send(self, ticking: Callable[[], datetime], progress: Callable[[int], None]) -> Counter[str]:
        total: Counter[str] = Counter()
        while True:
            ended = delivery.send_digests(ticking, "command", chunk=settings.SEND_CHUNK, progress=progress)
            total += ended
            wait = throttle.opens_in(ticking()).total_seconds()
            if not wait or wait > PATIENCE or not Digest.objects.filter(state=Digest.State.PLANNED).exists():
                return total
            time.sleep(wait)

    def _why(self, now: datetime) -> str:
        if wait := throttle.opens_in(now).total_seconds():
            return f"the mail server, or MAIL_RATE, wants {wait:.0f} seconds"
        held = Digest.objects.filter(state=Digest.State.PLANNED, free_at=None).exists()
        return "their edition is held" if held else "each has its second in the minute, or waits to be tried again"
