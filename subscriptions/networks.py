"""Where a request came from, and which addresses are one network: for all that is counted by network."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings


def network_of(ip: str) -> str:
    """What counts as one network of one subscriber line: an IPv4 address, the /64 of an IPv6 one; "" where unknown."""
    address = _parsed(ip)
    if address is None:
        return ""
    return str(ip_network((address, 64 if address.version == 6 else 32), strict=False))


def wide_network_of(ip: str) -> str:
    """The /24 of an IPv4 address, the /48 of an IPv6 one; "" where unknown."""
    address = _parsed(ip)
    if address is None:
        return ""
    return str(ip_network((address, 48 if address.version == 6 else 24), strict=False))


def _parsed(ip: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(ip.strip().partition("%")[0])
    except ValueError:
        return None
    # ::ffff:192.0.2.1 is 192.0.2.1 in another dress (RFC 4291 section 2.5.5.2).
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def client_ip(request: object) -> str:
    """The address that a request came from: of the connection, or as the proxies of ours wrote it.

    Each proxy appends the address that it saw to X-Forwarded-For, so with PROXY_HOPS of our own the one that counts
    is that far from the right; what stands left of it anybody can write.
    """
    meta: dict[str, str] = getattr(request, "META", {})
    hops = settings.PROXY_HOPS
    if hops:
        forwarded = [_without_port(part.strip()) for part in meta.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(forwarded) >= hops and _parsed(forwarded[-hops]) is not None:
            return forwarded[-hops]
    return meta.get("REMOTE_ADDR", "")


def _without_port(address: str) -> str:
    """Some proxies write the port too: 203.0.113.9:52100, [2001:db8::1]:52100."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def client_network_address(request: object) -> str | None:
    """The first address of the network that a request came from, as counting has it; None where unknown.

    What a library is told that asks for an address: an IPv4 one whole, of an IPv6 one the /64.
    """
    return network_of(client_ip(request)).partition("/")[0] or None
