"""What is logged holds no address and no token, and one event is one line."""

import logging
import re
from datetime import UTC, datetime
from smtplib import SMTPRecipientsRefused, SMTPSenderRefused
from string import ascii_letters, digits
from urllib.parse import quote

import pytest
from django.utils.log import AdminEmailHandler
from hypothesis import assume, given
from hypothesis import strategies as st

from config.logs import Line, scrub
from subscriptions.addresses import clean
from subscriptions.tokens import Purpose, make
from tests.linear import growth

ADDRESS = "ana.exemplar+papers@example.org"
locals_ = st.text(ascii_letters + digits + ".!#$%&'*+-/=?^_`{|}~", min_size=1, max_size=64)
domains = st.from_regex(r"[a-z0-9]{1,20}(\.[a-z0-9-]{1,20}){0,3}\.(org|de|xn--p1ai)", fullmatch=True)


def line_of(message, *args, error=None, level=logging.ERROR):
    info = (type(error), error, error.__traceback__) if error else None
    return Line().format(logging.LogRecord("some.logger", level, "file.py", 1, message, args, info))


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    "text",
    [
        ADDRESS,
        f"<{ADDRESS}>",
        f"to={ADDRESS},",
        f"{{'email': '{ADDRESS}'}}",
        f'"Ana" <{ADDRESS}>; more',
        f"mailto:{ADDRESS}",
        f"/subscribe/?email={quote(ADDRESS)}&made=1",
        f"/subscribe/?email={quote(ADDRESS, safe='')}",
        f"/login/?next={quote(quote(ADDRESS, safe=''), safe='')}",
        ADDRESS.upper(),
        f"DETAIL:  Key (email)=({ADDRESS}) already exists.",
        f"[{ADDRESS}]",
    ],
)
def test_an_address_is_taken_out_however_it_is_wrapped(text):
    line = line_of(text)
    assert "<address>" in line
    assert "example.org" not in line.lower()
    assert "exemplar" not in line.lower()


@given(locals_, domains, st.sampled_from(["%s", "<%s>", "a %s b", "to=%s,", "'%s'", "(%s)", "%s: refused"]))
def test_no_address_that_can_sign_up_is_ever_logged(local, domain, around):
    try:
        address = clean(f"{local}@{domain}")
    except ValueError:
        assume(False)
    for shown in (address, quote(address), quote(address, safe="")):
        line = line_of(around.replace("%s", shown))
        assert shown not in line
        assert domain not in line


def test_the_address_in_a_refusal_of_the_mail_server_is_taken_out_of_its_traceback():
    refused = raised(SMTPRecipientsRefused({ADDRESS: (550, f"5.1.1 <{ADDRESS}> unknown".encode())}))
    for error in (refused, raised(SMTPSenderRefused(553, b"no", ADDRESS)), raised(ValueError(f"{ADDRESS}\nand more"))):
        line = line_of("the mail did not leave", error=error)
        assert "Traceback" in line
        assert type(error).__name__ in line
        assert "exemplar" not in line


def test_the_chain_of_errors_is_scrubbed_too():
    try:
        try:
            raise KeyError(ADDRESS)
        except KeyError as inner:
            raise RuntimeError(f"no {ADDRESS}") from inner
    except RuntimeError as error:
        line = line_of("x", error=error)
    assert line.count("<address>") >= 2
    assert "exemplar" not in line


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_is_taken_out_of_every_path(purpose):
    token = make(purpose, 17, datetime(2026, 3, 20, tzinfo=UTC), ["k" * 32])
    for path in (
        f"/u/{token}/",
        f"/u/{token}",
        f"/r/{token}/mute/3/?done=1",
        f"https://papers.example.org/c/{token}/not-me/",
        f"/login/?next={quote(f'/r/{token}/', safe='')}",
        f"/u/{token}.",
        f"/u/{token}=",
        f"/u/_{token}_",
        f"/u/{token}x/",  # glued to what stood behind it in a mail
        f"/u/x{token}",
    ):
        line = line_of("Not Found: %s", path)
        assert token not in line
        assert "<token>" in line


def test_what_is_not_a_secret_stays():
    kept = "reader 17, digest-3, 2026-03-20T07:00:00Z, 30 of 50, subscriptions.tasks.handle_signup"
    assert kept in line_of(kept)
    assert "3f2504e0-4f89-41d3-9a0c-0305e82c3301" in line_of("Task x[3f2504e0-4f89-41d3-9a0c-0305e82c3301] received")


@given(st.text(max_size=60), st.text(max_size=20))
def test_one_event_is_one_line_whatever_is_in_it(message, argument):
    line = line_of(message.replace("%", "%%") + " %s", argument)
    assert len(line.splitlines()) == 1
    assert line.isprintable() or not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)
    assert re.fullmatch(r'time=\S+Z level=error logger=some\.logger message="(?:[^"\\]|\\.)*"', line), line


FORGED = 'time=2026-03-20T07:00:00.000Z level=info logger=root message="all is well"'


@pytest.mark.parametrize(
    "newline", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
)
def test_nobody_can_write_a_line_of_the_log(newline):
    message = line_of("Not Found: %s", f"/x{newline}{FORGED}")
    traceback = line_of("failed", error=raised(ValueError(f"bad{newline}{FORGED}")))
    for line in (message, traceback):
        assert not any(one.startswith("time=") for one in line.splitlines()[1:])
    assert len(message.splitlines()) == 1


def test_terminal_escapes_do_not_reach_the_terminal():
    line = line_of("%s", "\x1b[2J\x1b]0;owned\x07", error=raised(ValueError("\x1b[2J")))
    assert "\x1b" not in line
    assert "\x07" not in line


UNITS = [
    *(
        "a",
        "a@",
        "@",
        "a%40",
        "%40",
        "A1",
        "a.",
        "<a",
        "%",
        "%25",
        "\n",
        "a" * 33 + "/",
        "%2F",
        "/u/",
        "://a",
        "a_",
        "ABc",
    ),
    *("aB3dE/", "=40a.b", '"a', 'a"@', "password=", "x-y-z-", "api_", "&#", "%2525"),
]


@pytest.mark.parametrize("unit", UNITS)
def test_a_long_line_costs_linear_time(unit):
    short, long = (unit * (size // len(unit)) for size in (12_500, 100_000))
    assert growth(scrub, short, long, most=24) <= 24, "linear is 8, quadratic 64"


def test_no_handler_mails_what_somebody_posted_to_the_operators():
    loggers = [logging.getLogger(name) for name in ("", *logging.root.manager.loggerDict)]
    assert not [handler for logger in loggers for handler in logger.handlers if isinstance(handler, AdminEmailHandler)]
