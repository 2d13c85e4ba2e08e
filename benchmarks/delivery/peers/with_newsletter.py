"""django-newsletter: one message to all subscribers of a newsletter, its templates filled for each."""

import os
from pathlib import Path

from django.utils import timezone
from newsletter.models import Message, Newsletter, Submission, Subscription  # type: ignore[import-not-found]
from texts import FOLDER, SUBJECT, address  # type: ignore[import-not-found]


def fill(messages: int) -> None:
    """Subscribe so many readers, and make the message ready for them."""
    own = Path(os.environ["PEER_TEMPLATES"]) / "newsletter" / "message"
    own.mkdir(parents=True, exist_ok=True)
    (own / "message_subject.txt").write_text("{{ message.title }}")
    for name in ("message.txt", "message.html"):
        text = (FOLDER / name).read_text().replace("{{ email }}", "{{ subscription.email }}")
        (own / name).write_text(text.replace("{{ token }}", "{{ subscription.activation_code }}"))
    newsletter, _ = Newsletter.objects.get_or_create(
        slug="papers", defaults={"title": "Daily Papers", "email": "papers@example.org", "sender": "Daily Papers"}
    )
    Subscription.objects.bulk_create(
        (
            Subscription(newsletter=newsletter, email_field=address(number), subscribed=True)
            for number in range(messages)
        ),
        batch_size=500,
    )
    message = Message.objects.create(newsletter=newsletter, title=SUBJECT[:200], slug="today")
    submission = Submission.from_message(message)
    Submission.objects.filter(pk=submission.pk).update(prepared=True, publish_date=timezone.now())


def sent() -> int:
    """How many were to be sent, where the whole message is marked as sent: it keeps no more."""
    return sum(submission.subscriptions.count() for submission in Submission.objects.filter(sent=True))
