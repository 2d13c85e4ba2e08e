"""Mails over SMTP: ``subscriptions.smtp.EmailBackend`` is what a MAIL_URL of smtp or smtps names."""

from subscriptions.smtp.backend import EmailBackend
from subscriptions.smtp.connection import TooLarge, Unsent

__all__ = ["EmailBackend", "TooLarge", "Unsent"]
