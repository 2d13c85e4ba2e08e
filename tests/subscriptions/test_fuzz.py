"""Every address of the site, with every kind of token and body: never a 5xx, and nothing changes by looking."""

import re
import string
import sys
from contextlib import contextmanager
from datetime import timedelta
from traceback import format_exception

import pytest
from django.conf import settings as configured
from django.core import signals
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, get_resolver
from hypothesis import example, given
from hypothesis import strategies as st

from subscriptions import addresses, letters, lifecycle, links, tokens
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.tokens import ALPHABET, Purpose
from tests.conftest import NOW, filled, make_edition, make_paper, make_reader, origin
from tests.linear import growth
from tests.profiles import fewer
from tests.subscriptions.doors import everything, take_clock

pytestmark = [pytest.mark.django_db, pytest.mark.long]
UNKNOWN_KEY, RETIRED_KEY = (
    "a key that nobody here ever had, of some length",
    "a key that was retired, of some length too",
)
READING, WRITING = ("GET", "HEAD", "OPTIONS"), ("POST", "PUT", "DELETE", "PATCH")


def routes(patterns=None, before=""):
    """Every path of the project as [(text or converter), ...], the admin's own pages left out."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        elif not route.startswith("admin/"):
            yield from routes(pattern.url_patterns, route)


ROUTES = sorted(set(routes()))


@pytest.fixture
def world(monkeypatch, nudges, robotics, settings):
    """A reader, a paper, an edition, a request of each kind, and one reader who was erased; the clock stands."""
    take_clock(monkeypatch, NOW)
    settings.RETIRED_LINK_KEYS = [RETIRED_KEY]
    reader, erased = make_reader("reader", robotics), make_reader("erased")
    paper = make_paper(1)
    make_edition([paper])
    for kind in SignupRequest.Kind:
        request = letters.ask(kind, f"{kind.split()[0]}@example.org", NOW, subscriber=reader)
        SignupRequest.objects.filter(pk=request.pk).update(handled_at=NOW)
    own = letters.ask(SignupRequest.Kind.LINK, reader.email, NOW, subscriber=reader)
    lifecycle.ask_erase(erased, NOW, origin())
    return {
        "reader": reader.pk,
        "erased": erased.pk,
        "own": own.pk,
        "topic": robotics.pk,
        "paper": paper.pk,
    }


texts = st.one_of(
    st.text(min_size=1, max_size=50),
    st.text("\x00\n\r/%.\\\u202e\U0001f600", min_size=1, max_size=40),
    st.sampled_from(["more", "less"]),
    st.sampled_from(["a" * 33, "0" * 33, "z" * 33, "a" * 5000, "..", "%00", "٣" * 33, "\ud7ff" * 33, "Ⅷ" * 33]),
)
purposes = st.sampled_from(Purpose)
ages = st.sampled_from(
    [
        timedelta(0),
        timedelta(minutes=16),
        timedelta(hours=73),
        timedelta(days=31),
        timedelta(days=3650),
        timedelta(days=-9),
    ]
)


@st.composite
def token_recipes(draw):
    """How to make a token, without the numbers of the rows, which each run has of its own."""
    kind = draw(st.sampled_from(["genuine"] * 4 + ["cut", "flipped", "unknown key", "retired key", "text"]))
    return {
        "kind": kind,
        "purpose": draw(purposes),
        "row": draw(st.sampled_from(["reader", "reader", "own", "own", "erased", 0, 1, 2, 3, 2**40 - 1])),
        "age": draw(ages),
        "place": draw(st.integers(0, 32)),
        "character": draw(st.sampled_from(ALPHABET)),
        "text": draw(texts),
    }


def cooked(recipe, world):
    if recipe["kind"] == "text":
        return recipe["text"]
    row = world.get(recipe["row"], recipe["row"])
    key = {"unknown key": UNKNOWN_KEY, "retired key": RETIRED_KEY}.get(recipe["kind"], configured.LINK_KEYS[0])
    made_at = max(NOW - recipe["age"], tokens.EPOCH)
    token = tokens.make(recipe["purpose"], row, made_at, [key])
    place = recipe["place"]
    if recipe["kind"] == "cut":
        return token[:place] or "x"
    if recipe["kind"] == "flipped":
        return token[:place] + recipe["character"] + token[place + 1 :]
    return token


def url_of(route, token, number, text):
    values = {"token": token, "topic": number, "pk": number, "paper": number}

    def value(found):
        return str(values.get(found[2], text))

    path = re.sub(r"<(?:(\w+):)?(\w+)>", value, route)
    return "/" + "".join(
        character
        if character in string.ascii_letters + string.digits + "/-_."
        else "".join(f"%{b:02X}" for b in character.encode())
        for character in path
    )


numbers = st.sampled_from(["topic", "paper", 0, 1, 2**31, 2**63, 2**64, 10**30, "9" * 5000, -1, "٣", "1.5"])
MULTIPART = "multipart/form-data; boundary=x"
FORM = "application/x-www-form-urlencoded"
BODIES = [
    (b"", FORM),
    (b"button=1&undo=1&resume=1&reason=other&length=1", FORM),
    (b"email=ana%00@example.org&made=%00&leave_empty=", FORM),
    (b"hour=%00&zone=%00&days=%00&topics=%00&phrases=a%00b&paper_limit=%00&cadence=daily&until=%00&length=until", FORM),
    (b"hour=99:99&zone=../../etc/passwd&days=9&topics=99999999999999999999&cadence=weekly&weekly_day=77", FORM),
    (b"length=until&until=9999-12-31", FORM),
    (b"length=until&until=0001-01-01", FORM),
    (b"x=" + b"%ff" * 1000, FORM),
    (b"&".join(b"f%d=1" % n for n in range(1500)), FORM),
    (b"a=1", FORM + "; charset=latin-1"),
    (b"a=1", FORM + "; charset=utf-7"),
    (b"a=1", FORM + "; charset=nonsense"),
    (b"--x\r\nContent-Disposition: form-data; name=\"button\"\r\n\r\n1\r\n--x--\r\n", MULTIPART),
    (b"--x\r\nbroken", MULTIPART),
    (b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\x00../a\"\r\n\r\n1\r\n--x--\r\n", MULTIPART),
    (b"--x\r\nContent-Disposition: form-data; name=\"f\"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--\r\n", MULTIPART),
    (b"x", "multipart/form-data"),
    (b"x", "multipart/form-data; boundary=\xff".encode("latin-1").decode("latin-1")),
    (b"x", "multipart/form-data; boundary=" + "y" * 500),
    (b'{"email": "ana@example.org"}', "application/json"),
    (b"\xff\xfe\x00", "application/octet-stream"),
    (b"a=1", "/;;;"),
    (b"a=1", ""),
]  # fmt: skip
BIG = [(b"x=" + b"y" * 10_000_000, FORM), (b"--x\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n" + b"y" * 10_000_000 + b"\r\n--x--\r\n", MULTIPART)]  # fmt: skip


@contextmanager
def errors_seen():
    """What views raised: Django answers 500 and tells this signal."""
    seen = []

    def note(sender, request=None, **_):

        seen.append("".join(format_exception(*sys.exc_info())))

    signals.got_request_exception.connect(note)
    try:
        yield seen
    finally:
        signals.got_request_exception.disconnect(note)


def ask(method, url, body=b"", content_type=FORM, strict=False, **extra):
    """One request of a client without cookies; the answer must be no fault of ours."""
    client = Client(raise_request_exception=False, enforce_csrf_checks=strict)
    with errors_seen() as errors:
        answer = client.generic(method, url, body, content_type=content_type, **extra)
    # readyz says 503 where there is no broker: that is its work.
    assert answer.status_code < 500 or url.startswith("/readyz"), f"{method} {url} {content_type}\n{''.join(errors)}"
    return answer


@contextmanager
def undone():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def test_the_walk_knows_every_address_of_the_readers(world):
    assert {
        "subscribe/",
        "c/<str:token>/",
        "u/<str:token>/",
        "f/<str:token>/erase/",
        "say/<str:token>/<int:paper>/<str:verb>/",
        "r/<str:token>/",
        "papers/<int:pk>/",
    } <= set(ROUTES)
    assert len(ROUTES) >= 25


@given(st.sampled_from(ROUTES), token_recipes(), numbers, texts, st.sampled_from(READING))
def test_looking_never_fails_and_never_changes_anything(world, route, recipe, number, text, method):
    url = url_of(route, cooked(recipe, world), world.get(number, number), text)
    before = everything()
    ask(method, url + "?" + "confirmed=1&done=%00&saved=\u202e&asked=x&undone=1")
    assert everything() == before


@given(
    st.sampled_from(ROUTES),
    token_recipes(),
    numbers,
    texts,
    st.sampled_from(WRITING),
    st.sampled_from(BODIES),
    st.booleans(),
)
def test_no_post_fails_whatever_is_in_it(world, route, recipe, number, text, method, body, strict):
    url = url_of(route, cooked(recipe, world), world.get(number, number), text)
    with undone():
        answer = ask(method, url, *body, strict=strict)
        if method != "POST":
            assert answer.status_code in {301, 404, 405, 403, 400, 410}


@pytest.mark.parametrize("route", ROUTES)
def test_every_address_with_a_genuine_token_takes_every_method_and_body(world, route):
    purpose = {
        "c": Purpose.CONFIRM,
        "r": Purpose.MANAGE,
        "f": Purpose.FRESH,
        "m": Purpose.MOVE,
        "u": Purpose.UNSUBSCRIBE,
        "left": Purpose.LEFT,
    }
    feedback = "<str:verb>" in route
    kind = Purpose.FEEDBACK if feedback else purpose.get(route.partition("/")[0], Purpose.MANAGE)
    row = world["own"] if kind in {Purpose.CONFIRM, Purpose.FRESH, Purpose.MOVE} else world["reader"]
    token = tokens.make(kind, row, NOW, configured.LINK_KEYS)
    url = url_of(route, token, world["paper" if feedback else "topic"], "more" if feedback else "2026-03-20")
    before = everything()
    for method in READING:
        ask(method, url)
    assert everything() == before
    for number, body in enumerate(BODIES):
        with undone():
            ask("POST", url, *body, strict=bool(number % 2))
    for method in WRITING[1:]:
        ask(method, url)
    assert everything() == before


@pytest.mark.parametrize("body", BIG, ids=["form", "multipart"])
def test_a_body_of_ten_megabytes_is_refused_by_every_form(world, body):
    for url in (
        "/subscribe/",
        "/link/",
        f"/r/{links.manage_token(Subscriber.objects.get(pk=world['reader']), NOW)}/preferences/",
    ):
        for strict in (False, True):
            assert ask("POST", url, *body, strict=strict).status_code in {400, 403, 413}


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "papers.example.org:99999",
        "papers.example.org\x00",
        "[::1",
        "a b",
        "x" * 5000,
        "papers.example.org@evil.example",
        "ПРИМЕР.рф",
    ],
)
@pytest.mark.parametrize("url", ["/", "/subscribe/", "/healthz", "/nothing/"])
def test_odd_hosts_get_400_and_no_link_of_ours_follows_them(world, host, url):
    answer = ask("GET", url, HTTP_HOST=host)
    assert answer.status_code in {200, 400, 404}
    assert b"evil.example" not in answer.content


# --- one click ---------------------------------------------------------------------------------------------------------

ONE_CLICK = [
    (b"List-Unsubscribe=One-Click", FORM),
    (b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n', MULTIPART),
]
# With "button" in it, it is our own page's.
STRANGE = [body for body in BODIES if b"button" not in body[0]]


@pytest.mark.parametrize("body", [*ONE_CLICK, *STRANGE, *BIG], ids=lambda body: f"{body[1][:60]} {len(body[0])}")
def test_one_click_is_200_for_a_genuine_token_whatever_comes_with_it(world, body):
    reader = Subscriber.objects.get(pk=world["reader"])
    for strict, extra in (
        (True, {}),
        (False, {"HTTP_ORIGIN": "null"}),
        (True, {"HTTP_REFERER": "https://evil.example/"}),
    ):
        Subscriber.objects.filter(pk=reader.pk).update(state="active")
        answer = ask("POST", links.unsubscribe_path(reader, NOW), *body, strict=strict, **extra)
        assert (answer.status_code, dict(answer.cookies), answer.headers.get("Location")) == (200, {}, None)
        assert Subscriber.objects.get(pk=reader.pk).state == "unsubscribed"


def test_one_click_is_200_for_who_was_erased_and_404_for_who_never_was_given_a_token(world):
    genuine = tokens.make(Purpose.UNSUBSCRIBE, world["erased"], NOW, configured.LINK_KEYS)
    assert ask("POST", f"/u/{genuine}/", *ONE_CLICK[0]).status_code == 200
    before = everything()
    for forged in (
        tokens.make(Purpose.UNSUBSCRIBE, world["reader"], NOW, [UNKNOWN_KEY]),
        genuine[:-1],
        genuine + "0",
        tokens.make(Purpose.MANAGE, world["reader"], NOW, configured.LINK_KEYS),
    ):
        for body in ONE_CLICK:
            assert ask("POST", f"/u/{forged}/", *body, strict=True).status_code == 404
    assert everything() == before


@fewer(2)
@given(st.lists(st.sampled_from(["rotate", "retire", "mail"]), min_size=1, max_size=7), st.booleans())
@example(["rotate", "retire", "rotate", "retire"], False)
def test_unsubscribe_links_outlive_every_rotation_of_keys_and_all_others_die_with_a_retired_one(
    world, steps, one_click
):
    reader = Subscriber.objects.get(pk=world["reader"])
    keys, mailed = list(configured.LINK_KEYS[:1]), []
    retired: list[str] = []
    with pytest.MonkeyPatch.context() as patch:

        def take():
            patch.setattr(configured, "LINK_KEYS", list(keys))
            patch.setattr(configured, "RETIRED_LINK_KEYS", list(retired))
            mailed.append((keys[0], {purpose: tokens.make(purpose, reader.pk, NOW, keys) for purpose in Purpose}))

        take()
        for number, step in enumerate(steps):
            if step == "rotate":
                keys.insert(0, f"key number {number} of more than thirty-two characters")
            elif step == "retire" and len(keys) > 1:
                retired.insert(0, keys.pop())
            take()
        for key, links_ in mailed:
            for purpose, token in links_.items():
                lives = key in keys or purpose is Purpose.UNSUBSCRIBE
                assert (links.read(purpose, token, NOW) is not None) == lives
            with undone():
                body = ONE_CLICK[0] if one_click else (b"button=1", FORM)
                answer = ask("POST", f"/u/{links_[Purpose.UNSUBSCRIBE]}/", *body)
                assert answer.status_code == (200 if one_click else 303)
                assert Subscriber.objects.get(pk=reader.pk).state == "unsubscribed"
            page = ask("GET", f"/r/{links_[Purpose.MANAGE]}/preferences/")
            assert page.status_code == (200 if key in keys else 404)


# --- addresses ---------------------------------------------------------------------------------------------------------


@given(st.one_of(st.text(max_size=80), st.emails(), st.from_regex(r"[\w.+\"' -]{1,80}@[\w.-]{1,200}", fullmatch=True)))
def test_what_is_kept_as_an_address_can_be_mailed_and_is_kept_the_same_again(text):
    kept, refused = "", ""
    try:
        kept = addresses.clean(text)
    except ValueError as error:
        refused = str(error)
    if not kept:
        assert refused in {addresses.HOW_TO_WRITE, addresses.NOT_ASCII}
        return
    assert kept.isascii()
    assert kept.isprintable()
    assert kept == kept.lower().strip()
    assert len(kept) <= addresses.ADDRESS_LENGTH
    assert not set(kept) & set(' \r\n\t,;:<>"()[]\\')
    assert kept.count("@") == 1
    assert addresses.clean(kept) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ana@пример.рф", "ana@xn--e1afmkfd.xn--p1ai"),
        ("ana@EXAMPLE。org", "ana@example.org"),
        ("Ana.B+Tag@Example.ORG", "ana.b+tag@example.org"),
        ("a'b=c/d@example.org", "a'b=c/d@example.org"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_odd_addresses_that_exist_can_sign_up(world, typed, kept):
    assert Client().post("/subscribe/", filled(typed)).status_code == 303
    assert SignupRequest.objects.latest("pk").email == kept


@pytest.mark.parametrize(
    "typed",
    [
        '"ana b"@example.org', "ana@example.org.", ".ana@example.org", "a..b@example.org", "ana.@example.org", "ana@[192.0.2.1]",
        "ana@localhost", "ana@@example.org", "ana@example..org", "ana@-example.org", "ana\u202e@example.org", "ana\u200b@example.org",
        "ana\x7f@example.org", "ana@exam\x00ple.org", "ana\r\nBcc: bo@example.org", "ana@example.org,bo@example.org", "Ana <ana@example.org>",
        "a" * 65 + "@example.org", "ana@" + "b" * 64 + ".org", "ana@" + "b." * 125 + "org", "a" * 300, "a" * 2_000_000 + "@example.org",
    ],
    ids=lambda typed: ascii(typed[:40]),
)  # fmt: skip
def test_what_cannot_be_mailed_is_refused_with_how_to_write_it(world, typed):
    count = SignupRequest.objects.count()
    answer = Client().post("/subscribe/", filled(typed))
    assert answer.status_code == 422
    assert addresses.HOW_TO_WRITE in answer.content.decode()
    assert SignupRequest.objects.count() == count


@pytest.mark.parametrize("typed", ["ána@example.org", "用户@example.org", "ana＠example.org"])
def test_letters_that_our_mail_cannot_carry_are_refused_with_the_reason(world, typed):
    answer = Client().post("/subscribe/", filled(typed))
    assert answer.status_code == 422
    assert ("cannot carry" in answer.content.decode()) == ("＠" not in typed)


@pytest.mark.parametrize(
    "make", [lambda size: "a" * size + "@example.org", lambda size: '"' * size, lambda size: "a@" + "b." * (size // 2)]
)
def test_a_longer_address_costs_no_more_work_once_it_is_too_long(make):
    def refuse(text):
        with pytest.raises(ValueError, match="correct format"):
            addresses.clean(text)

    assert growth(refuse, make(2_000), make(2_000_000), most=4) <= 4, "the same is 1, linear 1000"
