"""django-post_office: ready mails in its queue, with the header that a list needs."""

from post_office.models import STATUS, Email  # type: ignore[import-not-found]
from texts import SUBJECT, address, filled  # type: ignore[import-not-found]


def fill(messages: int) -> None:
    """Queue so many mails."""
    for start in range(0, messages, 500):
        Email.objects.bulk_create(
            Email(
                from_email="papers@example.org",
                to=[address(number)],
                subject=SUBJECT,
                message=filled("message.txt", number),
                html_message=filled("message.html", number),
                headers={"List-Unsubscribe": f"<https://papers.example.org/unsubscribe/{number}/>"},
                status=STATUS.queued,
            )
            for number in range(start, min(start + 500, messages))
        )


def sent() -> int:
    """How many were sent."""
    return int(Email.objects.filter(status=STATUS.sent).count())
