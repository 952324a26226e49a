"""Connections to public addresses only; the address that was checked is the one that is connected to."""

import ipaddress
import logging
import netrc
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from roadsafety_components.core.errors import InputError

# identity: lengths and ranges then mean the file itself.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "roadsafety-components (road-safety pipelines)"}
# Where a mirror of one's own may be: private and shared (RFC 1918, 4193, 6598) networks, this machine.
_OWN = "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7"
# Where clouds hand out credentials (Alibaba, Azure, Oracle, AWS, Google); the usual 169.254.169.254 is link-local.
_METADATA = "100.100.100.200/32 168.63.129.16/32 192.0.0.0/24 fd00:ec2::/32 fd20:ce::/32"


def client(timeout: Any, allow_private_addresses: bool = False) -> httpx.Client:
    """A client that follows redirects, each of them checked; ``NETRC`` names a file of users and passwords by host.

    Args:
        timeout: as httpx takes it.
        allow_private_addresses: whether a server may be in a private network or on this machine.

    Raises:
        InputError: a NETRC that cannot be read; in use, an address that is refused.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # its INFO tells whole URLs, with the secrets in them
    users, auth = os.environ.get("NETRC"), None
    if users:
        try:
            auth = httpx.NetRCAuth(users)
        except (OSError, netrc.NetrcParseError):  # whose message may quote a password
            raise InputError(f"{users}, which the variable NETRC names, cannot be read as a netrc file.") from None
    route = _Route(allow_private_addresses)
    return httpx.Client(transport=route, auth=auth, headers=_HEADERS, timeout=timeout, follow_redirects=True)


class _Route(httpx.BaseTransport):
    """Each request over the proxy that the environment names for it, or directly."""

    def __init__(self, allow_private: bool) -> None:
        self.allow_private = allow_private
        context = httpx.create_ssl_context()
        self.by_proxy = {"": httpx.HTTPTransport(verify=context)}
        self.by_proxy[""]._pool.close()  # fails if httpx moves it; there is no public place for a backend
        self.by_proxy[""]._pool = httpcore.ConnectionPool(context, network_backend=_Checked(allow_private))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"only http and https are fetched, not {url.scheme}")
        if proxy := _proxy(url):
            with suppress(OSError):  # a name that only the proxy knows is the proxy's to judge
                refuse(url.host, _addresses(url.host, url.port), self.allow_private)
            if proxy not in self.by_proxy:
                self.by_proxy[proxy] = httpx.HTTPTransport(proxy=proxy)
        return self.by_proxy[proxy].handle_request(request)

    def close(self) -> None:
        for transport in self.by_proxy.values():
            transport.close()


class _Checked(httpcore.SyncBackend):
    """Looks a name up once, refuses what may not be reached, and connects to that very address."""

    def __init__(self, allow_private: bool) -> None:
        self.allow_private = allow_private

    def connect_tcp(self, host: str, port: int, *rest: Any, **options: Any) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        try:
            addresses = _addresses(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        refuse(host, addresses, self.allow_private)
        for address in addresses:
            try:
                return super().connect_tcp(address, port, *rest, **options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


def refuse(host: str, addresses: Iterable[str], allow_private: bool) -> None:
    """Raise InputError if one of a host's addresses may not be connected to."""
    for address in addresses:
        ip = _reached(address)
        never = _within(ip, _METADATA)
        own = not never and _within(ip, _OWN)
        public = not never and ip.is_global and not ip.is_multicast and (ip.version == 4 or _within(ip, "2000::/3"))
        if not public and not (own and allow_private):
            why = "where no file server is (link-local, multicast, reserved, or a cloud's metadata): never fetched."
            if own:
                why = "in a private network or on this machine. If it is your mirror, set allow_private_addresses=true."
            raise InputError(f"{host} is at {address}, {why}")


def _addresses(host: str, port: int | None) -> list[str]:
    """All that a name stands for; also what the system takes for an address, such as 0x7f.1 or 2130706433."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise InputError(f"{host} can be no host's name: a part of it is empty, or over 63 letters.") from None
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def _within(ip: Any, networks: str) -> bool:
    return any(ip in ipaddress.ip_network(network) for network in networks.split())


def _reached(address: str) -> Any:
    """The address that is reached: of an IPv4 address within IPv6, that."""
    ip: Any = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 4:
        return ip
    if _within(ip, "64:ff9b::/96"):  # NAT64
        return ipaddress.IPv4Address(int(ip) % 2**32)
    return ip.ipv4_mapped or ip.sixtofour or ip


def _proxy(url: httpx.URL) -> str:
    """The proxy for a URL by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; "" for none."""
    known = getproxies()
    proxy = "" if proxy_bypass(url.host) else known.get(url.scheme) or known.get("all", "")
    proxy = proxy if not proxy or "://" in proxy else f"http://{proxy}"
    scheme = proxy.partition("://")[0].lower()  # no more is told: a password may follow
    if scheme not in ("", "http", "https"):
        raise InputError(f"the proxy for {url.host} is of the kind {scheme}, but only http and https proxies work: set "
                         f"{url.scheme.upper()}_PROXY to one, or NO_PROXY for this host.")  # fmt: skip
    return proxy
