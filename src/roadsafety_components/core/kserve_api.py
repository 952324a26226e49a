"""The InferenceServices of a namespace, by the Kubernetes API, with its refusals told for people."""

import contextlib
import json
import os
from collections.abc import Iterator
from typing import Any

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.kserve import GROUP, VERSION, Tree
from roadsafety_components.core.quote import quote

PLURAL = "inferenceservices"
_REQUEST_SECONDS = 30


class Services:
    """The InferenceServices of a namespace, by the Kubernetes API.

    In a pod it speaks as the pod's service account, elsewhere as the kubeconfig says.

    Raises:
        InputError: there is no cluster to speak to; so do all its calls, for no answer and no permission.
    """

    def __init__(self, namespace: str) -> None:
        from kubernetes import client, config

        configuration = client.Configuration()
        try:
            try:
                config.load_incluster_config(configuration)
            except config.ConfigException:
                config.load_kube_config(os.environ.get("KUBECONFIG"), client_configuration=configuration)
        except (config.ConfigException, OSError) as error:
            raise InputError("there is no cluster to deploy to: this is no pod with a service account, and no "
                             f"kubeconfig says where one is ({quote(error)}). Set KUBECONFIG, or leave dry_run on and "
                             "apply the manifest with kubectl.") from error  # fmt: skip
        self.namespace, self.host = namespace, configuration.host
        self._api = client.CustomObjectsApi(client.ApiClient(configuration))
        self._place = (GROUP, VERSION, namespace, PLURAL)

    def get(self, name: str) -> Tree | None:
        """A service, or None if there is none."""
        with self._told("get", absent_is_fine=True):
            return dict(self._api.get_namespaced_custom_object(*self._place, name, _request_timeout=_REQUEST_SECONDS))
        return None

    def create(self, body: Tree) -> Tree | None:
        """Make a service; None if there is one by now."""
        with self._told("create"):
            return dict(
                self._api.create_namespaced_custom_object(*self._place, body, _request_timeout=_REQUEST_SECONDS)
            )
        return None

    def replace(self, body: Tree) -> Tree | None:
        """Write a service back; None if it was written to since it was read (its resourceVersion tells), or deleted."""
        name = body["metadata"]["name"]
        with self._told("update", absent_is_fine=True):
            return dict(
                self._api.replace_namespaced_custom_object(*self._place, name, body, _request_timeout=_REQUEST_SECONDS)
            )
        return None

    def delete(self, body: Tree) -> None:
        """Delete just this service, not another one of its name."""
        with self._told("delete", absent_is_fine=True):
            self._api.delete_namespaced_custom_object(
                *self._place,
                body["metadata"]["name"],
                body={"preconditions": {"uid": body["metadata"]["uid"]}},
                _request_timeout=_REQUEST_SECONDS,
            )

    @contextlib.contextmanager
    def _told(self, verb: str, absent_is_fine: bool = False) -> Iterator[None]:
        """What the server refuses as an error for people; nothing for a conflict, or for what is absent and may be."""
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except HTTPError as error:
            raise InputError(f"the Kubernetes API at {self.host} does not answer ({quote(error)}).") from error
        except ApiException as error:
            known, said = _said(error)
            if error.status == 409 or (error.status == 404 and absent_is_fine and known):
                return
            where = f"{PLURAL}.{GROUP} in the namespace {self.namespace}"
            advice = {
                401: " The token is not accepted; log in again.",
                403: f" Give the service account of this step the Role in docs/serving.md ({verb} {PLURAL}).",
                404: " Is KServe installed, and is the namespace right?",
            }.get(error.status, "")
            if "admission webhook" in said:  # permitted, but the service is not to KServe's liking
                advice = ""
            raise InputError(f"the cluster refused to {verb} {where}: {said} (HTTP status {error.status}).{advice}"
                             ) from error  # fmt: skip


def _said(error: Any) -> tuple[bool, str]:
    """Whether the API server itself answered (with a Status), and what."""
    with contextlib.suppress(ValueError, TypeError):
        body = json.loads(error.body)
        if body.get("kind") == "Status":
            return True, quote(body.get("message") or error.reason)
    return False, quote(error.body or error.reason)
