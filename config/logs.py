"""One line per event, key=value, without addresses, without tokens or pieces of them, and without named secrets."""

import logging
import re
import time
from html import unescape
from http import HTTPStatus
from urllib.parse import unquote

from django.http import UnreadablePostError

TOKEN, ADDRESS, SECRET = "<token>", "<address>", "<secret>"
_CHUNK = re.compile(r"\S+")
_SPACE = re.compile(r"\s")
_WORD = re.compile(r"[^\s<>\"(),;:\[\]]+")
# How an @ is spelt: as it is, full-width, as Python, JSON and quoted-printable write it, percent-encoded however often.
# A word with one in it goes. Message-IDs look the same and go too.
_AT = re.compile(
    r"[@\uff20\ufe6b]|(?<!\\)\\+(?:u(?:0040|ff20|fe6b)|x40)|=40(?=[a-z0-9-]{1,63}\.[a-z]{2})|%(?:25)*40", re.IGNORECASE
)
# A name that needs quotes is no part of the word that its @ begins. Bounded, for linear time.
_QUOTED_NAME = re.compile(r'"[^"@\n]{1,64}"(?=@)')
_SOFT_BREAK = re.compile(r"=\r?\n")  # of a quoted-printable line
_USERINFO = re.compile(r"://[^\s@/]{1,256}@")
# password=..., "api_key": "...", Authorization: Bearer ...
_NAMED_SECRET = re.compile(
    r"(?<![a-z])((?:[a-z]{1,20}[_-]){0,3}"
    r"(?:password|passwd|secret|cookie|authorization|sessionid|csrf(?:middleware)?token"
    r"|(?:api|secret|link|address|signing|webhook)[_-]?keys?|(?:access|server|api|auth)[_-]?token)"
    r"[\"']?\s?(?:[:=]|%3d)\s?[\"']?(?:(?:basic|bearer|token)\s)?)[^\s\"'&;,]+",
    re.IGNORECASE,
)
# The paths that hold a token (urls.py of both rooms): what stands in its place goes, whatever it is. Not in the middle
# of a path, which is a file's then.
_KEYED_PATH = re.compile(
    r"((?:^|[^\w./~-]|://[^/\s]{1,255})/+(?:r|u|c|f|m|left|say)/+)([^\s?#]+)", re.IGNORECASE | re.MULTILINE
)
_PAGES = frozenset(
    (
        *("address", "data", "erase", "export", "fewer", "learned", "anew", "mute", "not-me", "now", "pause"),
        *("preferences", "preview", "saved", "saved.bib", "saved.json", "saved.ris", "weekly", "more", "less", "save"),
    )
)
_NUMBER = re.compile(r"[0-9]{1,10}")
# Anywhere else a token, or a piece of one, is a run of base62 digits (subscriptions/tokens.py). A run may be something
# else as long as it is shorter: a number, hexadecimal, words as names in code are written, one number in a name.
_RUN = re.compile(r"[0-9A-Za-z]{10,}")
_WHOLE = 33
_NO_TOKEN = (
    re.compile(r"[0-9]+|[0-9a-f]+"),
    re.compile(r"(?:(?:Is|Not|Too|Big)(?![a-z])|[A-Z]{0,8}+[a-z]{3,}+|[A-Z]{2,8}+)+[0-9]{0,3}"),
    re.compile(r"[A-Z]{0,3}[a-z]{0,8}[0-9]{1,3}[A-Z]?[a-z]{2,12}"),
)
_DECODINGS = 4
# Whatever a terminal or a reader of lines takes for more than a character.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def scrub(text: str) -> str:
    """The text with every address, every named secret, and every link's token or piece of one taken out."""
    text = _NAMED_SECRET.sub(lambda found: found[1] + SECRET, text)
    text = _USERINFO.sub(f"://{SECRET}@", text)
    return _CHUNK.sub(lambda chunk: _cleaned(chunk[0]), _QUOTED_NAME.sub("", text))


def _cleaned(chunk: str) -> str:
    """A piece of text without spaces. One that hides something by an encoding comes back decoded."""
    plain = chunk
    for _ in range(_DECODINGS):
        plain = unquote(unescape(plain))
    # What was encoded together stays together: a path with a space in it is one path.
    plain = _SPACE.sub("%20", _SOFT_BREAK.sub("", _QUOTED_NAME.sub("", plain)))
    cleaned = _taken_out(plain)
    return _taken_out(chunk) if cleaned == plain else cleaned


def _taken_out(text: str) -> str:
    text = _WORD.sub(lambda word: ADDRESS if _AT.search(word[0]) else word[0], text)
    text = _KEYED_PATH.sub(_without_key, text)
    return _RUN.sub(lambda run: TOKEN if _looks_like_a_token(run[0]) else run[0], text)


def _without_key(path: re.Match[str]) -> str:
    """A path behind a token: of what follows only the names of our pages stay, and numbers."""
    first, *more = path[2].split("/")
    kept = [one if not one or one in _PAGES or _NUMBER.fullmatch(one) else TOKEN for one in more]
    return path[1] + "/".join([TOKEN if first else "", *kept])


def _looks_like_a_token(run: str) -> bool:
    return len(run) >= _WHOLE or not any(pattern.fullmatch(run) for pattern in _NO_TOKEN)


def escaped(text: str) -> str:
    """The text on one line: control characters as Python writes them."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Line(logging.Formatter):
    """``time=... level=... logger=... message="..."``; a traceback follows on indented lines, scrubbed as well.

    Nothing that was logged can look like another event: no other line begins with ``time=``. What a visitor causes (a
    wrong host, a form without its cookie, a body that cannot be read) is one line with the name of the error: the
    traceback of our own code says nothing about it, and anybody could fill the log with them.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        message = escaped(scrub(_message(record)).replace("\\", "\\\\").replace('"', '\\"'))
        line = (
            f"time={self.formatTime(record)} level={record.levelname.lower()} logger={escaped(scrub(record.name))}"
            f' message="{message}"'
        )
        error = record.exc_info[1] if record.exc_info else None
        if error is None or record.exc_info is None:
            return line
        if _is_the_visitors(record, error):
            return f"{line} error={type(error).__name__}"
        return line + "".join(f"\n  {escaped(scrub(one))}" for one in self.formatException(record.exc_info).split("\n"))


def _message(record: logging.LogRecord) -> str:
    """The message with its arguments. A path stays one piece, whatever is in it, so that all of it is looked at.

    Where the arguments do not fit, logging would print all of them to stderr as they are, past every formatter.
    """
    args = record.args
    if isinstance(args, tuple):
        args = tuple(_SPACE.sub("%20", arg) if isinstance(arg, str) and arg[:1] == "/" else arg for arg in args)
    try:
        return str(record.msg) % args if args else str(record.msg)
    except Exception:  # whatever a __str__ or a format can raise
        return f"{record.msg} (its arguments do not fit)"


def _is_the_visitors(record: logging.LogRecord, error: BaseException) -> bool:
    """Whether Django answered with 4xx, or the visitor went away in the middle of a form."""
    status = getattr(record, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR)
    return status < HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(error, UnreadablePostError)
