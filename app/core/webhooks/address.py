"""Which addresses a webhook may go to: public ones, and those that the operator allowed.

A receiver's URL comes from a user, the request from our network; without this rule anybody who may make a webhook
could reach what only we can reach (server-side request forgery). Sources: IANA's special-purpose address registries,
RFC 6890; RFC 4291 for what IPv6 assigns; RFC 6052 and RFC 3056 for IPv4 addresses carried inside IPv6 ones.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_UNICAST = IPv6Network("2000::/3")  # the only part of IPv6 that is assigned to public hosts
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
# Public by the register that Python ships, but of no public host; 168.63.129.16 is what Azure's machines are run from.
_SPECIAL = tuple(
    ip_network(each)
    for each in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "2001:db8::/32", "3fff::/20")
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator allows besides public addresses: networks, and host names whatever they resolve to."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, items: Iterable[str]) -> "Allowed":
        """Return what a list of networks, addresses and host names allows. Raises ValueError for anything else."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for item in items:
            if "/" in item or ":" in item or item.replace(".", "").isdigit():
                networks.append(_network(item))
            elif item.replace("-", "").replace(".", "").isalnum() and item.isascii():
                hosts.add(item.lower().rstrip("."))
            else:
                raise ValueError(
                    f"{item!r} is no network like 10.1.0.0/16 and no host name like hooks.intranet.example"
                )
        return cls(tuple(networks), frozenset(hosts))


def refusal(host: str, addresses: Sequence[str], allowed: Allowed) -> str | None:
    """Return why nothing is sent to a host with these addresses, None when all of them may be sent to.

    One bad address refuses the host: which of them is connected to is not ours to choose safely.
    """
    if not addresses:
        return f"{host} has no address that could be found"
    if host.lower().rstrip(".") in allowed.hosts:
        return None
    for text in addresses:
        if fault := _fault(text, allowed):
            shown = host if host == text else f"{host} ({text})"
            return f"{shown} is {fault}; webhooks go to public addresses and to HOLDFIRE_WEBHOOK_ALLOWED_NETWORKS"
    return None


def _fault(text: str, allowed: Allowed) -> str | None:
    try:
        given = ip_address(text)
    except ValueError:
        return "no IP address"
    address = getattr(given, "ipv4_mapped", None) or given
    for each in (address, *_carried(address)):
        if not any(each.version == network.version and each in network for network in allowed.networks) and (
            fault := _kind(each)
        ):
            return fault
    return None


def _kind(address: Address) -> str | None:
    """Return what kind of special address it is, None for a public one."""
    kinds = (
        (address.is_unspecified, "the unspecified address"),
        (address.is_loopback, "a loopback address"),
        (address.is_link_local, "a link-local address"),
        (address.is_multicast, "a multicast address"),
        (not address.is_global, "a private or reserved address"),
        (_is_special(address), "a reserved address"),
    )
    return next((name for holds, name in kinds if holds), None)


def _is_special(address: Address) -> bool:
    if any(address.version == network.version and address in network for network in _SPECIAL):
        return True
    return isinstance(address, IPv6Address) and address not in _UNICAST and address not in _NAT64


def _carried(address: Address) -> Iterator[IPv4Address]:
    """Yield the IPv4 address that a translator would take out of an IPv6 one."""
    if isinstance(address, IPv6Address):
        if address.sixtofour is not None:
            yield address.sixtofour
        if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
            yield IPv4Address(int(address) & 0xFFFF_FFFF)


def _network(item: str) -> Network:
    try:
        return ip_network(item, strict=False)
    except ValueError as fault:
        raise ValueError(f"{item!r} is no network: {fault}; write one like 10.1.0.0/16 or fd00::/8") from None
