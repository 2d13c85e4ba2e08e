import json
import os
import secrets
import shutil
import signal
import sys
import time
from datetime import UTC, date, datetime
from io import StringIO
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from digest import report
from digest.demo import readers, watch
from digest.demo.processes import Processes, free_port, port_is_free, start_stack, start_valkey
from digest.management.stage import iso_day
from digest.sources import SOURCES, sample
from subscriptions import clock

VAR = settings.BASE_DIR / "var"
MORNING = (6, 5)  # UTC, five minutes after editions approve themselves
STALLED_AFTER = 45.0  # seconds without any change
MARK = "DAILY_PAPERS_DEMO"


class Command(BaseCommand):
    help = (
        "The whole product on this machine: SQLite, a Valkey out of a wheel, gunicorn, a Celery worker and beat; "
        "sample papers, thirty made-up readers, mails as files in var/mail/. Ctrl-C ends everything. "
        "Running it again goes on with the same day."
    )
    requires_system_checks: list[str] = []  # its settings are set below, for its children and itself

    def add_arguments(self, parser: CommandParser) -> None:
        """--once for scripts; --day and --source for real papers."""
        parser.add_argument("--once", action="store_true", help="exit when nothing is due any more (0), or stalls (1)")
        parser.add_argument(
            "--no-worker", action="store_true", help="start over with no Celery worker: nothing happens"
        )
        parser.add_argument("--day", type=iso_day, metavar="DAY", help="the demo day (default: the sample's last)")
        parser.add_argument("--source", choices=sorted(SOURCES), default="sample", help="where papers come from")
        parser.add_argument("--port", type=int, default=8000, help="of the web pages, on 127.0.0.1 (default 8000)")
        parser.add_argument("--fresh", action="store_true", help="start the demo day over")

    def handle(self, *args: Any, **options: Any) -> None:
        """First pass: set the environment and start over in it. Second pass: run."""
        if MARK not in os.environ:
            self.enter_demo_environment(options)
        day: date = options["day"] or (sample.days()[-1] if options["source"] == "sample" else datetime.now(UTC).date())
        self.console = Console(highlight=False)
        self.stopped = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)
        state = self.prepare_folder(day, options)
        web_port: int | None = options["port"]
        if web_port and not port_is_free(web_port):
            if not options["once"]:
                raise CommandError(f"Port {web_port} is taken. Choose another: make demo ARGS='--port 8001'")
            self.console.print(f"Port {web_port} is taken: the pages are left out, the day is not.")
            web_port = None
        valkey = start_valkey(int(os.environ[MARK]), VAR / "valkey")
        try:
            password = self.prepare_rows(day, state)
            with Processes(VAR / "log") as processes:
                start_stack(
                    processes,
                    web_port=web_port,
                    worker=not options["no_worker"],
                    beat_file=VAR / "beat-schedule",
                )
                self.run(day, processes, password, web_port, options)
        finally:
            valkey.stop()

    def enter_demo_environment(self, options: dict[str, Any]) -> None:
        """Never returns: the same command again, with settings of its own whatever the shell has set."""
        own = {
            MARK: str(free_port()),
            "DEBUG": "true",
            "DATABASE_URL": f"sqlite:///{VAR / 'demo.sqlite3'}",
            "MAIL_URL": "file:var/mail",
            "SIGNUPS_PER_NETWORK": "100/1h",  # whoever tries things out comes from one address
            "SITE_URL": f"http://127.0.0.1:{options['port']}",
            "POSTAL_ADDRESS": "Daily Papers (demo), 127 Loopback Road, Localhost",
            "FROM_EMAIL": "Daily Papers <papers@example.org>",
            "SOURCES": options["source"],
            "FILL_IN": "true" if os.environ.get("ARXIV_API_URL") else "false",
            "TICK_SECONDS": "1",
            "LOG_LEVEL": "INFO",
        }
        own["REDIS_URL"] = f"redis://127.0.0.1:{own[MARK]}/0"
        # Only this program, with its own arguments, in another environment.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **own})  # noqa: S606

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-C or SIGTERM: leave the loop; the context managers end the children."""
        self.stopped = True

    def prepare_folder(self, day: date, options: dict[str, Any]) -> dict[str, Any]:
        """Another day or source starts over; what the last one left is kept beside it."""
        VAR.mkdir(exist_ok=True)
        mark = VAR / "demo.json"
        state: dict[str, Any] = json.loads(mark.read_text()) if mark.exists() else {}
        asked = {"day": day.isoformat(), "source": options["source"]}
        another = any(state.get(key) != value for key, value in asked.items())
        if state and (another or options["fresh"] or options["no_worker"]):
            kept = VAR / f"demo-{state['source']}-{state['day']}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
            kept.mkdir()
            for name in ("demo.json", "demo.sqlite3", "demo.sqlite3-wal", "demo.sqlite3-shm", "mail"):
                if (VAR / name).exists():
                    shutil.move(VAR / name, kept / name)
            self.console.print(f"Starting over; the earlier demo is kept in {kept.relative_to(settings.BASE_DIR)}/")
            state = {}
        if not state:
            state = {**asked, "password": secrets.token_urlsafe(9)}
            mark.write_text(json.dumps(state))
        return state

    def prepare_rows(self, day: date, state: dict[str, Any]) -> str:
        """Tables, topics, readers, the admin's login, and the clock: set once, ticking on from there."""
        call_command("migrate", verbosity=0)
        call_command("load_topics", stdout=StringIO())
        if not clock.is_shifted():
            clock.shift_to(datetime(day.year, day.month, day.day, *MORNING, tzinfo=UTC))
        number = readers.seed(day)
        users = get_user_model().objects
        if not users.filter(username="admin").exists():
            users.create_superuser("admin", "admin@example.org", state["password"])
        self.console.print(f"{number} readers; the demo's clock shows {clock.now():%A %d %B %Y, %H:%M} UTC.")
        return str(state["password"])

    def run(
        self, day: date, processes: Processes, password: str, web_port: int | None, options: dict[str, Any]
    ) -> None:
        """Watch the day; print the table; stay until Ctrl-C unless --once."""
        done = self.watch(day, processes)
        if self.stopped:
            return
        self.console.print(report.day_table(day, clock.now()))
        files = len(list((VAR / "mail").glob("digest-*.eml")))
        self.console.print(f"mails: {files} .eml files in {VAR.relative_to(settings.BASE_DIR) / 'mail'}/")
        if not done:
            why = (
                "no worker runs (--no-worker)"
                if options["no_worker"]
                else "see var/log/worker.log and var/log/beat.log"
            )
            self.console.print(f"The day did not get done: {why}.")
        if options["once"]:
            if not done:
                sys.exit(1)
            return
        if web_port:
            self.console.print(
                f"\npages    http://127.0.0.1:{web_port}/\nmailbox  http://127.0.0.1:{web_port}/mailbox/\n"
                f"admin    http://127.0.0.1:{web_port}/admin/   admin / {password}\n\nCtrl-C ends everything.",
            )
        while not self.stopped and not processes.dead():
            time.sleep(0.3)
        for name in processes.dead():
            raise CommandError(f"The {name} ended by itself. See var/log/{name}.log")

    def watch(self, day: date, processes: Processes) -> bool:
        """A live line until the day is done (True), or nothing changed for STALLED_AFTER (False)."""
        last, changed = "", time.monotonic()
        with self.console.status("starting") as status:
            while not self.stopped and time.monotonic() - changed < self.patience(processes):
                where = watch.progress(day, clock.now())
                if str(where) != last:
                    last, changed = str(where), time.monotonic()
                    status.update(last)
                    if not self.console.is_terminal:
                        self.console.print(last)
                if where.done:
                    return True
                time.sleep(0.3)
        return False

    @staticmethod
    def patience(processes: Processes) -> float:
        """Seconds to wait for a change; short where there is nobody to bring one."""
        return STALLED_AFTER if "worker" in processes.children else 8.0
