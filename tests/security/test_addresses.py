"""Requests that a URL could make on somebody's behalf: which addresses are reached, and which are not."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from roadsafety_components.components.download_stats19 import download_stats19
from roadsafety_components.components.load_stats19 import load_stats19
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.fetch import fetch

from ..core.site import Fault, File, Portal

PUBLIC = "93.184.215.14"
OWN = [
    "127.0.0.1", "localhost", "10.1.2.3", "172.31.0.1", "192.168.0.1", "100.64.0.1", "[::1]", "[fd00::1]",
    # other spellings of 127.0.0.1
    "2130706433", "0x7f.1", "0177.1", "127.1", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "0xa9fea9fe", "100.100.100.200",
    "168.63.129.16", "[::ffff:168.63.129.16]", "0xa83f8110", "192.0.0.192",
    "[fd00:ec2::254]", "[fd00:ec2::23]", "[fd20:ce::254]", "[fe80::1]",
    "0.0.0.0", "[::]", "224.0.0.1", "[ff02::1]", "240.0.0.1", "255.255.255.255",
    "198.18.0.1", "192.0.2.1", "[2001:db8::1]", "[fec0::1]",
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch) -> None:
    """Tests say themselves which proxy there is."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NETRC"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A server on this machine."""
    with Portal() as portal:
        portal.files["/a.csv"] = File(b"a,b\n")
        yield portal


@pytest.fixture
def connected(monkeypatch) -> list[str]:
    """Every address that a connection is tried to; none succeeds."""
    tried: list[str] = []

    def connect(self: object, host: str, port: int, *_: object, **__: object) -> None:
        tried.append(host)
        raise httpcore.ConnectError("not in a test")

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    return tried


def names(monkeypatch, **known: list[list[str]]) -> list[str]:
    """A resolver with these answers in turn, by the host's first label; the list of what it was asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *rest: object, **how: object) -> list:
        label = str(host).partition(".")[0]
        if label not in known:
            return real(host, port, *rest, **how)
        asked.append(host)
        answers = known[label]
        now = answers.pop(0) if len(answers) > 1 else answers[0]
        if not now:
            raise socket.gaierror("unknown name")
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in now]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def get(url: str, folder: Path, **how: object) -> None:
    """Fetch without waits."""
    fetch(url, folder / "got", attempts=1, wait_seconds=0.0, **how)


# Which addresses


@pytest.mark.parametrize("host", OWN)
def test_an_address_of_a_private_network_is_refused_unless_allowed(tmp_path: Path, connected, host: str) -> None:
    """Nothing is sent; the message names the parameter; with it, a connection is tried."""
    with pytest.raises(InputError, match=r"in a private network or on this machine.* set allow_private_addresses=true"):
        get(f"http://{host}/a.csv", tmp_path)
    assert connected == []
    with pytest.raises(InputError, match="ConnectError not in a test"):
        get(f"http://{host}/a.csv", tmp_path, allow_private_addresses=True)
    assert connected


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("host", NEVER)
def test_metadata_services_and_the_like_are_never_reached(tmp_path: Path, connected, host: str, allowed: bool) -> None:
    """Link-local, a cloud's metadata, multicast, reserved: no mirror is there, so no parameter allows them."""
    with pytest.raises(InputError, match="never fetched"):
        get(f"http://{host}/latest/meta-data", tmp_path, allow_private_addresses=allowed)
    assert connected == []


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".example"])
def test_what_can_be_no_name_is_told_in_a_sentence(tmp_path: Path, monkeypatch, connected, host: str) -> None:
    """Directly and by a proxy."""
    with pytest.raises(InputError, match=rf"^{host} can be no host's name: a part of it is empty, or over 63 letters"):
        get(f"http://{host}/a.csv", tmp_path)
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
    with pytest.raises(InputError, match="can be no host's name"):
        get(f"http://{host}/a.csv", tmp_path)
    assert connected == []


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", f"64:ff9b::{PUBLIC}"])
def test_a_public_address_is_connected_to(tmp_path: Path, monkeypatch, connected, address: str) -> None:
    """Also through the gateway of a network that has IPv6 alone."""
    names(monkeypatch, data=[[address]])
    with pytest.raises(InputError, match="ConnectError not in a test"):
        get("https://data.example/a.csv", tmp_path)
    assert connected == [address]


