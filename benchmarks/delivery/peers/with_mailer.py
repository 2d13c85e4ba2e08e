"""django-mailer: whole messages in its queue."""

from django.core.mail import EmailMultiAlternatives
from mailer.models import Message, MessageLog  # type: ignore[import-not-found]
from texts import SUBJECT, address, filled  # type: ignore[import-not-found]


def fill(messages: int) -> None:
    """Queue so many mails."""
    Message.objects.bulk_create((_message(number) for number in range(messages)), batch_size=500)


def _message(number: int) -> Message:
    headers = {"List-Unsubscribe": f"<https://papers.example.org/unsubscribe/{number}/>"}
    email = EmailMultiAlternatives(SUBJECT, filled("message.txt", number), to=[address(number)], headers=headers)
    email.attach_alternative(filled("message.html", number), "text/html")
    message = Message()
    message.email = email
    return message


def sent() -> int:
    """How many were sent."""
    return int(MessageLog.objects.filter(result="1").count())
