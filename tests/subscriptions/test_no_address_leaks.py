"""A reader's whole life, and then: where does the address stand? In two tables; after erasing nowhere."""

import io
import logging
import re
from base64 import b64decode, b64encode
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend
from django.urls import reverse
from redis import Redis

from config.celery import app
from config.logs import Line
from digest import delivery, planning
from subscriptions.models import ConsentEvent, MailEvent, Subscriber, Suppression
from subscriptions.tasks import handle_signups, read_mail_events, tidy
from tests.conftest import NOW, filled, make_edition, make_paper
from tests.subscriptions.doors import ask_for_link, everything, redis_answers, sign_up, take_clock

pytestmark = pytest.mark.django_db
# Words that nothing else contains.
OLD, NEW = "Quagga.Okapi+papers@example.org", "dodo.numbat@example.net"
WORDS = ("quagga", "okapi", "dodo", "numbat")
HOLD_ADDRESSES = {"subscriptions_subscriber", "subscriptions_signuprequest"}


class Moody(EmailBackend):
    """A mail server that names the recipient in its errors, now and then."""

    errors: list = []

    def send_messages(self, messages):
        if self.errors:
            raise self.errors.pop(0)(messages[0].to[0])
        return super().send_messages(messages)


def lost(address):
    return SMTPServerDisconnected(f"lost at RCPT TO:<{address}>")


def refused(address):
    return SMTPRecipientsRefused({address: (452, f"4.2.2 <{address}> is full".encode())})


def found_in(text):
    """Which of the words a text holds, in any case, in hex or within base64."""
    runs = re.findall(r"[A-Za-z0-9+/_-]{12,}", text)
    opened = [_opened(run[start:]) for run in runs for start in range(4)]
    everywhere = "\n".join([text, *opened]).lower()
    return {word for word in WORDS if word in everywhere or word.encode().hex() in everywhere}