def test_a_name_with_a_private_address_among_its_addresses_is_refused(tmp_path: Path, monkeypatch, connected) -> None:
    """What stands first in an answer is the attacker's choice."""
    names(monkeypatch, data=[[PUBLIC, "10.0.0.1"]])
    with pytest.raises(InputError, match=r"data\.example is at 10\.0\.0\.1"):
        get("http://data.example/a.csv", tmp_path)
    assert connected == []


def test_a_name_is_looked_up_once_and_what_was_checked_is_connected_to(tmp_path, monkeypatch, connected) -> None:
    """A name that answers with another address the second time (DNS rebinding) gains nothing."""
    asked = names(monkeypatch, data=[[PUBLIC], ["127.0.0.1"]])
    with pytest.raises(InputError, match="ConnectError not in a test"):
        get("http://data.example/a.csv", tmp_path)
    assert (asked, connected) == (["data.example"], [PUBLIC])


def test_all_public_addresses_of_a_name_are_tried(tmp_path: Path, monkeypatch, connected) -> None:
    """As without the check."""
    names(monkeypatch, data=[[PUBLIC, "93.184.215.15"]])
    with pytest.raises(InputError, match="ConnectError not in a test"):
        get("http://data.example/a.csv", tmp_path)
    assert connected == [PUBLIC, "93.184.215.15"]


# Redirects


@pytest.mark.parametrize("place", ["http://{}/b.csv", "http://localhost/b.csv", "http://169.254.169.254/"])
def test_every_redirect_is_checked(portal: Portal, tmp_path: Path, monkeypatch, place: str) -> None:
    """A public server sends on to a private address, which is not asked."""
    names(monkeypatch, data=[[PUBLIC]])
    real, port = httpcore.SyncBackend.connect_tcp, portal.server.server_port

    def connect(self: object, host: str, _: int, *rest: object, **how: object) -> object:
        assert host == PUBLIC
        return real(self, "127.0.0.1", port, *rest, **how)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    portal.faults["/a.csv"] = [Fault(status=302, headers={"Location": place.format(f"127.0.0.1:{port}")})]
    with pytest.raises(InputError, match=r"private network|never fetched"):
        get("http://data.example/a.csv", tmp_path)
    assert [q.path for q in portal.asked] == ["/a.csv"]
    assert portal.asked[0].headers["Host"] == "data.example"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/a.csv", "gopher://127.0.0.1/"])
def test_only_http_and_https_are_followed(portal: Portal, tmp_path: Path, place: str) -> None:
    """No server can make a step read a local file."""
    portal.faults["/a.csv"] = [Fault(status=302, headers={"Location": place})]
    with pytest.raises(InputError, match="UnsupportedProtocol"):
        get(f"{portal.url}/a.csv", tmp_path, allow_private_addresses=True)
    assert list(tmp_path.iterdir()) == []


# TLS


