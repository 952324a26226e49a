"""A Kubeflow Pipelines server: its client, what it says of itself, and what it holds by name."""

import contextlib
import io
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from roadsafety_components.cli import failures
from roadsafety_components.cli.access import Access, cookie_header
from roadsafety_components.core.errors import InputError

_PAGE = 100


@dataclass(frozen=True)
class Cluster:
    """A server that has answered.

    Attributes:
        client: ``kfp.Client``.
        ui: where links begin.
        namespace: that experiments and runs belong to; empty where the server has no users of its own.
    """

    client: Any
    ui: str
    namespace: str

    def link(self, kind: str, key: str, version: str = "") -> str:
        """Address of a page of the user interface; ``kind`` as its router has it."""
        return f"{self.ui}/#/{kind}/details/{key}" + (f"/version/{version}" if version else "")

    def experiment(self, name: str) -> str:
        """Id of the experiment of that name; made if it is not there.

        Raises:
            InputError: several have the name, or it is archived.
        """
        there = self.named(self.client.list_experiments, "experiments", name, namespace=self.namespace or None)
        if len(there) > 1 or any(e.storage_state == "ARCHIVED" for e in there):
            raise InputError(f"--experiment {name}: {'several have' if len(there) > 1 else 'an archived one has'} that "
                             "name; give another.")  # fmt: skip
        if there:
            return str(there[0].experiment_id)
        with quiet():
            return str(self.client.create_experiment(name, namespace=self.namespace or None).experiment_id)

    def named(self, call: Callable[..., Any], field_: str, name: str, **words: Any) -> list[Any]:
        """What a list of the API holds under a display name."""
        predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": name}
        return self.everything(call, field_, filter=json.dumps({"predicates": [predicate]}), **words)

    def everything(self, call: Callable[..., Any], field_: str, **words: Any) -> list[Any]:
        """All pages of a list of the API."""
        found: list[Any] = []
        token = ""
        while True:
            page = call(page_size=_PAGE, page_token=token, **words)
            found += getattr(page, field_) or []
            if not (token := page.next_page_token or ""):
                return found


@contextlib.contextmanager
def connected(access: Access, console: Console, needs_namespace: bool = True) -> Iterator[Cluster]:
    """A server that answers as Kubeflow Pipelines does; in the block, what it refuses becomes an ``InputError``.

    Args:
        access: as ``check_access`` has passed it.
        console: for notes.
        needs_namespace: whether what is done belongs to a namespace.

    Raises:
        InputError: nobody answers, something else does, it does not know or not allow who asks, it is too old, or a
            multi-user server without a namespace.
    """
    with warnings.catch_warnings(), failures.explained(access):
        # kfp's own warning that a working server makes moot; urllib3's one for each request (there is a line below).
        warnings.simplefilter("ignore", FutureWarning)
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
        client = make_client(access)
        health = _health(client, access)
        multi_user = bool(health.get("multi_user") or health.get("apiServerMultiUser"))
        namespace = access.namespace or (needs_namespace and client.get_user_namespace()) or ""
        if multi_user and needs_namespace and not namespace:
            raise InputError(f"{access.host} has users of its own: give --namespace, the name of your profile.")
        for note in _notes(access, health, multi_user):
            console.print(f"note: {note}", markup=False)
        ui = (access.ui_host or access.host).rstrip("/")
        yield Cluster(client, ui, namespace if multi_user else "")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing of the links that kfp prints: these commands print their own."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def notes_console() -> Console:
    """Where notes and warnings go: standard error, unwrapped."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def make_client(access: Access) -> Any:
    """A ``kfp.Client`` that gives up in time. Nothing is sent to the server yet; Google's proxy may ask the user."""
    import kfp
    import kfp_server_api
    import urllib3
    from kfp.client import ServiceAccountTokenVolumeCredentials
    from kfp_server_api.rest import RESTClientObject

    class Rest(RESTClientObject):
        """Requests that end, and answers that are answers."""

        def request(self, *words: Any, **options: Any) -> Any:
            options["_request_timeout"] = options.get("_request_timeout") or failures.TIMEOUT
            answer = super().request(*words, **options)
            if not (answer.data or b"{").lstrip().startswith(b"{"):
                raise InputError(failures.not_the_api(access))
            return answer

    class Client(kfp.Client):
        """The client of kfp, without its question whether the server is well, five times, 5 s apart: see _health."""

        def _load_config(self, *words: Any, **options: Any) -> Any:
            config = super()._load_config(*words, **options)
            config.retries = urllib3.Retry(connect=0, read=0, other=0, redirect=5)  # a retry is a line of urllib3's log
            return config

        def get_kfp_healthz(self, sleep_duration: int = 0) -> Any:
            return kfp_server_api.V2beta1GetHealthzResponse(multi_user=False)

    credentials = ServiceAccountTokenVolumeCredentials(str(access.token_file)) if access.token_file else None
    client = Client(
        host=access.host.rstrip("/"),
        existing_token=access.token or None,
        credentials=credentials,
        client_id=access.iap_client_id or None,
        cookies=cookie_header(access.cookie_file, access.host) if access.cookie_file else None,
        ssl_ca_cert=str(access.ca_file) if access.ca_file else None,
        verify_ssl=False if access.insecure else None,
        proxy=access.proxy or None,
    )
    api = client._run_api.api_client  # the one that all services share
    api.rest_client = Rest(api.configuration)
    return client


