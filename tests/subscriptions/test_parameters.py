"""What stands in an address and is no page's parameter is neither kept nor copied; what is computed is limited."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import override_settings
from django.urls import URLPattern, get_resolver, reverse
from hypothesis import given
from hypothesis import strategies as st

from digest import archive, feedback
from digest.views.mail import CONTROLS
from subscriptions import letters, links
from subscriptions.models import SignupRequest
from tests.conftest import NOW, make_edition, make_paper, make_reader
from tests.sizes import size
from tests.subscriptions.doors import take_clock

pytestmark = [pytest.mark.django_db, pytest.mark.long]
ARCHIVE = "/days/2026-03-20/mail/"
MARK = "zzunknownzz"
# Of every form: masked anew for each answer, and the time of it.
CHANGING = re.compile(r'name="(?:csrfmiddlewaretoken|made)" value="[^"]*"|value="[^"]*" name="made"')
unknown_names = st.text(min_size=1, max_size=12).map(lambda text: f"{MARK}{text}")
unknown_values = st.text(max_size=40).map(lambda text: f"{MARK}{text}")


def public_patterns(patterns=None):
    """Every pattern outside the admin and the webhooks."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        elif pattern.app_name not in {"admin", "anymail"}:
            yield from public_patterns(pattern.url_patterns)


@pytest.fixture
def world(robotics, monkeypatch, settings, tmp_path):
    """One address for every public pattern, by its name."""
    take_clock(monkeypatch, NOW)
    settings.DEBUG, settings.EMAIL_FILE_PATH = True, tmp_path
    (tmp_path / "a.eml").write_bytes(b"Subject: Hi\nMIME-Version: 1.0\nContent-Type: text/html\n\n<p>Hello</p>")
    reader = make_reader("reader", robotics)
    papers = [make_paper(n) for n in range(1, 6)]
    make_edition(papers)
    feedback.say(reader.pk, papers[0], "save", NOW)
    feedback.say(reader.pk, papers[1], "more", NOW)
    asked = {
        kind: letters.ask(kind, address, NOW, subscriber=reader)
        for kind, address in (
            (SignupRequest.Kind.LINK, reader.email),
            (SignupRequest.Kind.MOVE, "new@example.org"),
            (SignupRequest.Kind.SIGN_UP, reader.email),
        )
    }
    tokens = {
        "r/": links.manage_token(reader, NOW),
        "c/": links.confirm_path(asked[SignupRequest.Kind.SIGN_UP], NOW).split("/")[2],
        "f/": links.fresh_path(asked[SignupRequest.Kind.LINK], NOW).split("/")[2],
        "m/": links.move_path(asked[SignupRequest.Kind.MOVE], NOW).split("/")[2],
        "u/": links.unsubscribe_path(reader, NOW).split("/")[2],
        "left/": links.left_path(reader, NOW).split("/")[2],
        "say/": links.feedback_token(reader, NOW),
    }
    found = {}
    for pattern in public_patterns():
        route = str(pattern.pattern)
        token = next((token for start, token in tokens.items() if route.startswith(start)), "")
        values = {"token": token, "day": NOW.date(), "pk": papers[0].pk, "paper": papers[0].pk}
        values |= {"topic": robotics.pk, "verb": "more", "name": "a.eml"}
        wanted = {name: values[name] for name in pattern.pattern.converters}
        found[pattern.name] = reverse(pattern.name, kwargs=wanted)
    assert len(found) == len(list(public_patterns()))
    return found


def seen(answer):
    """All of an answer that is not new each time."""
    varying = {"Set-Cookie", "Content-Length", "Vary", "Expires"}
    headers = {name: value for name, value in answer.items() if name not in varying}
    headers["Content-Security-Policy"] = sorted(answer.get("Content-Security-Policy", "").split("; "))
    return answer.status_code, CHANGING.sub("", answer.content.decode()), headers


def cached():
    return set(cache._cache)


@pytest.fixture
def no_limits(settings):
    settings.PREVIEWS_PER_NETWORK = settings.OWN_PAGES_PER_NETWORK = ((timedelta(hours=1), 10**9),)


def test_every_public_page_is_the_same_with_parameters_that_it_does_not_know(client, world, no_limits):
    rest = {
        pattern.name: sorted(
            {name for other in public_patterns() for name in getattr(other.callback, "parameters", ())}
            - set(getattr(pattern.callback, "parameters", ()))
        )
        for pattern in public_patterns()
    }

    plain = {name: seen(client.get(path)) for name, path in world.items()}
    assert sum(status == 200 for status, *_ in plain.values()) > 25
    before = cached()

    @given(
        pairs=st.lists(st.tuples(unknown_names, unknown_values), min_size=1, max_size=4),
        name=st.sampled_from(sorted(world)),
    )
    def walk(pairs, name):
        query = urlencode([*pairs, *((other, f"{MARK}1") for other in rest[name])], errors="replace")
        answer = client.get(f"{world[name]}?{query}")
        assert seen(answer) == plain[name], name
        assert MARK not in answer.content.decode()
        assert MARK not in answer.get("Location", "")
        assert cached() == before

    walk()
    for name in world:
        walk.hypothesis.inner_test([(f"{MARK}a", f"{MARK}b")], name)


def test_what_is_known_stays_beside_what_is_not(client, world, no_limits):
    plain = seen(client.get(ARCHIVE, {"part": "text"}))
    assert seen(client.get(f"{ARCHIVE}?{MARK}=1&part=text&x={MARK}&%70art{MARK}=2")) == plain
    assert seen(client.get(f"{ARCHIVE}?x=1&%70art=text&y")) == plain
    assert client.get("/preview/", {"topic": "robotics", MARK: MARK}).status_code == 200


