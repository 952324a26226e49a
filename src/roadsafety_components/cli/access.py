"""Where a Kubeflow Pipelines server is and how to prove who asks: the options of every command that goes there."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from roadsafety_components.cli.options import option
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.fetch import shown

_HELP = "see docs/cluster.md"


@dataclass(frozen=True, kw_only=True)
class Access:
    """Where the server is and how to prove who asks."""

    host: Annotated[str, option("URL of Kubeflow Pipelines, e.g. http://localhost:8080.", "KF_PIPELINES_ENDPOINT")]
    namespace: Annotated[
        str, option("Kubernetes namespace (profile), for a multi-user cluster.", "ROADSAFETY_NAMESPACE")
    ] = ""
    token: Annotated[
        str, option("Bearer token; a command line shows it to others, the variable does not.", "ROADSAFETY_TOKEN")
    ] = field(default="", repr=False)
    token_file: Annotated[
        Path | None,
        option("File with a bearer token, read anew for each request: a pod's own.", "KF_PIPELINES_SA_TOKEN_PATH"),
    ] = None
    cookie_file: Annotated[
        Path | None,
        option("File with a session's cookies: NAME=VALUE; ... or a browser's cookies.txt.", "ROADSAFETY_COOKIE_FILE"),
    ] = None
    iap_client_id: Annotated[
        str, option("Client ID of Google's Identity-Aware Proxy.", "KF_PIPELINES_IAP_OAUTH2_CLIENT_ID")
    ] = ""
    ca_file: Annotated[
        Path | None, option("Certificates (PEM) to trust instead of the public ones.", "ROADSAFETY_CA_FILE")
    ] = None
    insecure: Annotated[bool, option("Trust any certificate: for a trial only.", name="--insecure")] = False
    proxy: Annotated[str, option("URL of an HTTP proxy on the way.", "ROADSAFETY_PROXY")] = field(
        default="", repr=False
    )
    ui_host: Annotated[
        str, option("URL of the user interface, if not --host; links begin with it.", "KF_PIPELINES_UI_ENDPOINT")
    ] = ""


def check_access(access: Access) -> None:
    """Refuse options that contradict each other, addresses that are none and files that are not there."""
    import ssl

    for name in ("host", "ui_host", "proxy"):
        value = getattr(access, name)
        where = f"--{name.replace('_', '-')} {shown(value)}"
        if value and not value.startswith(("http://", "https://")):
            raise InputError(f"{where}: write it with http:// or https://.")
        if "@" in value and name != "proxy":
            raise InputError(f"{where}: no user and password in the address; {_HELP}.")
    given = [n for n in ("token", "token_file", "iap_client_id") if getattr(access, n)]
    if len(given) > 1:
        names = " and ".join(f"--{n.replace('_', '-')}" for n in given)
        raise InputError(f"{names} are two ways to say who you are: give one (environment variables count).")
    if access.insecure and access.ca_file:
        raise InputError("--insecure trusts any certificate, --ca-file some: give one.")
    for name in ("token_file", "cookie_file", "ca_file"):
        path = getattr(access, name)
        if path and not path.is_file():
            raise InputError(f"--{name.replace('_', '-')}: there is no file {path}.")
    if access.ca_file:
        try:
            ssl.create_default_context(cafile=access.ca_file)
        except ssl.SSLError:
            raise InputError(f"--ca-file {access.ca_file}: holds no certificate in the format PEM.") from None


def cookie_header(path: Path, url: str) -> str:
    """A Cookie header from ``NAME=VALUE; ...``, or from a browser's cookies.txt: what belongs to the host alone.

    Raises:
        InputError: neither of the two, or nothing for the host.
    """
    text = path.read_text(encoding="utf-8").strip()
    if "\t" not in text:
        if "\n" in text or "=" not in text:
            raise InputError(f"--cookie-file {path}: one line NAME=VALUE; NAME=VALUE was expected, or a cookies.txt.")
        return text
    from http.cookiejar import LoadError, MozillaCookieJar

    jar, host = MozillaCookieJar(), urlsplit(url).hostname or ""
    try:
        jar.load(str(path), ignore_discard=True, ignore_expires=True)
    except LoadError:
        raise InputError(f"--cookie-file {path}: neither NAME=VALUE; ... nor a cookies.txt.") from None
    ours = [c for c in jar if c.domain.lstrip(".") == host or (c.domain.startswith(".") and host.endswith(c.domain))]
    if not ours:
        raise InputError(f"--cookie-file {path}: holds no cookie of {host}.")
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in ours)


def is_given(access: Access) -> bool:
    """Whether there is anything that says who asks."""
    return bool(access.token or access.token_file or access.cookie_file or access.iap_client_id)


def advice(access: Access) -> str:
    """What to do about a server that does not know who asks."""
    if is_given(access):
        return f"what you gave has expired, or is for another server; {_HELP}"
    return f"give --token-file, --cookie-file or --iap-client-id; {_HELP}"


def secrets(access: Access) -> list[str]:
    """What no message may show, the longest first."""
    files = [path.read_text(encoding="utf-8") for path in (access.token_file, access.cookie_file) if path]
    cookies = [pair.partition("=")[2] for text in files for pair in re.split(r";\s*", text)]
    words = [access.token, *(word for text in files for word in text.split()), *cookies]
    return sorted({word.strip() for word in words if len(word.strip()) >= 8}, key=len, reverse=True)
