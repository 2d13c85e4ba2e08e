"""Guessing passwords of the admin: who is counted as one, what locks, and what a locked-out editor reads."""

from datetime import timedelta
from ipaddress import IPv6Address, ip_address

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import networks
from subscriptions.models import Budget
from tests.conftest import NOW
from tests.sizes import size
from tests.subscriptions.doors import address_of_network, everything, take_clock

pytestmark = [pytest.mark.django_db, pytest.mark.long]
LOGIN = "/admin/login/"
RIGHT = "a right and long password"


@pytest.fixture
def clock(monkeypatch):
    return take_clock(monkeypatch, NOW)


@pytest.fixture
def editor(db):
    return User.objects.create_superuser("editor", password=RIGHT)


def sign_in(ip="192.0.2.1", name="editor", password="wrong", **headers):
    return Client().post(LOGIN, {"username": name, "password": password}, REMOTE_ADDR=ip, **headers)


def answers(number, ip="192.0.2.1".format, name=lambda _: "editor", **headers):
    """How many tries were looked at before the first that was refused; all after it are."""
    codes = [sign_in(ip(n), name(n), **headers).status_code for n in range(number)]
    looked_at = codes.index(429) if 429 in codes else number
    assert set(codes[:looked_at]) <= {200}
    assert set(codes[looked_at:]) <= {429}
    return looked_at


one_64 = "2001:db8:1:2::{:x}".format
one_48 = "2001:db8:1:{:x}::1".format


@pytest.mark.parametrize(
    ("ip", "name", "looked_at"),
    [
        ("192.0.2.1".format, "editor".format, 10),
        (one_64, "editor".format, 10),
        (one_64, "name{}".format, 20),
        ("192.0.2.1".format, "name{}".format, 20),
        ("192.0.2.{}".format, "name{}".format, 60),
        (one_48, "name{}".format, 60),
        (address_of_network, "editor".format, 30),
        (address_of_network, lambda number: ("editor", "Editor", "EDITOR")[number % 3], 30),
        (lambda n: ("192.0.2.1", "::ffff:192.0.2.1", "::FFFF:C000:201")[n % 3], "editor".format, 10),
        ("".format, "editor".format, 10),
        ("unix:".format, "editor".format, 10),
    ],
    ids=[
        *("one address", "one /64, one name", "one /64, many names", "one address, many names", "one /24", "one /48"),
        *("one name from everywhere", "one name in any case", "IPv4 in IPv6", "no address", "a socket"),
    ],
)
def test_who_guesses_is_locked_out_whatever_is_changed_between_tries(clock, editor, ip, name, looked_at):
    assert answers(looked_at + size(5, 60), ip, name) == looked_at


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_what_a_library_is_told_is_one_address_a_network(seen, one, other):
    high = int(seen) >> 64 << 64
    told = [networks.client_network_address(request_of(str(IPv6Address(high + low)))) for low in (one, other)]
    if high:  # below 2^64 are the IPv4 addresses in the dress of IPv6
        assert told[0] == told[1]
    assert all(ip_address(address) for address in told)


def request_of(remote):
    return type("Request", (), {"META": {"REMOTE_ADDR": remote}})()