@pytest.fixture
def secure(tmp_path: Path, monkeypatch) -> Iterator[SimpleNamespace]:
    """A TLS server on this machine with a certificate for mirror.test, which this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mirror.test")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1),
                                   now + timedelta(1))  # fmt: skip
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("mirror.test")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    file = tmp_path / "mirror.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    told = SimpleNamespace(names=[], hosts=[], port=0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.hosts.append(self.headers["Host"])
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"a,b\n")

        def log_message(self, *_: object) -> None: ...

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.sni_callback = lambda _, name, __: told.names.append(name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # a client that hangs up
    server.socket = context.wrap_socket(server.socket, server_side=True)
    told.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield told
    server.shutdown()
    server.server_close()


def test_the_certificate_is_checked_for_the_name_not_the_address(secure, tmp_path: Path, monkeypatch) -> None:
    """Connecting to a checked address changes neither the name that TLS is asked for, nor the Host header."""
    names(monkeypatch, mirror=[["127.0.0.1"]], other=[["127.0.0.1"]])
    get(f"https://mirror.test:{secure.port}/a.csv", tmp_path, allow_private_addresses=True)
    assert (tmp_path / "got").read_bytes() == b"a,b\n"
    assert (secure.names, secure.hosts) == (["mirror.test"], [f"mirror.test:{secure.port}"])
    with pytest.raises(InputError, match="CERTIFICATE_VERIFY_FAILED"):
        get(f"https://other.test:{secure.port}/a.csv", tmp_path, allow_private_addresses=True)
    assert secure.hosts == [f"mirror.test:{secure.port}"]


# Proxies


def test_a_proxy_of_the_environment_is_used_and_judges_names_that_only_it_knows(portal, tmp_path, monkeypatch) -> None:
    """This machine cannot look the name up, as in many clusters."""
    names(monkeypatch, data=[[]])
    monkeypatch.setenv("HTTP_PROXY", portal.url)
    portal.files["http://data.example/a.csv"] = File(b"a,b\n")
    get("http://data.example/a.csv", tmp_path)
    assert (tmp_path / "got").read_bytes() == b"a,b\n"


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://0x7f.1/", "http://169.254.169.254/", "http://inner.test/"])
def test_a_proxy_is_not_asked_for_what_is_known_to_be_private(portal, tmp_path, monkeypatch, url: str) -> None:
    """By its spelling, or because this machine knows the name."""
    names(monkeypatch, inner=[["10.0.0.1"]])
    monkeypatch.setenv("HTTP_PROXY", portal.url)
    with pytest.raises(InputError, match=r"private network|never fetched"):
        get(url, tmp_path)
    assert portal.asked == []


@pytest.mark.parametrize(("variable", "told"), [("ALL_PROXY", "HTTP_PROXY"), ("HTTP_PROXY", "HTTP_PROXY")])
def test_a_proxy_of_another_kind_is_refused_in_a_sentence(tmp_path, monkeypatch, variable: str, told: str) -> None:
    """It says which kinds work, and tells no password."""
    monkeypatch.setenv(variable, "socks5://user:s3cret@127.0.0.1:1")
    with pytest.raises(InputError, match=f"kind socks5, but only http and https proxies work: set {told}") as caught:
        get("http://data.example/a.csv", tmp_path)
    assert "s3cret" not in str(caught.value)


def test_hosts_of_no_proxy_are_checked_as_without_one(portal: Portal, tmp_path: Path, monkeypatch) -> None:
    """NO_PROXY is no way around."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(InputError, match="private network"):
        get(f"{portal.url}/a.csv", tmp_path)
    get(f"{portal.url}/a.csv", tmp_path, allow_private_addresses=True)
    assert [q.path for q in portal.asked] == ["/a.csv"]


# The steps


def test_the_steps_refuse_by_default(portal: Portal, tmp_path: Path) -> None:
    """Both steps that take URLs, called as a pipeline calls them."""
    raw, *tables = [SimpleNamespace(path=str(tmp_path / name), metadata={}) for name in "abcd"]
    with pytest.raises(InputError, match="set allow_private_addresses=true"):
        download_stats19.python_func(raw, base_url=portal.url, attempts=1)
    with pytest.raises(InputError, match="set allow_private_addresses=true"):
        load_stats19.python_func(*tables, source=f"{portal.url}/{{table}}.csv")
    assert portal.asked == []
    assert list(tmp_path.iterdir()) == []


def test_every_pipeline_with_urls_hands_the_parameter_on(checkout: Path) -> None:
    """It is false unless set."""
    with_urls = [f for f in (checkout / "pipelines").glob("*.py") if "source=source" in f.read_text() or "base_url" in
                 f.read_text()]  # fmt: skip
    assert len(with_urls) == 4
    for file in with_urls:
        assert "allow_private_addresses: bool = False," in file.read_text()
        assert "allow_private_addresses=allow_private_addresses" in file.read_text()
