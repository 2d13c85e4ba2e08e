"""Whether a signature holds: by dkimpy, with the key from the DNS."""

import re

import dkim

from digest.health.names import Answer, Ask, How
from digest.health.received import aligned, bare, read, sender_of, signatures
from digest.health.verdict import Verdict, fault, not_checked, ok

NAME = "DKIM verified"
CHANGED = "A hop behind the signer changes the mail, or the published key is not the signer's."


def verified(raw: bytes, ask: Ask) -> Verdict:
    """Verify the aligned signature of a received copy as a mailbox provider would (RFC 6376 section 6)."""
    message = read(raw)
    signed = signatures(message)
    best = aligned(signed, sender_of(message))
    if best is None:
        return not_checked(NAME, "no signature of the From domain")
    silent: list[Answer] = []

    def key(name: bytes | str, timeout: float = 0) -> bytes | None:  # noqa: ARG001 - dkimpy hands a timeout; ours is in ask
        answer = ask((name.decode("ascii", "replace") if isinstance(name, bytes) else name).rstrip("."), "TXT")
        if answer.is_open:
            silent.append(answer)
        return answer.texts[0].encode() if answer.how is How.FOUND else None

    try:
        holds = dkim.DKIM(_as_sent(raw)).verify(idx=signed.index(best), dnsfunc=key)
    except dkim.NaClNotFoundError:
        return not_checked(NAME, "ed25519 needs the package pynacl", "Look at Authentication-Results instead.")
    except dkim.DKIMException as error:
        return _broken(silent, _without_names(str(error)))
    except (ValueError, KeyError, IndexError, TypeError) as error:  # dkimpy takes base64 and DER for granted
        return _broken(silent, type(error).__name__)
    return ok(NAME, "the signature holds") if holds else _broken(silent, "the signature does not hold")


def _without_names(text: str) -> str:
    """What dkimpy says, without the headers and addresses that it quotes. By words: a long one costs linear time."""
    words = re.sub(r"b'[^']*'", "...", text).split()
    return " ".join("..." if "@" in word else word for word in words)


def _broken(silent: list[Answer], why: str) -> Verdict:
    if silent:
        return not_checked(NAME, f"the key: {silent[0].how}")
    return fault(NAME, why, CHANGED)


def _as_sent(raw: bytes) -> bytes:
    """With the line ends that were signed (RFC 6376 section 5.3): files of mailboxes have lost them often."""
    return re.sub(rb"\r?\n", b"\r\n", bare(raw))
