"""A real worker with a mail server that hangs: SIGTERM ends it soon, and every digest is accounted for."""

import os
import signal
import subprocess
import sys
import time

import pytest

from digest.demo.processes import port_is_free
from tests.e2e.stack import ROOT, run_code, scratch_database, wait_until
from tests.fakes.hostile import Hostile, hang

READERS, THREADS, WITHIN = 12, 4, 10.0
SEED = f"""
from datetime import timedelta
from django.utils import timezone
from digest.models import Digest, Edition, Paper
from digest.tasks import send_digests
from subscriptions.models import Subscriber
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
    with Hostile({".": hang}) as server, scratch_database(tmp_path) as database, log.open("wb") as errors:
        own = {
            "REDIS_URL": redis,
            "MAIL_URL": f"smtp://127.0.0.1:{server.port}",
            "MAIL_TIMEOUT": "60",
            "SEND_THREADS": str(THREADS),
        }
        run_code(database, SEED, **own)
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "--app", "config.celery", "worker", "--pool", "threads"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": database, **own},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            wait_until(lambda: sum(b"\r\n.\r\n" in chunk for chunk in server.heard) >= THREADS, "mails on the wire")
            begun = time.monotonic()
            worker.send_signal(signal.SIGTERM)
            worker.wait(timeout=60)
            took = time.monotonic() - begun
        finally:
            worker.kill()
        states = run_code(database, STATES, **own)
    assert took < WITHIN, log.read_text()
    assert states == {"uncertain": THREADS, "planned": READERS - THREADS}
