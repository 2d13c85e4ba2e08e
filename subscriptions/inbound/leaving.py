"""Leaving by mail: a token lets its reader leave at once, a plain "unsubscribe" asks for a letter with the link.

The token is the authorisation, as at the one-click address: who sent the mail can be forged and is not looked at. A
plain wish proves nothing, so whoever reads the subscribed address is asked. Automatic answers are not heard (RFC 3834
section 2), and nothing that a reply quotes is the writer's own: every digest holds its reader's token.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parseaddr
from itertools import islice
from urllib.parse import unquote

from subscriptions import letters, lifecycle, links
from subscriptions.addresses import clean
from subscriptions.consent import Origin
from subscriptions.inbound.reading import Part
from subscriptions.models import SignupRequest, Subscriber
from subscriptions.tokens import LENGTH, Purpose, Token

MOST_TRIED = 20  # runs of letters in one mail that could be a token
OWN_LINES = 5  # of the body: who writes to leave says so first
LONGEST_LINE = 200
LONGEST_WISH = 6  # words; more is a letter to somebody
CLEAR = 8  # letters of a word that says it also among others: "baja" alone does, in "Baja California" it does not
ASKED_WITHIN = timedelta(days=1)
_RUN = re.compile(rf"[0-9A-Za-z]{{{LENGTH},}}")
_QUOTE = re.compile(
    r"[>|]|-{2,}|_{5,}|(?:On|Am|Le|El|Em|Il|Op|Den)\s.{0,150}:$|(?:From|Von|De|Da|Van|От|发件人|差出人)\s?[:：]"
)
# "Re:" in the languages of common mail programs.
_PREFIX = re.compile(
    r"(?:(?:re|fwd?|aw|wg|sv|tr|rv|antw|odp|ynt|回复|转发|返信|転送|答复|회신)\s{0,3}[:：]\s{0,3}){1,5}", re.IGNORECASE
)
# What readers write who want no more mails, in words of their own language, folded by _folded.
WORDS = {
    "en": ("unsubscribe", "unsubscribe me", "please unsubscribe", "unsubscribe please", "opt out", "remove me"),
    "de": ("abmelden", "abbestellen", "bitte abmelden", "newsletter abbestellen", "austragen"),
    "fr": ("désabonner", "se désabonner", "me désabonner", "désinscription", "me désinscrire", "désabonnement"),
    "es": ("darse de baja", "darme de baja", "dar de baja", "cancelar suscripción", "baja", "desuscribir"),
    "pt": ("cancelar inscrição", "cancelar subscrição", "cancelar assinatura", "descadastrar", "remover"),
    "it": ("disiscriviti", "disiscrivimi", "cancella iscrizione", "annulla iscrizione", "cancellami", "disiscrizione"),
    "nl": ("afmelden", "uitschrijven", "uitschrijving", "afmelding"),
    "ru": ("отписаться", "отписка", "отпишите меня", "отменить подписку"),
    "pl": ("wypisz", "wypisz mnie", "rezygnuję", "anuluj subskrypcję", "rezygnacja"),
    "tr": ("abonelikten çık", "aboneliği iptal et", "abonelikten çıkar"),
    "sv": ("avregistrera", "avsluta prenumeration", "avprenumerera"),
    "zh": ("退订", "取消订阅", "退訂", "取消訂閱"),
    "ja": ("配信停止", "購読解除", "登録解除", "配信停止希望"),
    "ko": ("수신거부", "구독취소", "구독 취소", "수신 거부"),
}


def leaver(mail: Part, now: datetime) -> tuple[Token, Subscriber] | None:
    """The genuine unsubscribe token in the subject, or alone on a line of the writer's own, and whose it is.

    Mail programs leave the "%20" of a mailto link as it is, or put its subject into the body (RFC 6068 section 5).
    """
    subject = mail.header("Subject")
    # A link is not enough: some programs quote a whole digest without a sign.
    lines = (line for line in own_lines(mail) if "/" not in line and _is_short(_RUN.sub(" ", unquote(line))))
    runs = (run for text in (subject, *lines) for run in _RUN.findall(unquote(text)))
    for run in islice(runs, MOST_TRIED):
        for candidate in (run[:LENGTH], run[-LENGTH:]):  # what stands before or behind it without a space
            token, reader = links.read_reader(Purpose.UNSUBSCRIBE, candidate, now)
            if token and reader:
                return token, reader
    return None


def unsubscribe(token: Token, reader: Subscriber, now: datetime) -> None:
    """Let the token's reader leave. Twice is harmless."""
    lifecycle.unsubscribe(reader, now, Origin(lifecycle.BY_MAIL, token=token.name))


def wants_to_leave(mail: Part) -> bool:
    """Whether a person wrote no more than a common word for it, in the subject or first in the body."""
    if _is_automatic(mail):
        return False
    first = next(iter(own_lines(mail)), "")
    return _is_wish(mail.header("Subject")) or _is_wish(first)


def ask_whether(mail: Part, now: datetime) -> bool:
    """Ask the subscribed address that the mail names as its sender, by a letter with the link; whether it is one.

    One request a day for each address, beside the guard's limits on letters: anybody can write another's address.
    """
    try:
        email = clean(parseaddr(mail.header("From"))[1])
    except ValueError:
        return False
    reader = Subscriber.objects.filter(email=email, state=Subscriber.State.ACTIVE).first()
    if reader is None:
        return False
    kind = SignupRequest.Kind.LEAVE
    asked = SignupRequest.objects.filter(email_hash=reader.email_hash, kind=kind, created_at__gt=now - ASKED_WITHIN)
    if not asked.exists():
        letters.ask(kind, email, now, subscriber=reader)
    return True


def own_lines(mail: Part) -> list[str]:
    """The first lines of the plain text, up to what is quoted."""
    text = next((part.text() for part in mail.leaves() if part.content_type == "text/plain"), "")
    return list(islice(_until_quote(text), OWN_LINES))


def _until_quote(text: str) -> Iterator[str]:
    for line in text[: OWN_LINES * 1_000].splitlines():
        said = line.strip()[:LONGEST_LINE]
        if _QUOTE.match(said):
            return
        if said:
            yield said


def _is_automatic(mail: Part) -> bool:
    """Out-of-office replies, bounces, lists (RFC 3834 section 2, RFC 2919)."""
    automatic = mail.header("Auto-Submitted").lower() not in {"", "no"}
    bulk = mail.header("Precedence").lower() in {"bulk", "junk", "list", "auto_reply"}
    return automatic or bulk or bool(mail.header("List-Id")) or mail.header("Return-Path") == "<>"


def _is_wish(text: str) -> bool:
    wish = _folded(_PREFIX.sub("", text.strip(), count=1))
    return _is_short(wish) and any(_says(wish, word) for word in _WORDS)


def _says(wish: str, word: str) -> bool:
    if not word.isascii() and not word.islower():  # scripts without capitals: no spaces between words either
        return word in wish
    return wish == word or (len(word) >= CLEAR and f" {word} " in f" {wish} ")


def _is_short(text: str) -> bool:
    return len(text.split()) <= LONGEST_WISH


def _folded(text: str) -> str:
    """Lower case, without signs, accents and Turkish dots, one space between words."""
    apart = unicodedata.normalize("NFKD", text[:LONGEST_LINE].casefold().replace("ı", "i"))
    kept = "".join(
        " " if unicodedata.category(character)[0] in "PSZC" else character
        for character in apart
        if not unicodedata.combining(character)
    )
    return unicodedata.normalize("NFC", " ".join(kept.split()))


_WORDS = frozenset(_folded(word) for words in WORDS.values() for word in words)
