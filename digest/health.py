"""What /healthz and /readyz ask."""

from django.conf import settings
from django.db import DatabaseError, connection
from kombu import Connection
from kombu.exceptions import OperationalError


def faults() -> list[str]:
    """What keeps this process from doing its work, in words; empty when all is well."""
    found = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        found.append(f"database: {type(error).__name__}")
    try:
        with Connection(
            settings.REDIS_URL, connect_timeout=2, transport_options={"socket_connect_timeout": 2}
        ) as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except (OperationalError, OSError) as error:
        found.append(f"broker: {type(error).__name__}")
    return found
