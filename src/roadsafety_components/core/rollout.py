"""An InferenceService brought to the cluster: applied, awaited, and undone if it does not come up.

The step reads, changes and writes back (get, create, update; delete for what was new), so that what others have set in
the service stays, a write over somebody else's is refused by the server, and the former state can be put back exactly.
"""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import replacing
from roadsafety_components.core.kserve import Service, Tree, inference_service, manifest, merge_patch
from roadsafety_components.core.kserve_api import Services
from roadsafety_components.core.quote import quote

DRY_RUN, CREATED, UPDATED, UNCHANGED = "dry run", "created", "updated", "unchanged"
# Tries of a write that another one came before, KServe's own of the status for example; and the pause, which grows.
_TRIES = 5
_PAUSE_SECONDS = 0.1
# A status may still tell of the former spec for so long; KServe's observedGeneration counts its children's changes, not
# the service's own (kserve/kserve issue 6081), and does not settle it.
_SETTLE_SECONDS = 30.0
# modelStatus.transitionStatus of a model that will not come up.
_FAILED = ("BlockedByFailedLoad", "InvalidSpec")
# Modes in which KServe runs a service without Knative, by their old and their new name.
_UNSPLIT = ("RawDeployment", "Standard")


@dataclass(frozen=True)
class Outcome:
    """What a rollout came to.

    Attributes:
        action: DRY_RUN, CREATED, UPDATED or UNCHANGED.
        url: of the service; empty after a dry run.
        conditions: ``status`` of each condition by its type.
    """

    action: str
    url: str = ""
    conditions: dict[str, str] = field(default_factory=dict)


class _NotReady(Exception):
    """The service did not come up; the text says why."""


def deploy(
    service: Service,
    manifest_path: str | Path,
    url_path: str | Path,
    dry_run: bool = True,
    timeout_seconds: float = 600,
) -> dict[str, Any]:
    """Write the service's manifest, and unless this is a dry run bring it to the cluster.

    Args:
        service: what to serve.
        manifest_path: file to write; it is there also when the rest fails.
        url_path: file for the service's URL; empty after a dry run.
        dry_run: speak to no cluster.
        timeout_seconds: how long to wait until the service is ready.

    Returns:
        What to show as the manifest's metadata.

    Raises:
        InputError: see ``kserve.inference_service`` and ``roll_out``.
    """
    if timeout_seconds <= 0:
        raise InputError(f"timeout_seconds is {timeout_seconds:g}; it must be more than 0.")
    patch = inference_service(service)
    with replacing(manifest_path) as (draft,):
        draft.write_text(manifest(patch), encoding="utf-8")
    outcome = Outcome(DRY_RUN) if dry_run else roll_out(Services(service.namespace), patch, timeout_seconds)
    with replacing(url_path) as (draft,):
        draft.write_text(outcome.url, encoding="utf-8")
    told = {"model_digest": service.digest, "model_version": service.version, "model_uri": service.uri}
    return {"service": service.name, "namespace": service.namespace} | told | asdict(outcome)


def roll_out(
    services: Services,
    patch: Tree,
    timeout_seconds: float,
    poll_seconds: float = 5.0,
    settle_seconds: float = _SETTLE_SECONDS,
) -> Outcome:
    """Bring a service to what ``patch`` says and wait until it is ready; undo the change if it does not get there.

    Args:
        services: of the namespace.
        patch: from ``kserve.inference_service``.
        timeout_seconds: how long to wait.
        poll_seconds: between two looks.
        settle_seconds: how long a status that has not changed is taken for that of the former spec.

    Raises:
        InputError: refused, or not ready in time: then the former spec is restored, what was new deleted, and what was
            unchanged left; the message has the conditions.
    """
    name = patch["metadata"]["name"]
    action, before, after = _apply(services, patch)
    print(f"{name} in {services.namespace}: {action}.")
    # What was already so has no former status to be mistaken for.
    former = (before or {}).get("status", {}) if action != UNCHANGED else None
    try:
        ready = _wait(services, name, former, timeout_seconds, poll_seconds, settle_seconds)
    except _NotReady as error:
        failed = f"{name} in {services.namespace} {error}"
        try:
            undone = _undo(services, action, before, after)
        except InputError as refused:
            raise InputError(f"{failed} Undoing the change failed too: {refused}") from error
        raise InputError(f"{failed} {undone}") from error
    status = ready["status"]
    url = status.get("url") or status.get("address", {}).get("url", "")
    return Outcome(action, url, {c["type"]: c["status"] for c in status["conditions"]})


def _apply(services: Services, patch: Tree) -> tuple[str, Tree | None, Tree]:
    """What was done, the service before, and after it."""
    name = patch["metadata"]["name"]
    for tried in range(_TRIES):
        time.sleep(_PAUSE_SECONDS * tried)
        before = services.get(name)
        if before is None:
            if after := services.create(merge_patch({}, patch)):
                return CREATED, None, after
            continue
        _check_canary(patch, before)
        if (body := merge_patch(before, patch)) == before:
            return UNCHANGED, before, before
        if after := services.replace(body):
            # KServe writes some values in its own way (1000m as 1): then the server sees no change.
            same = after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
            return (UNCHANGED if same else UPDATED), before, after
    raise InputError(f"{name} in {services.namespace} was written to by somebody else {_TRIES} times in a row; find "
                     "out who deploys it too.")  # fmt: skip


def _check_canary(patch: Tree, before: Tree) -> None:
    """Only Knative splits requests; elsewhere KServe would give a new model all of them, and say nothing."""
    percent, mode = patch["spec"]["predictor"]["canaryTrafficPercent"], before.get("status", {}).get("deploymentMode")
    if percent and mode in _UNSPLIT:
        raise InputError(f"canary_percent is {percent}, but the cluster runs the service in the mode {mode}, where the "
                         "new model would get all requests. Deploy it with canary_percent 100, or under another "
                         "name.")  # fmt: skip


def _wait(services: Services, name: str, former: Tree | None, timeout: float, poll: float, settle: float) -> Tree:
    """The service once it is ready; a status that has not changed since before is believed only later."""
    began, told = time.monotonic(), ""
    while True:
        waited = time.monotonic() - began
        settled = waited >= min(settle, timeout)
        try:
            service = services.get(name)
        except InputError as error:  # the API may be away for a moment
            news = str(error)
        else:
            if service is None:
                raise _NotReady("was deleted while it was coming up.")
            status, news = service.get("status", {}), _why(service.get("status", {}))
            if _is_ready(status) and (settled or status != former):
                return service
            model = status.get("modelStatus", {})
            if model.get("transitionStatus") in _FAILED and (settled or model != (former or {}).get("modelStatus")):
                raise _NotReady(f"failed: {news}")
        if waited >= timeout:
            raise _NotReady(f"was not ready after {timeout:g} seconds: {news}")
        if news != told:
            print(f"waiting: {news}", flush=True)
            told = news
        time.sleep(min(poll, timeout - waited))


def _is_ready(status: Tree) -> bool:
    """Whether it is ready, and with its newest revision, where Knative makes revisions."""
    predictor = status.get("components", {}).get("predictor", {})
    newest = predictor.get("latestCreatedRevision") == predictor.get("latestReadyRevision")
    return newest and any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))


def _why(status: Tree) -> str:
    """What the conditions and the model's status say against it, a sentence."""
    conditions = status.get("conditions", [])
    told = [f"{c['type']} is {c['status']}{_reason(c)}" for c in conditions if c["status"] != "True"]
    if failure := status.get("modelStatus", {}).get("lastFailureInfo"):
        told.append(f"the model failed{_reason(failure)}")
    if not conditions:
        told.append("it has no status (does KServe's controller run?)")
    return ("; ".join(told) or "its status is still that of the former spec") + "."


def _reason(told: Tree) -> str:
    """Reason and message of a condition or a failure, in brackets; empty if it has none."""
    said = ": ".join(quote(told[key]).rstrip(".") for key in ("reason", "message") if told.get(key))
    return f" ({said})" if said else ""


def _undo(services: Services, action: str, before: Tree | None, after: Tree) -> str:
    """Take the change back, unless somebody else has changed the service since; a sentence about what is there now."""
    if action == UNCHANGED:
        return "It was so before this step, which has left it."
    name = after["metadata"]["name"]
    for tried in range(_TRIES):
        time.sleep(_PAUSE_SECONDS * tried)
        now = services.get(name)
        if now is None:
            return "It is gone."
        if any(now["metadata"][key] != after["metadata"][key] for key in ("uid", "generation")):
            return "Somebody else has changed it since; it was left so."
        if before is None:
            services.delete(now)
            return "It was new, and has been deleted."
        version = {"resourceVersion": now["metadata"]["resourceVersion"]}
        if services.replace(before | {"metadata": before["metadata"] | version}):
            return "The former spec has been restored."
    raise InputError("it was written to by somebody else again and again.")