def _health(client: Any, access: Access) -> dict[str, Any]:
    """What the server says of itself; the user interface in front of it adds its own names."""
    from kfp_server_api.exceptions import ApiException

    api = client._run_api.api_client

    def ask(version: str) -> dict[str, Any]:
        url = f"{api.configuration.host}/apis/{version}/healthz"
        headers: dict[str, Any] = {"Accept": "application/json", **({"Cookie": api.cookie} if api.cookie else {})}
        api.update_params_for_auth(headers, [], ["Bearer"])
        answer = api.rest_client.request("GET", url, headers=headers)
        with contextlib.suppress(ValueError):
            return dict(json.loads(answer.data))
        return {}

    try:
        health = ask("v2beta1")
    except ApiException as error:
        if error.status != 404:
            raise
        old: dict[str, Any] = {}
        with contextlib.suppress(ApiException):
            old = ask("v1beta1")
        if "tag_name" in old or "apiServerTagName" in old:
            raise InputError(f"{access.host} is Kubeflow Pipelines {_tag(old)}, which has no API v2beta1; these "
                             "pipelines need 2.0 or later.") from None  # fmt: skip
        raise InputError(f"{access.host} is not the Kubeflow Pipelines API (HTTP status 404 for its health). Is the "
                         "path right? In Kubeflow it ends in /pipeline.") from None  # fmt: skip
    if health.get("apiServerReady") is False:
        raise InputError(f"the user interface at {access.host} answers, but the API server behind it does not.")
    if "multi_user" not in health and "apiServerMultiUser" not in health:
        raise InputError(f"{access.host} answers, but not as the Kubeflow Pipelines API does. Is the address right?")
    return health


def _tag(health: dict[str, Any]) -> str:
    return str(health.get("tag_name") or health.get("apiServerTagName") or "")


def _notes(access: Access, health: dict[str, Any], multi_user: bool) -> list[str]:
    import kfp

    notes = ["certificates are not checked (--insecure)."] if access.insecure else []
    if access.namespace and not multi_user:
        notes.append(f"the server has no users of its own, so no namespace {access.namespace}.")
    there, here = (re.match(r"v?(\d+)\.(\d+)", tag) for tag in (_tag(health), kfp.__version__))
    if there and here and tuple(map(int, there.groups())) < tuple(map(int, here.groups())):
        notes.append(f"the server is Kubeflow Pipelines {_tag(health)}, older than the SDK here (kfp "
                     f"{kfp.__version__}): what it does not know yet, it refuses or leaves out.")  # fmt: skip
    return notes
