"""The only place that speaks HTTP to sources. Whatever goes wrong comes out as SourceError."""

import functools
import re
import ssl
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
import stamina
from django.conf import settings

from digest.sources.answers import ACCEPT_ENCODING, ConnectionFailed, is_web_page, read
from digest.sources.base import SourceError
from digest.sources.gate import turn

MAX_BYTES = 8_000_000  # a feed of arXiv that is full, two thousand papers, has about half of that
REASON_BYTES = 10_000
MAX_REDIRECTS = 5
LONGEST_NAP = 5.0  # seconds of Retry-After that are slept through; longer ones are left to the next round
TIMEOUTS_PER_ANSWER = 4  # httpx's timeouts are per read: a server that drips would never meet one

Params = Mapping[str, str | int]


class Refused(SourceError):  # noqa: N818 - what happened, as the server put it
    """The server answered with ``status`` and no data, at ``server_time`` (UTC; None where it does not say)."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        transient: bool,
        busy: bool = False,
        wait: float | None = None,
        server_time: datetime | None = None,
    ) -> None:
        super().__init__(message, transient=transient, busy=busy, wait=wait)
        self.status = status
        self.server_time = server_time


def _pause(error: Exception) -> bool | float:
    """Whether to ask once more within seconds, or after how many."""
    if isinstance(error, Refused):
        if error.wait is not None:
            return max(error.wait, 0.1) if error.wait <= LONGEST_NAP else False
        return error.status >= 500 or error.status == 408
    return isinstance(error, ConnectionFailed)


_with_retries = stamina.RetryingCaller(attempts=3, timeout=None, wait_initial=0.5, wait_max=4.0, wait_jitter=0.5).on(
    _pause
)


def get(
    url: str,
    params: Params,
    *,
    source: str,
    accept: str,
    min_interval: float = 0.0,
    gate: str = "",
    busy: Collection[int] = (),
    most: int = MAX_BYTES,
) -> bytes:
    """The body of the answer to GET ``url``. Asks up to three times within a few seconds.

    ``source`` names the source in error texts; ``most`` is how many bytes its answers may have (at most MAX_BYTES).
    Requests that share a ``gate`` (by default the source's name) go one at a time, ``min_interval`` seconds apart,
    over all workers. ``busy`` are further statuses by which this server says "later". Every failure is a SourceError:
    transient for a source that is down, slow, overloaded or answers with a web page; not transient for one that
    refuses, leads to another host, or sends too many bytes or a coding that was not asked for. A status other than
    200 is a Refused: ``busy`` for 429, 503 with Retry-After and the statuses in ``busy``, with the seconds to ``wait``
    where the server names them.
    """
    hold = settings.SOURCE_TIMEOUT * (TIMEOUTS_PER_ANSWER + 2)  # and to connect, and until the first byte

    def ask() -> bytes:
        with turn(gate or source, min_interval, hold):
            return _ask(url, params, source, accept, busy, min(most, MAX_BYTES))

    return _with_retries(ask)


def _ask(url: str, params: Params, source: str, accept: str, busy: Collection[int], most: int) -> bytes:
    headers = {"User-Agent": _user_agent(), "Accept": accept, "Accept-Encoding": ACCEPT_ENCODING}
    try:
        address = httpx.URL(url, params=dict(params))
        with httpx.Client(timeout=settings.SOURCE_TIMEOUT, headers=headers, verify=_trust()) as client:
            for _ in range(MAX_REDIRECTS + 1):
                with client.stream("GET", address) as answer:
                    if not answer.has_redirect_location:
                        _check_status(answer, source, busy)
                        return _refuse_web_page(read(answer, source, most, _seconds()), source, accept)
                    address = _same_host(answer, source)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise SourceError(f"{source}: the address {url!r} is wrong: {error}", transient=False) from error
    except httpx.HTTPError as error:
        text = f"{source} could not be read: {type(error).__name__}: {error}"
        raise ConnectionFailed(text) from error
    # A wrong proxy, certificate file or character in the URL.
    except (ValueError, OSError, ImportError) as error:
        text = f"{source} cannot be asked: {type(error).__name__}: {error}"
        raise SourceError(text, transient=False) from error
    raise SourceError(f"{source} redirects more than {MAX_REDIRECTS} times", transient=False)


@functools.cache
def _trust() -> ssl.SSLContext:
    """The certificates that httpx trusts by default, read once: it would read them for every request."""
    return httpx.create_ssl_context()


def _user_agent() -> str:
    """Who asks and whom to write to, so that a source can complain before it blocks."""
    about = "; ".join(filter(None, [f"+{settings.SITE_URL}", settings.SOURCE_CONTACT]))
    printable = re.sub(r"[^ -~]", "?", about)  # a header cannot hold more
    return f"DailyPapers/0.1 ({printable})"


def _same_host(answer: httpx.Response, source: str) -> httpx.URL:
    """The address of a redirect. One to another host is a login page or a portal, never the list."""
    here = answer.request.url
    there = here.join(answer.headers["location"])
    to_https = (here.scheme, there.scheme) == ("http", "https") and here.host == there.host
    if (there.scheme, there.netloc) != (here.scheme, here.netloc) and not to_https:
        text = f"{source} redirects to another host ({there.scheme}://{there.host}): a login page?"
        raise SourceError(text, transient=False)
    return there


def _check_status(answer: httpx.Response, source: str, busy: Collection[int]) -> None:
    status = answer.status_code
    if status == 200:
        return
    text = f"{source} answered {status} {answer.reason_phrase}".rstrip()
    wait = _retry_after(answer)
    is_busy = status == 429 or status in busy or (status == 503 and wait is not None)
    if is_busy and wait is not None:
        text += f" and asks to wait {wait:.0f} s"
    elif status == 429:
        text += ": too many requests"
    elif status < 500 and status != 408:
        text += _reason(answer, source)
    raise Refused(
        text,
        status=status,
        transient=is_busy or status >= 500 or status == 408,
        busy=is_busy,
        wait=wait if is_busy else None,
        server_time=_moment(answer.headers.get("date", "")),
    )


def _retry_after(answer: httpx.Response) -> float | None:
    """The seconds of Retry-After, which may also be a date (RFC 9110, 10.2.3); None if unreadable."""
    value = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    until = _moment(value)
    if until is None:
        return None
    # From the server's own clock where it tells it: ours may be wrong by more than the wait.
    now = _moment(answer.headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _moment(text: str) -> datetime | None:
    """A date of an HTTP header in UTC; None if unreadable."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _reason(answer: httpx.Response, source: str) -> str:
    """What the server says about its refusal, as one short line; nothing if that is a web page."""
    try:
        body = read(answer, source, REASON_BYTES, _seconds())
    except SourceError:
        return ""
    if is_web_page(body):
        return ""
    text = " ".join(re.sub(r"<[^<>]*>", " ", body.decode("utf-8", "replace")).split())
    return f": {text[:300]}" if text else ""


def _seconds() -> float:
    """How long an answer may take to come whole."""
    return float(settings.SOURCE_TIMEOUT * TIMEOUTS_PER_ANSWER)


def _refuse_web_page(body: bytes, source: str, accept: str) -> bytes:
    if is_web_page(body):
        wanted = "JSON" if "json" in accept else "a feed"
        raise SourceError(f"{source} answered with an HTML page instead of {wanted}", transient=True)
    return body
