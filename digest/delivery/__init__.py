"""Claims digests, renders them, sends them through Django's mail API, and records what became of each."""

from digest.delivery.conductor import TransportDown, send_digests

__all__ = ["TransportDown", "send_digests"]
