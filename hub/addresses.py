"""The address of a store that stands on a host of its seller's choice. Pure."""

import ipaddress
from urllib.parse import urlsplit


def store_ref(url: str) -> str:
    """Host and path of a store, the same however its address was typed; "" for what is no address."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").rstrip(".")
        port = f":{parts.port}" if parts.port not in (None, 80, 443) else ""
    except ValueError:  # a port that is none, a broken bracket
        return ""
    return host + port + parts.path.rstrip("/")


def store_url(typed: str, *tails: str) -> str:
    """A store's address as typed, with its scheme, without query, fragment and whatever follows one of `tails`.

    A ValueError for what is no address, to be raised in a credential's validator.
    """
    url = typed.strip()
    url = (url if "://" in url else f"https://{url}").split("?")[0].split("#")[0]
    for tail in tails:
        url = url.split(tail)[0]
    if not url.lower().startswith(("http://", "https://")) or not store_ref(url):
        raise ValueError("not the address of a store")
    return url.rstrip("/")


def is_safe(url: str) -> bool:
    """Whether a key may travel there: over https, or to a host of this machine or network."""
    parts = urlsplit(url)
    return parts.scheme == "https" or _is_private(parts.hostname or "")


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".test"))
