"""What every test may use: a fixed instant, a small cast, and the report of what was not exercised."""

import json
import os
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from digest import profiles, readings
from digest.models import Digest, Edition, EditionPaper, Paper
from digest.sources.base import PaperRecord
from subscriptions.consent import Origin
from subscriptions.forms import stamp
from subscriptions.models import Interest, Subscriber, Suppression, Topic
from tests.dialect import touches
from tests.profiles import load_profile

NOW = datetime(2026, 3, 20, 7, 0, tzinfo=UTC)  # a Friday
TODAY = NOW.date()
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"

load_profile(os.environ)  # before a test file asks for a share of it


@pytest.fixture(autouse=True)
def own_cache(settings):
    """Each test its own caches, and no static manifest: nobody collected one."""
    # Rows are rolled back, and their numbers come again.
    profiles.loaded.cache_clear()
    readings._reading.cache_clear()
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": os.urandom(4).hex(),
        }
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.SECURE_SSL_REDIRECT = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; no password is real
    settings.CELERY_TASK_ALWAYS_EAGER = False


@pytest.fixture
def nudges(monkeypatch):
    """The tasks that were nudged, by name; none is queued."""
    seen = []
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda self, args=(), **_: seen.append((self.name, *args)))
    return seen


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def robotics(db):
    return Topic.objects.create(
        slug="robotics", name="Robotics", description="Robots.", categories=["cs.RO"], terms=["robot"]
    )


@pytest.fixture
def speech(db):
    return Topic.objects.create(
        slug="speech",
        name="Speech",
        description="Speech.",
        categories=["eess.AS"],
        terms=["speech recognition"],
    )


def make_reader(name="reader", *topics, state="active", zone="UTC", hour=time(6, 30), due=None, **fields):
    """A reader, confirmed and due half an hour before NOW unless said otherwise."""
    active = state == "active"
    reader = Subscriber.objects.create(
        email=f"{name}@example.org",
        state=state,
        zone=zone,
        hour=hour,
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        confirmed_at=datetime(2026, 3, 1, tzinfo=UTC) if active else None,
        next_due_at=(due or datetime(2026, 3, 20, 6, 30, tzinfo=UTC)) if active else None,
        **fields,
    )
    Interest.objects.bulk_create(Interest(subscriber=reader, topic=topic) for topic in topics)
    return reader


@pytest.fixture
def confirmed(db):
    return make_reader("confirmed")


@pytest.fixture
def unconfirmed(db):
    return make_reader("unconfirmed", state="pending")


@pytest.fixture
def suppressed(db):
    reader = make_reader("suppressed")
    Suppression.objects.create(email_hash=reader.email_hash, reason="complaint", created_at=NOW)
    return reader


def filled(email, **more):
    """What a browser sends of a form that asks for an address."""
    return {"email": email, "made": stamp(), "leave_empty": "", **more}


def origin(where="test"):
    """Where a change came from, when a test makes it."""
    return Origin(where)


def make_paper(number, title="", *, day=TODAY, **fields):
    """A paper featured on ``day``."""
    arxiv_id = f"2603.{number:05}"
    values = {
        "title": title or f"A robot study, part {number}",
        "authors": ["Ana Exemplar", "Bo Sample"],
        "abstract": "We study something. It works.",
        "categories": ["cs.RO"],
        "featured_on": day,
        "first_seen_at": NOW,
        "upvotes": number,
    }
    return Paper.objects.create(key=f"arxiv:{arxiv_id}", arxiv_id=arxiv_id, **{**values, **fields})


def make_record(number, **fields):
    """What a source says of a paper; from arxiv_rss unless said otherwise."""
    arxiv_id = f"2603.{number:05}"
    values = {"source": "arxiv_rss", "title": f"A study of matter number {number}", "authors": ("Ana Exemplar",)}
    return PaperRecord(source_key=arxiv_id, arxiv_id=arxiv_id, **{**values, **fields})


def make_edition(papers, day=TODAY, state="approved", **fields):
    """An edition of these papers in this order."""
    edition = Edition.objects.create(
        day=day,
        state=state,
        drafted_at=NOW,
        counted_at=NOW,
        approved_at=NOW if state != "draft" else None,
        **fields,
    )
    EditionPaper.objects.bulk_create(
        EditionPaper(edition=edition, paper=paper, position=place, score=100.0 - place)
        for place, paper in enumerate(papers, start=1)
    )
    return edition


def make_digest(reader, papers, state="planned", day: date = TODAY, **fields):
    """A digest of these papers."""
    values = {"due_at": NOW, "planned_at": NOW, "content_from": date(2026, 3, 19), "content_to": day}
    picks = [{"paper": p.pk, "place": place, "why": []} for place, p in enumerate(papers, start=1)]
    return Digest.objects.create(subscriber=reader, day=day, state=state, picks=picks, **{**values, **fields})


@pytest.fixture
def digest(db):
    """Planned, of one paper, for one reader."""
    paper = make_paper(1)
    make_edition([paper])
    return make_digest(make_reader(), [paper])


# What makes a test know a database.
DATABASE = {"db", "transactional_db", "django_db_setup", "live_server", "admin_user", "client", "admin_client"}


def pytest_collection_modifyitems(config, items):
    """On the second database only what can differ there: everything has just passed on the first (tests/dialect.py)."""
    if os.environ.get("TEST_ONLY_DIALECT"):
        chosen = {item for item in items if _can_differ(item)}
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = [item for item in items if item in chosen]


def _can_differ(item) -> bool:
    if item.get_closest_marker("both_databases"):
        return True
    if item.get_closest_marker("one_database") or not touches(item.path):
        return False
    # "slow" ones start processes that know a database.
    marked = any(map(item.get_closest_marker, ("django_db", "slow")))
    return bool(marked or DATABASE & set(item.fixturenames))


_reasons: dict[str, None] = {}


def pytest_runtest_logreport(report):
    """Keep why tests were skipped."""
    if report.skipped and isinstance(report.longrepr, tuple):
        _reasons[report.longrepr[2].removeprefix("Skipped: ")] = None


def pytest_sessionfinish(session):
    """Leave the report for ``python -m tests``; under xdist the controller sees every worker's reports."""
    if hasattr(session.config, "workerinput") or not os.environ.get("TEST_REPORT"):
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    counts = {name: len(reporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
    Path(os.environ["TEST_REPORT"]).write_text(json.dumps({"skipped_because": list(_reasons), "counts": counts}))