@pytest.mark.parametrize("name", sorted(CONTROLS))
@pytest.mark.parametrize("value", [MARK, f'"><b>{MARK}', "text\0", "HTML", "x" * 3000])
def test_a_value_that_a_control_does_not_know_is_neither_kept_nor_copied(client, world, no_limits, name, value):
    for path in (ARCHIVE, f"{ARCHIVE}html/", "/mailbox/a.eml/"):
        client.get(path)
        before = cached()
        page = client.get(path, {name: value})
        assert MARK not in page.content.decode()
        assert "x" * 3000 not in page.content.decode()
        assert cached() == before


@pytest.mark.parametrize("path", ["/subscribe", "/days/2026-03-20/mail", "/r/abc", "/nowhere", "/preview"])
@pytest.mark.parametrize("secure", [False, True])
def test_redirects_copy_no_unknown_parameter(client, db, path, secure):
    with override_settings(SECURE_SSL_REDIRECT=True):
        answer = client.get(f"{path}?{MARK}={MARK}&part=text&topic=robotics", secure=secure, follow=False)
    assert MARK not in answer.get("Location", "")
    if path == "/preview":
        assert answer["Location"].endswith("topic=robotics")
    if path.endswith("/mail"):
        assert answer["Location"].endswith("part=text")


def test_forms_and_redirects_after_a_post_copy_no_unknown_parameter(client, world, nudges, no_limits):
    for path in world.values():
        answer = client.post(f"{path}?{MARK}={MARK}", {MARK: MARK, "button": "1"})
        assert MARK not in answer.content.decode(), path
        assert MARK not in answer.get("Location", ""), path


def test_the_previews_of_the_admin_copy_the_forms_own_parameters_only(admin_client, world):
    edition = archive.Edition.objects.get()
    path = reverse("admin:digest_edition_mail", args=[edition.pk])
    page = admin_client.get(path, {"papers": "5", "scheme": "dark", MARK: MARK}).content.decode()
    assert MARK not in page
    assert "papers=5&amp;scheme=dark" in page


# --- What is computed is remembered and counted ---------------------------------------------------


@pytest.fixture
def computed(monkeypatch):
    """What was computed for the archive."""
    done = []
    lint, render = archive.linted, archive.preview.archived

    def noting(what, compute):
        def noted(*args):
            done.append(what)
            return compute(*args)

        return noted

    monkeypatch.setattr(archive, "linted", noting("linted", lint))
    monkeypatch.setattr(archive.preview, "archived", noting("rendered", render))
    return done


def test_the_mail_of_a_day_is_rendered_and_linted_once_however_often_it_is_asked_for(client, world, computed):
    for number in range(size(4, 50)):
        for part in ("html", "text", "headers", "checks"):
            assert client.get(f"{ARCHIVE}?part={part}&{number}={number}").status_code == 200
        assert client.get(f"{ARCHIVE}html/?scheme=dark&n={number}").status_code == 200
    assert sorted(computed) == ["linted", "rendered"]


def test_another_list_is_another_mail_at_once(client, world):
    assert "part 5" in client.get(f"{ARCHIVE}html/").content.decode()
    archive.Edition.objects.get().entries.filter(paper__upvotes=5).update(hidden=True)
    assert "part 5" not in client.get(f"{ARCHIVE}html/").content.decode()


@pytest.mark.parametrize("path", [ARCHIVE, f"{ARCHIVE}html/", f"{ARCHIVE}?part=checks"])
def test_over_its_budget_a_network_is_told_to_wait_and_no_cache_keeps_that(client, world, settings, path):
    settings.PREVIEWS_PER_NETWORK = ((timedelta(hours=1), 0),)
    answer = client.get(path)
    assert answer.status_code == 429
    assert "no-store" in answer["Cache-Control"]
    assert "public" not in answer["Cache-Control"]
    assert answer["Retry-After"]
    settings.PREVIEWS_PER_NETWORK = ((timedelta(hours=1), 9),)
    assert "public" in client.get(path)["Cache-Control"]


@pytest.mark.parametrize("name", ["learned", "saved-bib", "saved-ris", "saved-json", "export", "send-now"])
def test_pages_of_a_readers_own_that_are_computed_are_limited(client, world, settings, nudges, name):
    settings.OWN_PAGES_PER_NETWORK = ((timedelta(hours=1), 2),)
    ask = client.post if name in {"export", "send-now"} else client.get
    statuses = [ask(world[name]).status_code for _ in range(4)]
    assert statuses[2:] == [429, 429]
    assert 429 not in statuses[:2]
    assert ask(world[name], REMOTE_ADDR="192.0.2.77").status_code != 429, "another network's budget is its own"


def test_leaving_is_never_limited(client, world, settings):
    settings.OWN_PAGES_PER_NETWORK = settings.PREVIEWS_PER_NETWORK = ((timedelta(hours=1), 0),)
    assert client.get(world["unsubscribe"]).status_code == 200
    assert client.post(world["unsubscribe"], {"List-Unsubscribe": "One-Click"}).status_code == 200


def test_without_the_cache_pages_are_shown_all_the_same(client, world, settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert client.get(ARCHIVE, {"part": "checks"}).status_code == 200
    assert client.get(world["learned"]).status_code == 200
