"""Reaching a server: every way to prove who asks, and every way to fail."""

import datetime
import http.server
import ipaddress
import socket
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from roadsafety_components.cli import failures
from roadsafety_components.cli.access import Access, cookie_header
from roadsafety_components.core.errors import InputError

from .api import serving

SECRET = "sesame-4711-0815"


@pytest.fixture
def submit(command, url, small):
    """Return a function that submits a small pipeline to the server in memory."""
    return lambda *words: command("submit", small, "--host", url, *words)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return a file with a self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def said_once(submit):
    """Return a function that submits in vain: its one line on standard error, exit code 2."""

    def call(*words):
        done = submit(*words)
        assert done.returncode == 2, done.stdout
        assert done.stderr.count("\n") == 1, done.stderr
        assert SECRET not in done.stderr + done.stdout
        return done.stderr.removeprefix("Input error: ").rstrip()

    return call


# -- who asks


def test_a_token_of_the_environment(submit, api, monkeypatch):
    """ROADSAFETY_TOKEN, so that no command line shows it."""
    api.token = SECRET
    monkeypatch.setenv("ROADSAFETY_TOKEN", SECRET)
    done = submit()
    assert done.returncode == 0, done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_token_file_is_read_anew_for_each_request(submit, api, tmp_path, monkeypatch):
    """A pod's token is exchanged while a run is waited for."""
    path = tmp_path / "token"
    path.write_text("before-4711\n")
    api.token, api.states = "before-4711", ["RUNNING", "SUCCEEDED"]
    original = api.run_service_get_run

    def exchange(**words):
        path.write_text(SECRET)
        api.token = SECRET
        return original(**words)

    monkeypatch.setattr(api, "run_service_get_run", exchange)
    done = submit("--token-file", path, "--wait", "--poll-seconds", 0.01)
    assert done.returncode == 0, done.stderr


def test_the_variable_that_kubeflow_sets_in_pods_names_the_token_file(submit, api, tmp_path, monkeypatch):
    """KF_PIPELINES_SA_TOKEN_PATH, and KF_PIPELINES_ENDPOINT in place of --host."""
    path = tmp_path / "token"
    path.write_text(SECRET)
    api.token = SECRET
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(path))
    assert submit().returncode == 0


def test_the_address_of_the_environment(command, url, small, monkeypatch):
    """KF_PIPELINES_ENDPOINT in place of --host, as kfp has it."""
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", url)
    assert command("submit", small).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        f"authservice_session={SECRET}; theme=dark\n",
        "# Netscape HTTP Cookie File\n"
        f"127.0.0.1\tFALSE\t/\tFALSE\t0\tauthservice_session\t{SECRET}\n127.0.0.1\tFALSE\t/\tFALSE\t0\ttheme\tdark\n"
        ".bank.example\tTRUE\t/\tTRUE\t0\tsession\tof-another-site\n",
    ],
)
def test_the_session_of_a_browser(submit, api, tmp_path, text):
    """Cookies as a header has them, and as a browser exports them: those of other sites stay here."""
    path = tmp_path / "cookies.txt"
    path.write_text(text)
    api.cookie = f"authservice_session={SECRET}; theme=dark"
    done = submit("--cookie-file", path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("domain", "host", "sent"),
    [
        ("kubeflow.example", "kubeflow.example", True),
        (".example", "kubeflow.example", True),
        ("example", "kubeflow.example", False),
        (".low.example", "kubeflow.example", False),
        ("other.example", "kubeflow.example", False),
    ],
)
def test_a_cookie_goes_to_its_own_domain(tmp_path, domain, host, sent):
    """As a browser has it: to hosts below it only where it begins with a dot."""
    path = tmp_path / "cookies.txt"
    below = str(domain.startswith(".")).upper()
    path.write_text(f"# Netscape HTTP Cookie File\n{domain}\t{below}\t/\tFALSE\t0\tsession\t{SECRET}\n")
    if sent:
        assert cookie_header(path, f"https://{host}/pipeline") == f"session={SECRET}"
    else:
        with pytest.raises(InputError, match=f"holds no cookie of {host}"):
            cookie_header(path, f"https://{host}/pipeline")


