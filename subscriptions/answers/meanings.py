"""What the answer of a mail server or a provider means: about this reader, about us, or about this mail. Pure.

One classifier for every answer at a hand-over: an SMTP reply with its enhanced code and text, and a provider's HTTP
status and body. Codes first where they say enough (RFC 5321 section 4.2, RFC 3463, RFC 7372 and the registry of RFC
5248), else words: many relays say everything with a bare 550. What nothing explains is never held against a reader
for ever, and says of itself that it is not ``sure``: several such answers in a row are about us.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum

from subscriptions.answers.words import (
    ACCOUNT,
    CONNECTION,
    CREDITS,
    IS_FULL,
    IS_GONE,
    LIMIT,
    LOGIN,
    NOT_TO,
    OF_CREDITS,
    OF_LIMITS,
    POLICY,
    QUOTA,
    READ,
    RECEIVES,
    REPUTATION,
    SENDER,
    SERVER,
    SESSION,
    SPAM,
    TOO_LARGE,
    matter,
    plain,
)

# RFC 3463 section 2: class.subject.detail; not a part of an IP address.
ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
# Equal 5yz answers in a row, to different readers and no mail accepted between, after which they are about us. With one
# dead address in ten, which is a bad list, five in a row come once in a hundred thousand; and of fewer than five nobody
# is stopped, since an answer that explains nothing is a soft bounce.
EQUAL_UNEXPLAINED = 5
# The same for answers that name the mailbox (5.1.1, "no such user"): a domain that was given up can have some
# neighbours in a list, but where nothing at all is accepted beside twenty of them, the relay has lost its table.
EQUAL_ABOUT_READERS = 20


class Stage(StrEnum):
    """What was answered."""

    CONNECT = "CONNECT"  # the greeting, EHLO, STARTTLS or the login
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"  # and the end of the data: smtplib does not tell one from the other, and nothing depends on it
    API = "API"


class About(StrEnum):
    """Whose matter an answer is."""

    READER = "reader"
    US = "us"  # our account, its limits, reputation, login, approval, credits, or the server itself
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Answer:
    """An SMTP reply, or a provider's HTTP status and body."""

    stage: Stage
    code: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer says."""

    about: About
    for_ever: bool  # the server says that to try again is of no use
    why: str = ""  # in words for operators; "" where the answer does not explain itself
    detail: str = ""  # the codes: "550 5.1.1"
    gone: bool = False  # about the reader: there is no such mailbox
    sure: bool = True  # the answer explains itself
    new_connection: bool = False  # about us, and only about this connection: another one may take the mail at once
    too_large: bool = False  # about the mail

    @property
    def equal_at(self) -> int:
        """How many equal ones in a row are about us after all; 0 where no number is."""
        if self.about is About.US or not self.for_ever or self.too_large:
            return 0
        return EQUAL_ABOUT_READERS if self.sure else EQUAL_UNEXPLAINED


# RFC 3463 section 3.2: the mailbox or its domain, as subject.detail; 5.1.10 is RFC 7505. Others of 5.1 are the sender's
# (7, 8, RFC 7505's 9) or a provider's own (5.1.90: Exchange's daily limit of recipients).
_GONE_CODES = frozenset({"1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.10", "2.1"})
_MAILBOX_CODES = _GONE_CODES - {"1.0"} | {"2.2"}
_SENDER_CODES = frozenset({"1.7", "1.8", "1.9", "1.20", "7.27"})
_TOO_LARGE_CODES = frozenset({"3.4", "2.3"})
# Of 5.7 (RFC 3463 section 3.8, RFC 7372, RFC 4954): signatures, SPF, reverse DNS and the login. Exchange's own numbers:
# learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online.
_LOGIN_CODES = frozenset({"7.3", "7.8", "7.11", "7.12", "7.14", "7.57", "7.60"})
_REPUTATION_CODES = frozenset({f"7.{detail}" for detail in (*range(20, 30), *range(500, 900))})
_GROUP_CODES = frozenset({f"7.{detail}" for detail in range(100, 200)})  # Exchange's own: who may write to a mailbox
_LIMIT_CODES = frozenset({"4.5", "1.90", "2.254", "2.253", "7.232", "7.233", "7.236"})
# RFC 5321 section 4.2.3, RFC 4954 section 6, RFC 7504: not understood, out of order, or no mail without a login.
_PROTOCOL = frozenset({500, 501, 502, 503, 504, 521, 530, 532, 534, 535, 538, 555})
_BUSY = frozenset({421, 432, 454})  # RFC 5321 section 3.8; RFC 4954 section 6, as Amazon SES throttles
# RFC 9110: not our key, not paid, no such account or domain; 420 is Mailgun's limit; RFC 8470: too early; RFC 6585.
_API_OURS = {401: LOGIN, 402: CREDITS, 403: ACCOUNT, 404: ACCOUNT, 407: LOGIN, 420: LIMIT, 425: SERVER, 429: LIMIT}
_API_FOR_NOW = frozenset({420, 425, 429})


def classify(answer: Answer) -> Meaning:
    """What an answer of 4yz or 5yz says, or of HTTP 4xx. Takes time in proportion to the text, at most READ of it."""
    return _of_api(answer) if answer.stage is Stage.API else _of_smtp(answer)


def is_gone(enhanced: str) -> bool:
    """Whether an enhanced code ("5.1.1") says that there is no such mailbox."""
    found = ENHANCED.fullmatch(enhanced)
    return bool(found and found[1] == "5" and _subject(found) in _GONE_CODES)


def likeness(answer: Answer, recipient: str = "") -> str:
    """A name for answers that say the same, whomever they name: addresses, hosts, numbers and ids are left out.

    A hash: nothing of the text can be read from it. ``recipient`` is whom the mail was for.
    """
    local = recipient.partition("@")[0].lower()
    words = answer.text[:READ].lower().replace("<", " ").replace(">", " ").split()
    same = ["*" if _names_something(word.strip("\"'(),;:!"), local) else word for word in words]
    return hashlib.sha256(f"{answer.stage} {answer.code} {' '.join(same)}".encode()).hexdigest()[:32]


def _names_something(word: str, local: str) -> bool:
    return "@" in word or "." in word.strip(".") or word == local or any(map(str.isdigit, word))


def _subject(found: re.Match[str] | None) -> str:
    return f"{found[2]}.{found[3]}" if found else ""


def _of_smtp(answer: Answer) -> Meaning:
    text, found = plain(answer.text), ENHANCED.search(answer.text[:READ])
    for_ever, subject = answer.code >= 500, _subject(found)
    detail = f"{answer.code} {found[0]}" if found else str(answer.code)

    def us(why: str, *, new_connection: bool = False) -> Meaning:
        return Meaning(About.US, for_ever, why, detail, new_connection=new_connection)

    if answer.stage is not Stage.CONNECT and SESSION.search(text):
        return us(CONNECTION, new_connection=True)
    if answer.code == 421:
        return us(matter(text), new_connection=answer.stage is not Stage.CONNECT)
    if answer.stage is Stage.CONNECT:
        return us(matter(text) or (LOGIN if answer.code in _PROTOCOL else ""))
    if answer.code == 523 or subject in _TOO_LARGE_CODES or (TOO_LARGE.search(text) and not IS_FULL.search(text)):
        return Meaning(About.MAIL, for_ever, "its size", detail, too_large=True)
    if answer.stage is Stage.MAIL:  # nothing of the reader stands there; 552: RFC 1870 section 6.1
        if answer.code == 552 and not subject and not matter(text) and not QUOTA.search(text):
            return Meaning(About.MAIL, for_ever, "its size", detail, too_large=True)
        return us(matter(text) or (LIMIT if QUOTA.search(text) else ""))
    return _of_recipient(answer, text, subject, detail) or _by_stage(answer, text, subject, detail)


def _of_recipient(answer: Answer, text: str, subject: str, detail: str) -> Meaning | None:
    """An answer to RCPT or DATA that explains itself, by a code or by words."""
    for_ever = answer.code >= 500
    full = Meaning(About.READER, for_ever, "a full mailbox", detail)
    gone = Meaning(About.READER, for_ever, "no such mailbox", detail, gone=for_ever)
    if "system storage" in text:  # RFC 5321 section 4.2.2: of the server, not of a mailbox
        return Meaning(About.US, for_ever, SERVER, detail)
    if RECEIVES.search(text):
        return Meaning(About.READER, for_ever, "too many mails for it", detail)
    # A code can be worn by an answer that means something else: only plain words of sending count against it.
    is_full, of_sending = bool(IS_FULL.search(text)), bool(OF_CREDITS.search(text))
    if subject in _MAILBOX_CODES and not of_sending and (is_full or not OF_LIMITS.search(text)):
        return full if subject == "2.2" or is_full else gone
    malformed = answer.stage is Stage.DATA and (answer.code == 500 or subject == "5.2")  # the mail, not a command
    if not malformed and (why := _why_by_code(subject, answer.code)):
        return Meaning(About.US, for_ever, matter(text) or why, detail)
    if subject in _GROUP_CODES:
        return Meaning(About.READER, for_ever, "its owner's policy", detail)
    if is_full and not of_sending:
        return full
    if "greylist" in text or "graylist" in text or "grey list" in text:
        return Meaning(About.READER, for_ever, "", detail)
    if (why := matter(text)) and not (why == REPUTATION and answer.stage is Stage.DATA and SPAM.search(text)):
        return Meaning(About.US, for_ever, why, detail)
    if IS_GONE.search(text) or subject == "1.0":
        return gone
    return None


def _by_stage(answer: Answer, text: str, subject: str, detail: str) -> Meaning:
    """An answer to RCPT or DATA that does not explain itself, by what it was an answer to."""
    for_ever, at_data = answer.code >= 500, answer.stage is Stage.DATA
    if QUOTA.search(text) and (at_data or subject[:1] == "7"):  # of the mailbox it would have said at RCPT
        return Meaning(About.US, for_ever, LIMIT, detail)
    if subject[:2] in {"3.", "5."} and for_ever and not (at_data and subject == "5.2"):
        return Meaning(About.US, for_ever, SERVER, detail)
    if answer.code == 452 and subject in {"3.1", "5.3"}:
        return Meaning(About.US, for_ever, SERVER, detail)
    if at_data and subject[:2] not in {"1.", "2."}:
        return Meaning(About.MAIL, for_ever, "", detail, sure=subject[:2] == "6.")
    why = "its server's policy" if POLICY.search(text) or subject[:1] == "7" else ""
    return Meaning(About.READER, for_ever, why, detail, sure=subject[:2] == "2.")


def _why_by_code(subject: str, code: int) -> str:
    for why, codes in (
        (SENDER, _SENDER_CODES),
        (LOGIN, _LOGIN_CODES),
        (REPUTATION, _REPUTATION_CODES),
        (LIMIT, _LIMIT_CODES),
    ):
        if subject in codes:
            return why
    return SERVER if code in _PROTOCOL or code in _BUSY else ""


def _of_api(answer: Answer) -> Meaning:
    text, detail = plain(answer.text), str(answer.code)
    for_ever = answer.code not in _API_FOR_NOW and answer.code < 500
    if answer.code in _API_OURS:
        return Meaning(About.US, for_ever, _API_OURS[answer.code], detail)
    if answer.code >= 500:
        return Meaning(About.US, for_ever, SERVER, detail)
    if answer.code == 413 or TOO_LARGE.search(text):
        return Meaning(About.MAIL, for_ever, "its size", detail, too_large=True)
    if NOT_TO.search(text):
        return Meaning(About.READER, for_ever, "the provider's list of refusals", detail)
    if why := matter(text):
        return Meaning(About.US, for_ever, why, detail)
    return Meaning(About.MAIL, for_ever, "", detail, sure=False)
