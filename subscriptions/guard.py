"""Who may cause how many letters: budgets per address, network and site, and a breaker when nobody confirms.

A confirmation mail is a weapon: it goes to whatever address somebody typed. So every door that can cause a letter
spends here first, and nothing is counted in a cache that could be lost.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from subscriptions.addresses import counted_domain, folded, keyed_hash
from subscriptions.budgets import LONGEST, Windows
from subscriptions.models import Breaker, Budget, SignupRequest
from subscriptions.networks import client_ip, network_of, wide_network_of

__all__ = ["client_ip", "network_of", "wide_network_of"]  # and what is defined here
Kind = Budget.Kind
HOLD = timedelta(minutes=10)  # until a held letter is looked at again
GIVE_UP = timedelta(hours=24)  # nobody expects a confirmation a day later
# Confirmations are counted over WATCH, the last GRACE left out: people need some minutes to open a mail.
WATCH, GRACE = timedelta(hours=3), timedelta(minutes=10)
TICKS = timedelta(minutes=2)  # until the watch has surely looked at letters that are older than GRACE


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which budget was spent; its text is for the admin and never for the one who asked."""

    kind: Kind
    most: int
    window: timedelta

    def __str__(self) -> str:
        minutes = int(self.window.total_seconds() // 60)
        unit, number = ("d", minutes // 1440) if minutes % 1440 == 0 else ("h", minutes // 60)
        if minutes % 60:
            unit, number = "m", minutes
        return f"{self.kind.label}: {self.most} in {number} {unit}"


def network_hash(ip: str) -> str:
    """The keyed hash under which a network is counted and noted in a consent; the same for all unknown ones."""
    return keyed_hash(f"network {network_of(ip)}")


def admit(ip: str, now: datetime) -> bool:
    """Count one POST from this address against its networks; False where it is one too many.

    Refused POSTs do not count: who waits may come again.
    """
    keys = [
        (Kind.NETWORK, network_hash(ip), settings.SIGNUPS_PER_NETWORK),
        (Kind.WIDE_NETWORK, keyed_hash(f"network {wide_network_of(ip)}"), settings.SIGNUPS_PER_WIDE_NETWORK),
    ]
    return spend_all(keys, now) is None


def admit_preview(ip: str, now: datetime) -> bool:
    """Count one preview that is computed for this address's network; False where it is one too many."""
    return spend_all([(Kind.PREVIEW, network_hash(ip), settings.PREVIEWS_PER_NETWORK)], now) is None


def grant_letter(
    email: str,
    now: datetime,
    *,
    reminder: bool = False,
    owed: bool = False,
    imported: bool = False,
    stranger: bool = False,
) -> Refusal | None:
    """Count one letter to this address; what refuses it, or None. Call it in the transaction that claims the letter.

    A ``reminder`` tells an active reader what the reader knows: one a day is enough. An ``owed`` letter is the notice
    to an old address: only its own reader can cause it, by two other letters, so it counts for the site alone. An
    ``imported`` one leaves a quarter of the site's budget to people who stand at the door. One to a ``stranger``
    counts for the domain too, unless it is a large provider's: behind it may be one mailbox that takes every name.
    """
    key = keyed_hash(f"address {folded(email)}")
    keys = [] if owed else [(Kind.ADDRESS, key, settings.LETTERS_PER_ADDRESS)]
    if reminder:
        keys.append((Kind.REMINDER, key, ((timedelta(hours=24), 1),)))
    if stranger and (domain := counted_domain(email)):
        keys.append((Kind.DOMAIN, keyed_hash(f"domain {domain}"), settings.LETTERS_PER_DOMAIN))
    # The site's row last: it is everybody's, and held until the transaction ends.
    site = settings.LETTERS_PER_SITE
    if imported:
        site = tuple((window, max(1, most * 3 // 4)) for window, most in site)
    return spend_all([*keys, (Kind.SITE, "", site)], now)


def one_at_a_time(email: str) -> None:
    """Letters to one address wait for each other until the end of the transaction; SQLite's writers do anyway.

    The upsert below is exact within a minute's row; at the turn of a minute two rows are written, and only this lock
    keeps two workers from both taking the last letter of an address.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [keyed_hash(f"address {folded(email)}")])


def spend_all(keys: list[tuple[Kind, str, Windows]], now: datetime) -> Refusal | None:
    """Spend one of each, or none of any; what refused it, or None."""
    refused: tuple[Kind, str, Windows] | None = None
    with transaction.atomic():
        for kind, key, windows in keys:
            if not _spend(kind, key, windows, now):
                refused = (kind, key, windows)
                transaction.set_rollback(True)
                break
    if refused is None:
        return None
    return _note_refusal(*refused, now)


def _spend(kind: Kind, key: str, windows: Windows, now: datetime) -> bool:
    """One conditional upsert: the row of this minute grows, if every window has room. Costs one statement.

    A window that ends within a minute counts the whole minute, so it is up to one minute longer than it says.
    The row of this minute is read as it is when its lock is had, the earlier ones do not change any more.
    """
    minute = minute_of(now)
    table = connection.ops.quote_name(Budget._meta.db_table)
    earlier = (
        f"(SELECT COALESCE(SUM(e.granted), 0) FROM {table} e"  # noqa: S608 - the table's name is ours
        " WHERE e.kind = %s AND e.key = %s AND e.minute >= %s AND e.minute <> %s)"
    )
    adapt = connection.ops.adapt_datetimefield_value
    at, sums, room = adapt(minute), [], []
    for window, most in windows:
        sums.append([str(kind), key, adapt(minute_of(now - window)), at])
        room.append(most)
    first = " AND ".join([f"{earlier} < %s"] * len(windows))
    again = " AND ".join([f"{table}.granted + {earlier} < %s"] * len(windows))
    bounds = [value for pair in zip(sums, room, strict=True) for value in (*pair[0], pair[1])]
    statement = (
        f"INSERT INTO {table} (kind, key, minute, granted, refused)"
        f" SELECT %s, %s, {_typed('%s')}, 1, 0 WHERE {first}"
        f" ON CONFLICT (kind, key, minute) DO UPDATE SET granted = {table}.granted + 1 WHERE {again}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [str(kind), key, at, *bounds, *bounds])
        return bool(cursor.rowcount == 1)


def _typed(placeholder: str) -> str:
    return f"{placeholder}::timestamptz" if connection.vendor == "postgresql" else placeholder


def _note_refusal(kind: Kind, key: str, windows: Windows, now: datetime) -> Refusal:
    """Count the refusal where the admin sees it, and name the window that has no room."""
    minute = minute_of(now)
    Budget.objects.get_or_create(kind=kind, key=key, minute=minute)
    Budget.objects.filter(kind=kind, key=key, minute=minute).update(refused=F("refused") + 1)
    since = minute_of(now - max(window for window, _ in windows))
    spent = Budget.objects.filter(kind=kind, key=key, minute__gte=since).values_list("minute", "granted")
    rows = list(spent)
    for window, most in windows:
        if sum(granted for at, granted in rows if at >= minute_of(now - window)) >= most:
            return Refusal(kind, most, window)
    return Refusal(kind, windows[0][1], windows[0][0])


def minute_of(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def is_open(now: datetime) -> bool:
    """Whether confirmation mails are held now."""
    rest = timedelta(hours=settings.BREAKER_HOURS)
    return Breaker.objects.filter(is_open=True, opened_at__gt=now - rest).exists()


def is_ahead(now: datetime) -> bool:
    """Whether as many confirmation mails are unanswered as make the breaker look: further ones wait until it could.

    It judges letters that are older than GRACE. Without this a flood of some minutes would be over before it looks.
    What is confirmed makes room at once. Workers that ask at the same moment may each let one more through.
    """
    young = _confirmations(now - GRACE - TICKS, now)
    unanswered = young.filter(Q(subscriber__confirmed_at=None) | Q(subscriber__confirmed_at__lt=F("handled_at")))
    return unanswered.count() >= settings.BREAKER_AFTER


def _confirmations(since: datetime, until: datetime) -> QuerySet[SignupRequest]:
    """Requests whose confirmation mail left then. An operator's list is no attack, and answered when it is read."""
    return SignupRequest.objects.exclude(kind=SignupRequest.Kind.IMPORT).filter(
        outcome=SignupRequest.Outcome.CONFIRM_SENT, handled_at__gt=since, handled_at__lte=until
    )


def watch(now: datetime) -> Breaker | None:
    """Open the breaker when confirmation mails stopped being confirmed; the new breaker, to be told to the operators.

    Closes one that was open for BREAKER_HOURS: if it was no attack, sign-ups go on by themselves.
    """
    rest = timedelta(hours=settings.BREAKER_HOURS)
    Breaker.objects.filter(is_open=True, opened_at__lte=now - rest).update(
        is_open=False, closed_at=now, closed_by="by itself"
    )
    if Breaker.objects.filter(is_open=True).exists():
        return None
    last = Breaker.objects.exclude(closed_at=None).order_by("-closed_at").first()
    since = max(now - WATCH, last.closed_at) if last and last.closed_at else now - WATCH
    sent = _confirmations(since, now - GRACE)
    total = sent.count()
    if total < settings.BREAKER_AFTER:
        return None
    confirmed = sent.filter(Q(subscriber__confirmed_at__gte=F("handled_at"))).count()
    if confirmed >= total * settings.BREAKER_SHARE:
        return None
    reason = f"{confirmed} of {total} confirmation mails were confirmed"
    with transaction.atomic():
        breaker, made = Breaker.objects.get_or_create(is_open=True, defaults={"opened_at": now, "reason": reason})
    return breaker if made else None


def close(breaker: Breaker, now: datetime, by: str) -> None:
    """An operator lets confirmation mails leave again."""
    Breaker.objects.filter(pk=breaker.pk, is_open=True).update(is_open=False, closed_at=now, closed_by=by[:150])


def sweep(now: datetime) -> int:
    """Forget counts that no window reaches back to; how many rows."""
    return Budget.objects.filter(minute__lt=now - LONGEST).delete()[0]
