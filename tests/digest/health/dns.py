"""A DNS out of a dictionary, and keys to put into it."""

import base64
from pathlib import Path

from dkim.crypto import parse_pem_private_key

from digest.health.names import Answer, How

SIGNER = (Path(__file__).parent / "signer.pem").read_bytes()  # made for these tests; it signs nothing else


def zone(records):
    """``ask`` over {"name KIND": [texts] or how it fails}; other names do not exist, other kinds have no record."""
    names = {key.split()[0] for key in records}

    def ask(name, kind):
        found = records.get(f"{name} {kind}", How.NO_RECORD if name in names else How.NO_NAME)
        return Answer(found) if isinstance(found, How) else Answer(How.FOUND, tuple(found))

    return ask


def counted(ask):
    """``ask``, and the list of what it was asked."""
    asked = []

    def listed(name, kind):
        asked.append((name, kind))
        return ask(name, kind)

    return listed, asked


def rsa(bits):
    """A public key of so many bits, as it stands in p=. Nobody has its private half."""
    return _encoded((1 << (bits - 1)) + 1, 65537)


def signers_key():
    """The public half of SIGNER."""
    key = parse_pem_private_key(SIGNER)
    return f"v=DKIM1; k=rsa; p={_encoded(key['modulus'], key['publicExponent'])}"


def _encoded(modulus, exponent):
    """RSAPublicKey in DER (RFC 8017 appendix A.1.1)."""
    return base64.b64encode(_der(0x30, _integer(modulus) + _integer(exponent))).decode()


def _integer(number):
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))  # a leading zero keeps it positive


def _der(tag, content):
    size = len(content)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + content
