"""What a Django project would write, without a package for it."""

from itertools import islice
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.signing import Signer
from django.template import Context, Template

from benchmarks.delivery.measured import Figures, Progress, measuring, tell
from subscriptions.models import Subscriber

CHUNK, WARM_UP = 100, 100


def send_messages(*, messages: int, folder: str) -> None:
    """Django's ``send_messages`` by the hundred, over one connection of Django's own SMTP backend.

    Included: reading the readers' addresses, a signed link for each, two templates that are compiled once (the text
    and HTML of a finished digest, with places for the link and the address), building the messages, and sending them.
    Not included: choosing papers, rendering them, and writing down what was sent.
    """
    subject = (Path(folder) / "subject.txt").read_text()
    text, html = (Template((Path(folder) / name).read_text()) for name in ("message.txt", "message.html"))
    signer, figures, progress = Signer(), Figures(messages), Progress()

    def message(pk: int, email: str) -> EmailMultiAlternatives:
        context = Context({"email": email, "token": signer.sign(str(pk))})
        link = f"{settings.SITE_URL}/unsubscribe/{context['token']}/"
        headers = {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        made = EmailMultiAlternatives(subject, text.render(context), to=[email], headers=headers)
        made.attach_alternative(html.render(context), "text/html")
        return made

    readers = Subscriber.objects.order_by("pk").values_list("pk", "email")[:messages].iterator()
    mail_server = get_connection("django.core.mail.backends.smtp.EmailBackend")
    mail_server.open()
    mail_server.send_messages([message(0, "reader@example.org") for _ in range(WARM_UP)])
    with measuring(figures):
        while chunk := list(islice(readers, CHUNK)):
            mail_server.send_messages([message(*reader) for reader in chunk])
            progress(len(chunk))
    mail_server.close()
    tell(figures)
