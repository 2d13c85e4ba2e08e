"""One line per event, key=value, without addresses and without tokens."""

import logging
import re
import time

# A word with an @ in it, also percent-encoded as in a URL, once or several times. Message-IDs look the same and go too.
# Word by word, so that a long line without any costs linear time.
_WORD = re.compile(r"[^\s<>\"(),;:\[\]]+")
_AT = re.compile(r"@|%(?:25)*40")
# A token has 33 characters (subscriptions/tokens.py). Longer ones too: a link with something glued to it, /u/3kF...9x.
_TOKEN = re.compile(r"[0-9A-Za-z]{33,}")
# Whatever a terminal or a reader of lines takes for more than a character.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def scrub(text: str) -> str:
    """The text with every address and every link's token taken out."""
    text = _WORD.sub(lambda word: "<address>" if _AT.search(word[0]) else word[0], text)
    return _TOKEN.sub("<token>", text)


def escaped(text: str) -> str:
    """The text on one line: control characters as Python writes them."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class Line(logging.Formatter):
    """``time=... level=... logger=... message="..."``; a traceback follows on indented lines, scrubbed as well.

    Nothing that was logged can look like another event: no other line begins with ``time=``.
    """

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        message = escaped(record.getMessage().replace("\\", "\\\\").replace('"', '\\"'))
        line = (
            f'time={self.formatTime(record)} level={record.levelname.lower()} logger={record.name} message="{message}"'
        )
        if record.exc_info:
            line += "".join(f"\n  {escaped(one)}" for one in self.formatException(record.exc_info).split("\n"))
        return scrub(line)
