"""Wiring. Celery's app is loaded with the package: without it a nudge of the web process finds no broker."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
