"""A real worker with a mail server that never answers: SIGTERM ends it, and every digest is accounted for.

That it takes less than ten seconds is the worker's own deadline; nothing else can end it here, for the mail server's
answer is waited for longer than the test.
"""

import os
import signal
import subprocess
import sys

import pytest

from digest.delivery import conductor, crew
from digest.demo.processes import port_is_free
from tests.e2e.stack import KILL_SWITCH, ROOT, Shell, empty_database, wait_until
from tests.fakes.hostile import Hostile, hang

READERS, THREADS = 12, 4
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")
SEED = f"""
from datetime import timedelta
from django.core.management import call_command
from django.utils import timezone
from digest.models import Digest, Edition, Paper
from digest.tasks import send_digests
from subscriptions.models import Subscriber
call_command("migrate", verbosity=0)
now = timezone.now()
paper = Paper.objects.create(key="arxiv:2603.00001", arxiv_id="2603.00001", title="A robot study", authors=["Ana Exemplar"],
                             abstract="It works.", first_seen_at=now)
edition = Edition.objects.create(day=now.date(), state="approved", drafted_at=now, counted_at=now, approved_at=now)
edition.entries.create(paper=paper, position=1)
for n in range({READERS}):
    reader = Subscriber.objects.create(email=f"r{{n}}@example.org", state="active", created_at=now, confirmed_at=now)
    Digest.objects.create(subscriber=reader, day=now.date(), due_at=now, planned_at=now, picks=[dict(paper=paper.pk, why=[])],
                          content_from=now.date() - timedelta(days=1), content_to=now.date())
send_digests.delay()
"""
STATES = """
from collections import Counter
from digest.models import Digest
out = Counter(Digest.objects.values_list("state", flat=True))
"""


@pytest.mark.slow
@pytest.mark.one_database
@pytest.mark.xdist_group("stack")
@pytest.mark.skipif(
    port_is_free(int(os.environ["REDIS_URL"].rpartition(":")[2].partition("/")[0])),
    reason="a worker that is stopped: needs Redis",
)
def test_sigterm_ends_a_worker_within_ten_seconds_though_its_mail_server_hangs(tmp_path):
    redis = os.environ["REDIS_URL"].rpartition("/")[0] + "/5"
    log = tmp_path / "log"
    own = {
        "REDIS_URL": redis,
        "MAIL_TIMEOUT": "300",
        "SEND_LEASE_SECONDS": "3600",
        "SEND_THREADS": str(THREADS),
    }
    assert conductor.EXCHANGES * int(own["MAIL_TIMEOUT"]) > KILL_SWITCH, "an answer is waited for longer than the test"
    assert conductor.STOP_WITHIN + crew.ABANDON_AFTER < 10
    with Hostile({".": hang}) as server, empty_database(tmp_path) as database, log.open("wb") as errors:
        own["MAIL_URL"] = f"smtp://127.0.0.1:{server.port}"
        with Shell(database, **own) as shell:
            shell.run(SEED)
            worker = subprocess.Popen(
                [sys.executable, "-m", "celery", "--app", "config.celery", "worker", "--pool", "threads", *QUIET],
                cwd=ROOT,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database, **own},
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
            try:
                wait_until(lambda: sum(b"\r\n.\r\n" in chunk for chunk in server.heard) >= THREADS, "mails on the wire")
                worker.send_signal(signal.SIGTERM)
                worker.wait(timeout=KILL_SWITCH)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                raise AssertionError(f"{error}\n{log.read_text()}") from None
            finally:
                worker.kill()
                worker.wait()
            states = shell.run(STATES)
    assert states == {"uncertain": THREADS, "planned": READERS - THREADS}
