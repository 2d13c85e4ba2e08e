"""From an HTTP answer to its bytes, whatever the server sends: bounded while they come and while they are unpacked."""

import re
import time
import zlib

import httpx

from digest.sources.base import SourceError

ACCEPT_ENCODING = "gzip"  # the one that we ask for, and the only one that is unpacked
_GZIP = frozenset({"gzip", "x-gzip"})  # RFC 9110 section 8.4.1.3: two names of one coding
_SPACE = re.compile(rb"\s*")
_PAGE = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"


class ConnectionFailed(SourceError):  # noqa: N818 - what happened
    """The answer did not come, or not whole: a second try within seconds may cure that."""

    def __init__(self, message: str) -> None:
        super().__init__(message, transient=True)


def read(answer: httpx.Response, source: str, most: int, seconds: float) -> bytes:
    """The body of a streamed answer, unpacked: at most ``most`` bytes, which came within ``seconds``.

    Reads the bytes as they came over the wire: httpx unpacks each of several codings, every chunk whole, and two of
    gzip turn some kilobytes into gigabytes. Raises SourceError, not transient for too many bytes and for a coding
    that was not asked for; ConnectionFailed for what cannot be unpacked or was cut off.
    """
    unpack = _unpacking(answer, source)
    deadline = time.monotonic() + seconds
    body, came = bytearray(), 0
    for part in answer.iter_raw():
        came += len(part)
        try:
            body += unpack.decompress(part, most + 1 - len(body)) if unpack else part
        except zlib.error as error:
            raise ConnectionFailed(f"{source} sends what cannot be unpacked: {error}") from error
        # What came counts as well: blocks that hold nothing can go on for ever.
        if max(came, len(body)) > most:
            raise SourceError(f"{source} sends more than {most} bytes", transient=False)
        if unpack and unpack.unused_data:
            raise ConnectionFailed(f"{source} sends more behind the end of what is packed")
        if time.monotonic() > deadline:
            raise SourceError(f"{source} sends too slowly", transient=True)
    if unpack and came and not unpack.eof:
        raise ConnectionFailed(f"{source} sends what is packed without its end")
    return bytes(body)


def _unpacking(answer: httpx.Response, source: str) -> "zlib._Decompress | None":
    """What unpacks the body; None for one that is not packed. Raises SourceError for any other coding, or several."""
    named = ",".join(answer.headers.get_list("content-encoding")).lower().split(",")
    codings = [name for name in map(str.strip, named) if name not in ("", "identity")]
    if not codings:
        return None
    if len(codings) > 1 or codings[0] not in _GZIP:
        text = f"{source} answered in a coding that was not asked for: {', '.join(codings)[:60]}"
        raise SourceError(text, transient=False)
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def is_web_page(body: bytes) -> bool:
    """Whether ``body`` begins as an HTML page does, behind any spaces and comments. In linear time."""
    at = _SPACE.match(body, len(_BOM) if body.startswith(_BOM) else 0).end()  # type: ignore[union-attr] # always
    while body.startswith(b"<!--", at):
        end = body.find(b"-->", at + 4)
        if end < 0:
            return False
        at = _SPACE.match(body, end + 3).end()  # type: ignore[union-attr]
    return _PAGE.match(body, at) is not None
