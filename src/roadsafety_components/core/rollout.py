"""An InferenceService brought to the cluster: applied, awaited, and undone if it does not come up.

The step reads, changes and writes back (get, create, update; delete for what was new), so that what others have set in
the service stays, a write over somebody else's is refused by the server, and the former state can be put back exactly.
"""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
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
        InputError: refused, not ready in time, or told to end (SIGTERM) before it is; the message has the conditions.
            After the last two, as after any other exception in the wait, the former spec is restored, what was new
            deleted, and what was unchanged left.
    """
    name = patch["metadata"]["name"]
    called = f"{name} in {services.namespace}"
    with _noting_sigterm() as ended:
        action, before, after = _apply(services, patch)
        try:
            print(f"{called}: {action}.")
            # What was already so has no former status to be mistaken for.
            former = (before or {}).get("status", {}) if action != UNCHANGED else None
            ready = _wait(services, name, former, timeout_seconds, poll_seconds, settle_seconds, ended)
        except BaseException as error:
            try:
                undone = _undo(services, action, before, after, patch, poll_seconds)
            except InputError as refused:
                undone = f"Undoing the change failed too: {refused}"
            if isinstance(error, _NotReady):
                raise InputError(f"{called} {error} {undone}") from error
            print(f"{called}: {undone}", flush=True)
            raise
    status = ready["status"]
    url = status.get("url") or status.get("address", {}).get("url", "")
    return Outcome(action, url, {c["type"]: c["status"] for c in status["conditions"]})


@contextlib.contextmanager
def _noting_sigterm() -> Iterator[list[int]]:
    """A list that SIGTERM, by which a pod is told to end, goes into: a handler that raised could cut a write in two.

    Python hands signals to its main thread alone; in another the list stays empty.
    """
    ended: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield ended
        return
    former = signal.signal(signal.SIGTERM, lambda number, _: ended.append(number))
    try:
        yield ended
    finally:
        signal.signal(signal.SIGTERM, former)


def _apply(services: Services, patch: Tree) -> tuple[str, Tree | None, Tree]:
    """What was done, the service before, and after it."""
    name = patch["metadata"]["name"]
    first: Tree | None = None  # the service before the first update that a conflict came of
    for tried in range(_TRIES):
        time.sleep(_PAUSE_SECONDS * tried)
        before = services.get(name)
        if before is None:
            if after := services.create(merge_patch({}, patch)):
                return CREATED, None, after
            continue
        _check_canary(patch, before)
        body = merge_patch(before, patch)
        after = before if body == before else services.replace(body)
        if after is None:
            first = first or before
            continue
        # KServe writes some values in its own way (1000m as 1): then the server sees no change.
        if after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]:
            return UPDATED, before, after
        # The client sends an update again whose answer was lost: the conflict is then with the step's own write.
        return (UPDATED, first, after) if first else (UNCHANGED, before, after)
    raise InputError(f"{name} in {services.namespace} was written to by somebody else {_TRIES} times in a row; find "
                     "out who deploys it too.")  # fmt: skip


def _check_canary(patch: Tree, before: Tree) -> None:
    """Only Knative splits requests; elsewhere KServe would give a new model all of them, and say nothing."""
    percent, mode = patch["spec"]["predictor"]["canaryTrafficPercent"], before.get("status", {}).get("deploymentMode")
    if percent and mode in _UNSPLIT:
        raise InputError(f"canary_percent is {percent}, but the cluster runs the service in the mode {mode}, where the "
                         "new model would get all requests. Deploy it with canary_percent 100, or under another "
                         "name.")  # fmt: skip


def _wait(
    services: Services, name: str, former: Tree | None, timeout: float, poll: float, settle: float, ended: list[int]
) -> Tree:
    """The service once it is ready; a status that has not changed since before is believed only later."""
    began, told = time.monotonic(), ""
    former = None if former is None else _of_the_spec(former)
    while True:
        if ended:
            raise _NotReady("was not ready when the step was told to end (SIGTERM).")
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
            now = _of_the_spec(status)
            if _is_ready(status) and (settled or now != former):
                return service
            model = now["modelStatus"]
            if model.get("transitionStatus") in _FAILED and (settled or model != (former or {}).get("modelStatus")):
                raise _NotReady(f"failed: {news}")
        if waited >= timeout:
            raise _NotReady(f"was not ready after {timeout:g} seconds: {news}")
        if news != told:
            print(f"waiting: {news}", flush=True)
            told = news
        time.sleep(min(poll, timeout - waited))


def _of_the_spec(status: Tree) -> Tree:
    """The status without the number of running copies, which changes without a change of the spec."""
    return dict(merge_patch(status, {"modelStatus": {"copies": None}}))


def _is_ready(status: Tree) -> bool:
    """Whether it is ready, and with the newest model."""
    predictor = status.get("components", {}).get("predictor", {})
    if created := predictor.get("latestCreatedRevision"):
        newest = created == predictor.get("latestReadyRevision")
    else:  # without Knative; with it, a service that is scaled to none stays InProgress
        newest = status.get("modelStatus", {}).get("transitionStatus") != "InProgress"
    return newest and any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", []))


def _why(status: Tree) -> str:
    """What the conditions and the model's status say against it, a sentence."""
    conditions = status.get("conditions", [])
    told = [f"{c['type']} is {c['status']}{_reason(c)}" for c in conditions if c["status"] != "True"]
    if failure := status.get("modelStatus", {}).get("lastFailureInfo"):
        told.append(f"the model failed{_reason(failure)}")
    if not conditions:
        told.append("it has no status (does KServe's controller run?)")
    if not told:
        told = ["its status is still that of the former spec" if _is_ready(status) else "the model is not loaded yet"]
    return "; ".join(told) + "."


def _reason(told: Tree) -> str:
    """Reason and message of a condition or a failure, in brackets; empty if it has none."""
    said = ": ".join(quote(told[key]).rstrip(".") for key in ("reason", "message") if told.get(key))
    return f" ({said})" if said else ""


def _undo(services: Services, action: str, before: Tree | None, after: Tree, patch: Tree, poll_seconds: float) -> str:
    """Take the change back, unless somebody else has changed the service since; a sentence about what is there now."""
    if action == UNCHANGED:
        return "It was so before this step, which has left it."
    pause, failure = 0.0, InputError("")
    for tried in range(1, _TRIES + 1):
        time.sleep(pause)
        try:
            if told := _take_back(services, before, after, patch):
                return told
            pause, failure = _PAUSE_SECONDS * tried, InputError("it was written to by somebody else again and again.")
        except InputError as error:  # the API may be away for a moment
            pause, failure = poll_seconds, error
    raise failure


def _take_back(services: Services, before: Tree | None, after: Tree, patch: Tree) -> str:
    """What is there now, a sentence; empty if another write came before."""
    now = services.get(after["metadata"]["name"])
    if now is None:
        return "It is gone."
    if before and (restored := _restored(now, before, patch)) == now:
        return "The former spec has been restored."  # by a try whose answer was lost
    if any(now["metadata"][key] != after["metadata"][key] for key in ("uid", "generation")):
        return "Somebody else has changed it since; it was left so."
    if before is None:
        services.delete(now)
        return "It was new, and has been deleted."
    return "The former spec has been restored." if services.replace(restored) else ""


def _restored(now: Tree, before: Tree, patch: Tree) -> Tree:
    """The service with its former spec and, of its metadata, just what the step has written: the rest is others'."""
    former = {
        kind: {key: before["metadata"].get(kind, {}).get(key) for key in patch["metadata"][kind]}
        for kind in ("labels", "annotations")
    }
    return dict(merge_patch(now, {"metadata": former})) | {"spec": before["spec"]}