@pytest.mark.parametrize(
    "forwarded",
    [
        "198.51.100.{}, 203.0.113.9",
        "{}, 203.0.113.9:52100",
        "2001:db8::{}, ::ffff:203.0.113.9",
        "x, [::ffff:203.0.113.9]:4{}",
    ],
)
def test_a_header_that_anybody_can_write_buys_no_second_budget(clock, editor, settings, forwarded):
    settings.PROXY_HOPS = 1
    codes = [sign_in("10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded.format(n)).status_code for n in range(15)]
    assert codes == [200] * 10 + [429] * 5
    assert sign_in("10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.10").status_code == 200, "another client"


def test_others_sign_in_meanwhile_and_so_does_the_same_editor_from_elsewhere(clock, editor):
    User.objects.create_superuser("other", password=RIGHT)
    assert answers(15) == 10
    assert sign_in(name="other", password=RIGHT).status_code == 302
    assert sign_in("198.51.100.7", password=RIGHT).status_code == 302


def test_the_right_password_does_not_open_a_lock_and_an_hour_does_however_often_it_was_tried(clock, editor):
    assert answers(15) == 10
    for _ in range(11):
        clock.push(minutes=5)
        assert sign_in(password=RIGHT).status_code == 429
    clock.push(minutes=6)
    assert sign_in(password=RIGHT).status_code == 302


def test_who_signs_in_is_not_counted(clock, editor):
    for _ in range(size(15, 40)):
        assert sign_in(password=RIGHT).status_code == 302
    assert answers(15) == 10


def test_who_is_locked_out_reads_what_to_do(clock, editor):
    answers(12)
    answer = sign_in()
    text = answer.content.decode()
    assert answer["Content-Type"].startswith("text/html")
    assert int(answer["Retry-After"]) == 3600
    for said in ("Wait an hour", "axes_reset_username", "axes_reset_ip", "changepassword", 'href="/admin/login/"'):
        assert said in text
    assert "editor" not in text
    as_script = sign_in(HTTP_X_REQUESTED_WITH="XMLHttpRequest")
    assert (as_script.status_code, as_script.headers.get("Access-Control-Allow-Origin")) == (429, None)
    assert Client().get(LOGIN).status_code == 200


@pytest.mark.parametrize(
    ("tries", "ip", "name", "command"),
    [
        (10, "192.0.2.1".format, "editor".format, ["axes_reset_username", "editor"]),
        (30, address_of_network, "editor".format, ["axes_reset_username", "Editor"]),
        (20, one_64, "name{}".format, ["axes_reset_ip", "2001:db8:1:2::99"]),
        (60, one_48, "name{}".format, ["axes_reset_ip", "2001:db8:1:0::1"]),
        (10, "192.0.2.1".format, "editor".format, ["axes_reset_ip_username", "192.0.2.1", "editor"]),
        (10, "192.0.2.1".format, "editor".format, ["axes_reset"]),
    ],
)
def test_an_operator_opens_a_lock_by_command(clock, editor, tries, ip, name, command, capsys):
    answers(tries + 1, ip, name)
    assert sign_in(ip(0), name(0)).status_code == 429
    call_command(*command)
    assert sign_in(ip(0), name(0)).status_code == 200
    assert "No attempts" not in capsys.readouterr().out


def test_a_reset_of_another_name_opens_nothing_else_than_pairs(clock, editor):
    answers(31, address_of_network)
    call_command("axes_reset_username", "somebody.else")
    assert sign_in("198.51.100.7").status_code == 429


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"username": "e" * 300}, "at most 150 characters"),
        ({"username": "ﬁ" * 300}, "at most 150 characters"),
        ({"username": "e" * 100_000}, "at most 150 characters"),
        ({"password": "p" * 5_000}, "at most 4096 characters"),
        ({"username": "edi\x00tor"}, "Null characters are not allowed"),
        ({"password": "wr\x00ong"}, "Null characters are not allowed"),
        ({"username": ""}, "This field is required"),
    ],
)
def test_what_nobody_would_type_is_an_error_of_the_form(clock, editor, fields, said):
    answer = Client().post(LOGIN, {"username": "editor", "password": "wrong", **fields})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Budget.objects.exists(), "no password was looked at"


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "latin-1", "unicode_escape", "raw_unicode_escape", "nonsense"])
@pytest.mark.parametrize("field", ["username", "password", "next", "csrfmiddlewaretoken"])
def test_half_a_surrogate_pair_is_no_fault_of_ours_in_any_field_and_charset(clock, editor, charset, field):
    halves = {"utf-7": b"+2AA-", "utf-16": b"\x00\xd8"}.get(charset, b"\\ud800")
    fields = {"username": b"editor", "password": b"wrong", field: halves}
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), v) for n, v in fields.items()
    )
    for path in (LOGIN, "/subscribe/", "/link/"):
        answer = Client().generic(
            "POST", path, body + b"--x--\r\n", content_type=f"multipart/form-data; boundary=x; charset={charset}"
        )
        assert answer.status_code in {200, 302, 422}, path
        assert answer.content.decode()


texts = st.text(max_size=400)


@given(texts, texts, texts, st.text(st.characters(max_codepoint=255), max_size=300))
def test_no_text_breaks_signing_in_and_none_is_kept_in_the_clear(clock, editor, name, password, onwards, agent):
    answer = Client().post(
        LOGIN + "?next=%ED%A0%80",
        {"username": name, "password": password, "next": onwards},
        HTTP_USER_AGENT=agent.replace("\n", "").replace("\r", ""),
        HTTP_ACCEPT="*/*\x00",
    )
    assert answer.status_code in {200, 429}
    assert not any(model.objects.exists() for model in (AccessAttempt, AccessFailureLog, AccessLog))
    Budget.objects.all().delete()


def test_neither_names_nor_addresses_of_tries_are_kept_in_the_clear(clock, editor, caplog):
    sign_in("203.0.113.77", "some.name@example.org", password="secret-guess")
    sign_in("203.0.113.77", password=RIGHT)
    kept = str({table: rows for table, rows in everything().items() if table != "auth_user"})
    for text in ("203.0.113.77", "some.name", "secret-guess"):
        assert text not in kept
        assert text not in caplog.text


def test_counts_of_tries_are_swept_with_the_others(clock, editor):
    answers(3)
    assert Budget.objects.filter(kind__startswith="sign-in").count() == 4
    call_command("axes_reset")
    assert not Budget.objects.exists()
    assert timedelta(hours=1) < timedelta(days=31)