def test_googles_proxy(submit, api, monkeypatch):
    """The client ID becomes a token: here without asking Google."""
    api.token = SECRET
    monkeypatch.setattr("kfp.client.auth.get_auth_token", lambda client, *_: ({"id-1": SECRET}[client], False))
    assert submit("--iap-client-id", "id-1").returncode == 0


def test_who_is_not_known_is_told_how_to_say_it(said_once, api):
    """Status 401 without credentials."""
    api.token = SECRET
    said = said_once()
    assert "does not know who you are (HTTP status 401): give --token-file, --cookie-file or --iap-client-id" in said


def test_a_token_that_is_not_accepted_is_never_shown(said_once, api, submit):
    """It has expired, or is for another server."""
    api.token = "another"
    said = said_once("--token", SECRET)
    assert "what you gave has expired, or is for another server" in said


def test_a_server_that_repeats_a_token_does_not_make_us_do_so(said_once, api, monkeypatch):
    """Some proxies print the request in their error page."""

    def repeat(**_):
        from .api import INVALID, Refused

        raise Refused(INVALID, f"bad request with Authorization: Bearer {SECRET}")

    monkeypatch.setattr(api, "run_service_create_run", repeat)
    assert "bad request with Authorization: Bearer ***" in said_once("--token", SECRET)


def test_cookies_that_are_none(said_once, tmp_path):
    """The file's content is not shown."""
    path = tmp_path / "cookies.txt"
    path.write_text(SECRET)
    assert "one line NAME=VALUE; NAME=VALUE was expected" in said_once("--cookie-file", path)


def test_an_access_does_not_show_its_token():
    """Not in a traceback that prints it either."""
    assert SECRET not in repr(Access(host="http://localhost", token=SECRET))


# -- TLS


def test_a_certificate_of_ones_own(command, api, small, certificate):
    """Not trusted; trusted with --ca-file; anything goes with --insecure, and it is said."""
    with serving(api, certificate) as url:
        done = command("submit", small, "--host", url)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert f"the certificate of {url} is not trusted here: give --ca-file" in done.stderr
        assert command("submit", small, "--host", url, "--ca-file", certificate).returncode == 0
        done = command("submit", small, "--host", url, "--insecure")
        assert (done.returncode, done.stderr) == (0, "note: certificates are not checked (--insecure).\n")


def test_a_file_that_holds_no_certificate(said_once, small):
    """Told apart from a certificate that is not trusted."""
    assert "small.yaml: holds no certificate in the format PEM" in said_once("--ca-file", small)


def test_https_to_a_server_without(command, url, small):
    """The other scheme is asked for."""
    done = command("submit", small, "--host", url.replace("http:", "https:"))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "does not speak TLS as it should" in done.stderr
    assert "is it http://?" in done.stderr


# -- nobody, somebody else, somebody old


def test_nobody(command, small):
    """With what usually is the cause."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    done = command("submit", small, "--host", url)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"nobody answers at {url}" in done.stderr
    assert "kubectl port-forward" in done.stderr


def test_a_proxy_is_named_without_its_password(command, small, url):
    """The proxy is where nobody answers."""
    done = command("submit", small, "--host", url, "--proxy", f"http://me:{SECRET}@127.0.0.1:1")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert SECRET not in done.stderr
    assert "http://127.0.0.1:1" in done.stderr


def test_a_host_that_does_not_exist(command, small):
    """The name is told from the port."""
    done = command("submit", small, "--host", "http://nowhere.invalid")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "there is no host of the name in http://nowhere.invalid" in done.stderr


def test_a_server_that_never_answers(command, small, monkeypatch):
    """The wait ends."""
    monkeypatch.setattr(failures, "TIMEOUT", (0.2, 0.2))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        done = command("submit", small, "--host", f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "does not answer within 0.2 s" in done.stderr


def test_a_connection_that_breaks(said_once, api):
    """What was not understood is said as it is."""
    api.broken = 1
    assert "the connection to http://127.0.0.1:" in said_once()


def test_a_login_page(said_once, api):
    """A page that answers 200 to everything started no run."""
    api.page = "<html>Sign in</html>"
    said = said_once()
    assert "answers with a page, not as the Kubeflow Pipelines API does: a login page, or another server?" in said
    assert "--cookie-file" in said


def test_a_port_that_speaks_something_else(command, small):
    """A database or ssh, say: told from a connection that breaks."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet():
            there, _ = other.accept()
            with there:
                there.recv(1 << 16)
                there.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        threading.Thread(target=greet, daemon=True).start()
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        done = command("submit", small, "--host", url)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"what is at {url} answers, but not as a web server does. Is the port right?" in done.stderr


