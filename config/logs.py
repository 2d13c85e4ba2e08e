"""One line per event, key=value, without addresses and without tokens."""

import logging
import re
import time

# Whatever looks like an address, also percent-encoded as in a URL. Message-IDs look the same and go too.
# Bounded, so that a long line without any costs linear time.
_ADDRESS = re.compile(r"[^\s<>\"'(),;:=\[\]]{1,64}(?:@|%40)[^\s<>\"'(),;:\[\]]{1,255}", re.IGNORECASE)
# A token is a path part by itself: /u/3kF...9/ (subscriptions/tokens.py).
_TOKEN = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{33}(?![0-9A-Za-z])")


def scrub(text: str) -> str:
    """The text with every address and every link's token taken out."""
    return _TOKEN.sub("<token>", _ADDRESS.sub("<address>", text))


class Line(logging.Formatter):
    """``time=... level=... logger=... message="..."``; a traceback follows on lines of its own, scrubbed as well."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        message = (
            record.getMessage().replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
        )
        line = (
            f'time={self.formatTime(record)} level={record.levelname.lower()} logger={record.name} message="{message}"'
        )
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return scrub(line)