def _opened(run):
    return b64decode(run[: len(run) // 4 * 4], altchars=b"-_" if {"-", "_"} & set(run) else None).decode("latin-1")


def tables_with_an_address():
    return {table for table, rows in everything().items() if found_in("\n".join(rows))}


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line())
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def link_in(message, kind):
    return re.search(rf"https://papers\.example\.org(/{kind}/\w+/)", message.body)[1]


def a_readers_life(client, clock, topic, settings, check):
    settings.EMAIL_BACKEND = f"{__name__}.Moody"
    Moody.errors = [lost, refused]
    # Sign up, through a page that was not found and a typing mistake.
    client.get(f"/subscribe/{OLD}/")
    client.get(f"/u/{OLD}/", {"email": OLD})
    client.post(reverse("subscribe"), filled(f"{OLD} and more"))
    assert sign_up(client, OLD).status_code == 303
    assert ask_for_link(client, OLD.lower()).status_code == 303
    check()
    for _ in range(3):
        handle_signups()
        clock.push(minutes=12)
    assert len(mail.outbox) == 2, "the sign-up's, and later the link's, which is a confirmation before there is one"
    chosen = client.post(link_in(mail.outbox[0], "c"))
    data = {
        "topics": [topic.pk],
        "cadence": "daily",
        "days": list(range(7)),
        "hour": "08:15",
        "zone": "UTC",
        "paper_limit": "5",
    }
    assert client.post(chosen["Location"], data).status_code == 303
    check()
    # A digest, whose reader has a full mailbox first.
    clock.instant = NOW.replace(hour=8, minute=20)
    make_edition([make_paper(1), make_paper(2)])
    assert planning.plan_due(clock.instant)["planned"] == 1
    Moody.errors = [refused]
    delivery.send_digests(clock)
    clock.push(minutes=6)
    assert delivery.send_digests(clock) == {"accepted": 1}
    digest = mail.outbox[-1]
    check()
    # The provider's reports.
    for number, kind in enumerate(["delivered", "deferred", "bounced"]):
        event = AnymailTrackingEvent(
            event_type=kind, recipient=OLD, timestamp=clock.instant, event_id=str(number), metadata=digest.metadata,
            message_id=digest.extra_headers["Message-ID"], mta_response=f"452 4.2.2 <{OLD.lower()}> is full",
            description=f"rcpt to {OLD}", esp_event={"recipient": OLD, "deep": [{"to": f'"Q" <{OLD.upper()}>'}]},
        )  # fmt: skip
        tracking.send(sender=object, event=event, esp_name="Postmark")
    assert MailEvent.objects.count() == 3
    read_mail_events()
    Suppression.objects.all().delete()
    check()
    # Another address.
    clock.push(hours=25)  # a letter that was lost on the way has counted as one
    manage = re.search(r"/r/(\w+)/", digest.body)[1]
    assert client.post(reverse("fresh-link", args=[manage])).status_code == 303
    handle_signups()
    fresh = re.search(r"/f/(\w+)/", mail.outbox[-1].body)[1]
    assert client.post(reverse("change-address", args=[fresh]), filled(NEW)).status_code == 303
    handle_signups()
    assert client.post(link_in(mail.outbox[-1], "m")).status_code == 303
    clock.push(minutes=15)
    handle_signups()
    assert Subscriber.objects.get().email == NEW
    check()
    # Leave, and be forgotten.
    client.post(link_in(digest, "u"), {"List-Unsubscribe": "One-Click"})
    assert client.post(reverse("fresh-link", args=[manage])).status_code == 410, "a link of the former address"
    assert ask_for_link(client, NEW).status_code == 303
    handle_signups()
    tidy()
    check()
    fresh = re.search(r"/f/(\w+)/", mail.outbox[-1].body)[1]
    assert client.post(reverse("export", args=[fresh])).json()["reader"]["email"] == NEW
    erased = client.post(reverse("erase", args=[fresh]))
    assert erased.status_code == 200
    assert not found_in(erased.content.decode())
    tidy()


def test_an_address_stands_in_two_tables_and_after_erasing_nowhere(
    client, nudges, monkeypatch, robotics, settings, log
):
    clock = take_clock(monkeypatch, NOW)

    def check():
        assert tables_with_an_address() - HOLD_ADDRESSES == set()

    a_readers_life(client, clock, robotics, settings, check)
    assert not Subscriber.objects.exists()
    assert tables_with_an_address() == set()
    assert ConsentEvent.objects.exists()
    assert Suppression.objects.filter(reason="erased").exists()
    lines = log.getvalue()
    assert "did not leave" in lines
    assert "Not Found" in lines
    assert not found_in(lines), lines
    assert not found_in(repr(getattr(cache, "_cache", {})))
    assert not found_in(repr(nudges))


def _value(server, key):
    return {
        "string": server.get,
        "list": lambda k: server.lrange(k, 0, -1),
        "hash": server.hgetall,
        "set": server.smembers,
        "zset": lambda k: server.zrange(k, 0, -1),
    }[server.type(key).decode()](key)


@pytest.mark.xdist_group("stack")
@pytest.mark.skipif(not redis_answers(), reason="addresses in cache and broker: needs Redis")
def test_no_address_is_in_the_broker_or_in_the_cache(client, monkeypatch, robotics, settings, log):

    host = settings.REDIS_URL.rpartition("/")[0]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": f"{host}/5"}}
    assert handle_signups.app is app, "without the project's app, tasks go nowhere"
    clock, seen = take_clock(monkeypatch, NOW), []

    def dump():
        texts = []
        for number in range(16):
            server = Redis.from_url(f"{host}/{number}")
            for key in server.scan_iter():
                value = _value(server, key)
                texts.append(f"{key!r} {value!r}")
        return texts

    def check():
        texts = dump()
        seen.extend(texts)
        assert not found_in("\n".join(texts))

    cache.set("anything", 1)
    a_readers_life(client, clock, robotics, settings, check)
    check()
    assert any("handle_signup" in text for text in seen), "the tasks did go through the broker"
    assert any("anything" in text for text in seen)
    assert not found_in(log.getvalue())


def test_the_search_finds_an_address_however_it_is_written(confirmed):
    for text in (
        OLD,
        OLD.lower(),
        "x" + b64encode(OLD.encode()).decode(),
        b64encode(b'["' + OLD.lower().encode()).decode(),
        "=dodo%40",
    ):
        assert found_in(text), text
    assert not found_in("reader 17, confirmed@example.org")
    Subscriber.objects.update(language="okapi")
    assert tables_with_an_address() == {"subscriptions_subscriber"}