def test_another_server(command, small, tmp_path):
    """A web server that has no such path."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        done = command("submit", small, "--host", f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
    assert done.returncode == 2
    assert "HTTP status 501" in done.stderr


def test_a_path_that_is_not_the_apis(command, url, small):
    """Kubeflow has its pipelines under /pipeline."""
    done = command("submit", small, "--host", f"{url}/somewhere")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is not the Kubeflow Pipelines API (HTTP status 404 for its health)" in done.stderr
    assert "In Kubeflow it ends in /pipeline" in done.stderr


@pytest.mark.parametrize(
    ("health", "message"),
    [
        ({"apiServerReady": False}, "the user interface at http://127.0.0.1:"),
        ({"status": "UP"}, "answers, but not as the Kubeflow Pipelines API does. Is the address right?"),
    ],
)
def test_a_server_that_is_not_ready_and_one_that_is_something_else(said_once, api, health, message):
    """The user interface answers for an API server that is down."""
    api.health = health
    assert message in said_once()
    assert api.requests == []


def test_the_version_as_the_user_interface_has_it(submit, api):
    """It hands on what the API server says under names of its own."""
    api.health = {"apiServerReady": True, "apiServerMultiUser": False, "apiServerTagName": "2.0.5"}
    assert submit().stderr.startswith("note: the server is Kubeflow Pipelines 2.0.5, older than the SDK here")


def test_a_server_of_before_version_2(said_once, api):
    """It answers, but not to this API."""
    api.only_v1, api.tag = True, "1.8.22"
    assert "is Kubeflow Pipelines 1.8.22, which has no API v2beta1; these pipelines need 2.0 or later." in said_once()


def test_a_server_that_is_older_than_the_sdk_is_remarked_on(submit, api):
    """It may refuse what it does not know yet."""
    api.tag = "2.0.5"
    done = submit()
    assert done.returncode == 0
    assert done.stderr.startswith("note: the server is Kubeflow Pipelines 2.0.5, older than the SDK here (kfp 2.")


@pytest.mark.parametrize("tag", ["99.0.0", "unknown", "master"])
def test_a_newer_server_and_one_that_does_not_say(submit, api, tag):
    """Nothing to remark."""
    api.tag = tag
    assert submit().stderr == ""


# -- users and namespaces


def test_a_multi_user_server_needs_a_namespace(said_once, api):
    """Told before anything is made."""
    api.namespaces = ("team-a",)
    assert "has users of its own: give --namespace, the name of your profile" in said_once()
    assert api.requests == []


def test_ones_own_namespace(submit, api):
    """Experiment, run and schedule belong to it."""
    api.namespaces = api.allowed = ("team-a",)
    done = submit("--namespace", "team-a")
    assert done.returncode == 0, done.stderr
    assert [e.namespace for e in api.experiments.values()] == ["team-a"]


def test_a_namespace_for_a_server_without_users(submit, api):
    """Remarked on, and not sent: such a server has none."""
    done = submit("--namespace", "team-a")
    assert (done.returncode, done.stderr) == (0, "note: the server has no users of its own, so no namespace team-a.\n")
    assert not any(body.get("namespace") for _, _, body in api.requests if body)


@pytest.mark.parametrize("namespace", ["team-b", "no-such-team"])
def test_anothers_namespace_and_one_that_does_not_exist(said_once, api, namespace):
    """The server answers 403 to both."""
    api.namespaces, api.allowed = ("team-a", "team-b"), ("team-a",)
    said = said_once("--namespace", namespace)
    assert f"does not allow this in the namespace {namespace} (HTTP status 403). Is that the right --namespace" in said
    assert "If it does not know who you are: give --token-file" in said


def test_links_begin_with_the_user_interface(submit):
    """It may be at another address than the API."""
    done = submit("--ui-host", "https://kubeflow.example/pipeline/")
    assert done.stdout.startswith("Experiment: https://kubeflow.example/pipeline/#/experiments/details/")
