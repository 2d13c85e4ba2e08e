"""The product as a test: recorded papers, a worker and a beat as processes, real SMTP, two days by the shifted clock."""

import os
import re
from collections import Counter
from contextlib import ExitStack
from urllib.request import Request, urlopen

import pytest

from digest.demo.processes import Processes, free_port, port_is_free, start_stack
from tests.e2e.stack import Inbox, Shell, element, empty_database, replay, wait_until

THURSDAY, FRIDAY = "2026-03-19", "2026-03-20"
PAPERS = {
    THURSDAY: [
        element(1, "Robot manipulation with tactile sensing", THURSDAY, 40),
        element(2, "Automatic speech recognition for whispers", THURSDAY, 30),
        element(3, "Medical image segmentation of lungs", THURSDAY, 20),
    ],
    FRIDAY: [
        element(4, "A humanoid robot that folds laundry", FRIDAY, 50),
        element(5, "Text-to-speech without training", FRIDAY, 45),
        element(6, "Medical image synthesis for rare findings", FRIDAY, 35),
        element(7, "Robot navigation in crowds", FRIDAY, 25),
        # Featured again on the second day: nobody may get it twice.
        element(1, "Robot manipulation with tactile sensing", FRIDAY, 90),
    ],
}
# name: (topics, zone, local hour). Each hour has come at 06:05 UTC.
READERS = {
    "tokyo": (["robotics"], "Asia/Tokyo", "15:00"),
    "berlin": (["speech-and-audio"], "Europe/Berlin", "06:30"),
    "everywhere": (["robotics", "speech-and-audio"], "UTC", "05:45"),
    "newyork": (["medical-ai"], "America/New_York", "01:30"),
}
MIGRATE = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
SEED = f"""
from datetime import datetime, time, UTC
from subscriptions.models import Subscriber, Interest, Topic
from django.core.management import call_command
import io
call_command("load_topics", stdout=io.StringIO())
midnight = datetime(2026, 3, 19, tzinfo=UTC)
for name, (topics, zone, hour) in {READERS!r}.items():
    reader = Subscriber(email=name + "@example.org", state="active", zone=zone, hour=time.fromisoformat(hour),
                        created_at=midnight, confirmed_at=midnight, only_my_topics=True)
    reader.reschedule(midnight)
    reader.save()
    for topic in Topic.objects.filter(slug__in=topics):
        Interest.objects.create(subscriber=reader, topic=topic)
"""
STATES = """
from digest.models import Digest
out = sorted(Digest.objects.filter(day="{day}").values_list("subscriber__email", "state", "reason"))
"""
CLOCK = """
from datetime import datetime, UTC
from subscriptions import clock
clock.shift_to(datetime.fromisoformat("{instant}").replace(tzinfo=UTC))
"""
HIDE = """
from digest.models import EditionPaper
out = EditionPaper.objects.filter(paper__arxiv_id="2603.00007").update(hidden=True, hidden_reason="off topic")
"""


def titles(mail):
    body = mail.get_body(("plain",)).get_content()
    flat = " ".join(body.split())
    return {e["title"] for day in PAPERS.values() for e in day if e["title"] in flat}


@pytest.mark.slow
@pytest.mark.both_databases  # the demo's path
@pytest.mark.xdist_group("stack")
@pytest.mark.skipif(
    port_is_free(int(os.environ["REDIS_URL"].rpartition(":")[2].partition("/")[0])),
    reason="two days end to end: needs Redis",
)
def test_two_days_bring_each_reader_the_right_mails_once(tmp_path, monkeypatch):
    inbox, web = Inbox(), free_port()
    inbox.start()
    with (
        empty_database(tmp_path) as database,
        replay(PAPERS) as source,
        ExitStack() as stack,
    ):
        settings = {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DEBUG": "true",
            "DATABASE_URL": database,
            "REDIS_URL": os.environ["REDIS_URL"].rpartition("/")[0] + "/7",
            "MAIL_URL": f"smtp://127.0.0.1:{inbox.port}",
            "SITE_URL": f"http://127.0.0.1:{web}",
            "SOURCES": "huggingface",
            "HUGGINGFACE_URL": source,
            "TICK_SECONDS": "0.5",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)

        def states(day):
            return {
                email.partition("@")[0]: (state, reason) for email, state, reason in shell.run(STATES.format(day=day))
            }

        shell = stack.enter_context(Shell(database))
        processes = stack.enter_context(Processes(tmp_path / "log"))
        shell.run(MIGRATE)
        shell.run(SEED)
        shell.run(CLOCK.format(instant=f"{THURSDAY}T06:05"))
        start_stack(processes, web_port=web, worker=True, beat_file=tmp_path / "beat")
        try:
            wait_until(lambda: len(inbox.mails) == 4, "four mails on Thursday")
            wait_until(lambda: set(states(THURSDAY).values()) == {("accepted", "")}, "Thursday's digests accepted")
            thursday = {to[0].partition("@")[0]: mail for to, mail in inbox.mails}
            assert {name: titles(mail) for name, mail in thursday.items()} == {
                "tokyo": {PAPERS[THURSDAY][0]["title"]},
                "berlin": {PAPERS[THURSDAY][1]["title"]},
                "everywhere": {PAPERS[THURSDAY][0]["title"], PAPERS[THURSDAY][1]["title"]},
                "newyork": {PAPERS[THURSDAY][2]["title"]},
            }

            inbox.stop()  # Friday is planned while the mail server is away ...
            shell.run(CLOCK.format(instant=f"{FRIDAY}T06:05"))
            wait_until(lambda: len(states(FRIDAY)) == 4, "four digests planned on Friday")
            link = thursday["berlin"]["List-Unsubscribe"].strip(" <>")
            with urlopen(
                Request(link, data=b"List-Unsubscribe=One-Click", method="POST")
            ) as answer:  # ... one leaves ...
                assert answer.status == 200
            assert shell.run(HIDE) == 1  # ... and a paper is hidden ...
            inbox.start()  # ... before anything is sent.
            wait_until(
                lambda: all(state in {"accepted", "cancelled"} for state, _ in states(FRIDAY).values()),
                "Friday's digests ended",
            )
        except AssertionError as error:
            logs = "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in (tmp_path / "log").glob("*.log"))
            raise AssertionError(f"{error}\n{logs}") from None
        final = states(FRIDAY)
    inbox.stop()
    friday = {to[0].partition("@")[0]: mail for to, mail in inbox.mails[4:]}
    assert final["berlin"] == ("cancelled", "unsubscribed")
    assert {name: titles(mail) for name, mail in friday.items()} == {
        "tokyo": {PAPERS[FRIDAY][0]["title"]},
        "everywhere": {PAPERS[FRIDAY][0]["title"], PAPERS[FRIDAY][1]["title"]},
        "newyork": {PAPERS[FRIDAY][2]["title"]},
    }
    assert len(inbox.mails) == 7
    assert all(len(to) == 1 for to, _ in inbox.mails)
    assert max(Counter(mail["Message-ID"] for _, mail in inbox.mails).values()) == 1
    logs = "".join(log.read_text() for log in (tmp_path / "log").glob("*.log"))
    assert not re.search(r"\w+@example\.org", logs), "no address in any log"
