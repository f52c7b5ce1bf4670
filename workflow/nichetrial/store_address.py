"""Addresses of tracking stores: what may stand in one, wherever it is written."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from nichetrial import codes
from nichetrial.errors import Code

__all__ = ["refusal"]

RIGHT = "write sqlite:///results/mlflow/mlflow.db, or the http:// or https:// address of a server"

METADATA_NAMES = {"metadata", "metadata.google.internal", "metadata.goog", "instance-data"}
"""Names under which clouds give a machine's credentials to whoever asks from it."""

METADATA_ADDRESSES = {
    ipaddress.ip_address(text)
    for text in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16")
}
"""The same by number, where it is not link-local anyway (AWS, Google, Alibaba, Azure)."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")


def refusal(uri: str) -> tuple[Code, str] | None:
    """Why ``uri`` cannot be the address of a store, without repeating it; None if it can be.

    >>> refusal("https://mlflow.example.org") is None
    True
    >>> code, message = refusal("https://ann:secret@mlflow.example.org")
    >>> code == codes.SECRET_IN_ADDRESS, "secret" in message
    (True, False)
    """
    scheme, _, rest = uri.partition(":")
    if scheme not in {"sqlite", "http", "https"}:
        return codes.UNFIT_ADDRESS, f"this is not a kind of store that is supported; {RIGHT}"
    if "?" in rest or (scheme != "sqlite" and re.search("[#@]", rest)):
        return (
            codes.SECRET_IN_ADDRESS,
            "an address is kept with the results, so it may hold no user, password, token, ? or #; "
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, "
            "in the environment",
        )
    if re.search(r"[\x00-\x1f]", rest) or (scheme != "sqlite" and re.search(r"[\s\\]", rest)):
        return codes.UNFIT_ADDRESS, f"an address has no spaces or backslashes; {RIGHT}"
    if scheme == "sqlite":
        if rest.startswith("///") and rest.removeprefix("///").strip("/"):
            return None
        return codes.UNFIT_ADDRESS, f"this names no SQLite file; {RIGHT}"
    try:
        address = urlsplit(uri)
        host, _ = address.hostname, address.port
    except ValueError:
        host = None
    if not host:
        return codes.UNFIT_ADDRESS, f"this names no server; {RIGHT}"
    if _gives_credentials(host):
        return (
            codes.UNFIT_ADDRESS,
            "this is where a machine asks for its own address or credentials, never an MLflow "
            f"server; {RIGHT}",
        )
    return None


def _gives_credentials(host: str) -> bool:
    """A link-local or metadata address, in any spelling that a resolver takes."""
    host = host.rstrip(".").partition("%")[0].lower()
    if host in METADATA_NAMES:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:  # 2852039166, 0xa9fea9fe, 0251.254.43518
            address = ipaddress.ip_address(socket.inet_aton(host))
        except OSError:
            return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64 or int(address) < 2**32:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        address = inner or address
    return address.is_link_local or address in METADATA_ADDRESSES
