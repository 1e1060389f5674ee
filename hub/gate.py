"""Which addresses may be called: no private ones, unless a setting says so."""

import ipaddress
from typing import TypeAlias

IP: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE = ipaddress.ip_network("::/96")


class PrivateAddress(OSError):
    """A name leads into a private network."""


class Gate:
    """Which addresses may be called: public ones, and private ones as far as `allowed` lists them.

    `allowed` is a comma list of host names, addresses and networks, or `*`.
    """

    def __init__(self, allowed: str = "") -> None:
        self._names: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for entry in filter(None, (part.strip().lower() for part in allowed.split(","))):
            try:
                self._networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                self._names.add(entry)

    def check(self, host: str, address: str) -> None:
        """Raise PrivateAddress unless `host` may be reached at this IP address."""
        ip = _unwrapped(ipaddress.ip_address(address))
        inner = ip.is_multicast or ip.is_reserved or (ip.version == 6 and ip.is_site_local)  # noqa: PLR2004 - IPv6
        public = ip.is_global and not inner
        allowed = "*" in self._names or host.lower() in self._names or any(ip in each for each in self._networks)
        if not (public or allowed):
            raise PrivateAddress(
                f"{host} is at {address}, not a public one; if meant, add it to BALCAO_ALLOW_PRIVATE_HOSTS"
            )

    def check_literal(self, host: str) -> None:
        """As `check`, for a host that is an IP address itself: no name is looked up for these."""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return
        self.check(host, host)


def _unwrapped(ip: IP) -> IP:
    """The IPv4 address that an IPv6 address carries, by mapping, 6to4, Teredo or NAT64; else itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    teredo = ip.teredo
    carried = ip.ipv4_mapped or ip.sixtofour or (teredo[1] if teredo else None)
    if carried is not None:
        return carried
    if ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 1):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip
