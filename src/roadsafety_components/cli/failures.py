"""What goes wrong on the way to a server, and what the server refuses, each in a sentence for the user."""

import contextlib
import http.client
import json
import re
from collections.abc import Iterator
from typing import Any

from roadsafety_components.cli.access import Access, advice, is_given, secrets
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.fetch import shown

# Seconds to connect, and to wait for each answer: a server that compiles a large pipeline takes its time.
TIMEOUT = (10, 120)


@contextlib.contextmanager
def explained(access: Access) -> Iterator[None]:
    """Failures of the way and of the server as one sentence for the user."""
    from google.auth.exceptions import GoogleAuthError
    from kfp_server_api.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except InputError:
        raise
    except ApiException as error:
        raise InputError(_refusal(access, error)) from error
    except GoogleAuthError as error:
        raise InputError(f"Google gives no credentials for --iap-client-id: {_first_line(error)}") from error
    except (HTTPError, OSError) as error:
        raise InputError(_unreachable(access, error)) from error


def _unreachable(access: Access, error: Any) -> str:
    import ssl

    from urllib3 import exceptions

    reason = getattr(error, "reason", None) or error
    reason = getattr(reason, "original_error", reason)  # a proxy's
    host = shown(access.proxy) or access.host
    if getattr(reason, "filename", None):
        return f"{reason.filename} cannot be read: {reason.strerror}."
    if isinstance(reason, exceptions.SSLError | ssl.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in str(reason):
            return f"the certificate of {access.host} is not trusted here: give --ca-file (or --insecure, for a trial)."
        return f"{access.host} does not speak TLS as it should ({_first_line(reason)}); is it http://?"
    if isinstance(reason, exceptions.NameResolutionError):
        return f"there is no host of the name in {host}, or no name service from here."
    if isinstance(reason, exceptions.NewConnectionError):
        return (f"nobody answers at {host}. Is the address right, and the port forwarded (kubectl port-forward "
                "--namespace kubeflow svc/ml-pipeline-ui 8080:80)?")  # fmt: skip
    if isinstance(reason, exceptions.TimeoutError):
        return f"{access.host} does not answer within {TIMEOUT[isinstance(reason, exceptions.ReadTimeoutError)]} s."
    strange = [cause for cause in reason.args if isinstance(cause, http.client.BadStatusLine)]
    if strange and not isinstance(strange[0], http.client.RemoteDisconnected):  # which means no answer at all
        return f"what is at {host} answers, but not as a web server does. Is the port right?"
    return f"the connection to {access.host} broke: {_first_line(reason)}"


def _refusal(access: Access, error: Any) -> str:
    said, status = _words(error, access), error.status
    lower = said.lower()
    namespace = f" in the namespace {access.namespace}" if access.namespace else ""
    if status == 0:  # how the generated client reports TLS
        return f"TLS with {access.host} failed: {said}"
    if status == 401 or "unauthenticated" in lower or "authentication failed" in lower:
        return f"{access.host} does not know who you are (HTTP status {status}): {advice(access)}. It said: {said}"
    if status == 403 or re.search(r"not authorized|denied|authorization", lower):  # 400, of an upload
        unknown = "" if is_given(access) else f" If it does not know who you are: {advice(access)}."
        return (f"{access.host} does not allow this{namespace} (HTTP status {status}). Is that the right --namespace, "
                f"and may you edit there (role kubeflow-edit)?{unknown} It said: {said}")  # fmt: skip
    if status == 409 or "already exist" in lower:
        return f"the name is taken at {access.host} (HTTP status {status}): {said}"
    if status == 413:
        return (f"the pipeline is too large for {access.host} or for a proxy before it (HTTP status 413). With nginx, "
                "raise proxy-body-size.")  # fmt: skip
    if status >= 500:
        return f"{access.host} failed (HTTP status {status}): {said}"
    return f"{access.host} refuses this (HTTP status {status}): {said}"


def not_the_api(access: Access) -> str:
    """What to say of a server that answers with a page."""
    return (f"{access.host} answers with a page, not as the Kubeflow Pipelines API does: a login page, or another "
            f"server? In Kubeflow the address ends in /pipeline; {advice(access)}.")  # fmt: skip


def _words(error: Any, access: Access) -> str:
    """What the server said, in one line: google.rpc.Status, the upload server's own form, or plain text."""
    text = str(error.body or "")
    with contextlib.suppress(ValueError, AttributeError):
        body = json.loads(text)
        text = str(body.get("message") or body.get("error_message") or body.get("error") or text)
    if text.lstrip().startswith("<"):
        text = re.sub(r"<[^>]*>|\s", " ", text)
    text = " ".join(text.split()) or str(error.reason)
    for secret in secrets(access):  # a proxy's page may repeat what it was sent
        text = text.replace(secret, "***")
    return text if len(text) <= 400 else f"{text[:150]} ... {text[-240:]}"


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
