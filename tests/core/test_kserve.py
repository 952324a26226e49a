"""An InferenceService: its manifest, and its way to a server that answers as the Kubernetes API does."""

import copy
import os
import re
import signal
import subprocess
import sys
import threading

import pytest
import yaml
from kfp.dsl import Artifact, Model

from roadsafety_components.components.deploy_kserve import deploy_kserve as step
from roadsafety_components.core import rollout
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.kserve import GROUP, Service, inference_service, manifest, merge_patch
from roadsafety_components.core.kserve_api import PLURAL, Services

from .kubernetes_api import TOKEN, URL, Cluster, check, coming_up, failed, ready, unsplit

DIGEST = "sha256:" + "ab12" * 16
SERVICE = {
    "name": "severity", "namespace": "models", "uri": "s3://models/severity", "digest": DIGEST, "version": "2024-1"
}  # fmt: skip


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Return a running server that the kubeconfig names."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    server = Cluster()
    server.start()
    use(server, tmp_path, monkeypatch)
    yield server
    server.stop()


def use(server, tmp_path, monkeypatch, token=TOKEN):
    """Point KUBECONFIG to the server."""
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(server.kubeconfig(token)))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))


def roll_out(timeout=5.0, settle=0.05, services=None, **changes):
    """Roll out the service of these tests, with changes."""
    patch = inference_service(Service(**SERVICE | changes))
    return rollout.roll_out(services or Services("models"), patch, timeout, poll_seconds=0.01, settle_seconds=settle)


def services_that(before_get=lambda: None, before_replace=lambda: None):
    """Return the services, where something else happens before each read or write."""
    services = Services("models")
    get, replace = services.get, services.replace
    services.get = lambda name: (before_get(), get(name))[1]
    services.replace = lambda body: (before_replace(), replace(body))[1]
    return services


def applied(cluster, revision=1, **changes):
    """Put the service there as an earlier rollout left it, and return a copy of it."""
    cluster.add(merge_patch({}, inference_service(Service(**SERVICE | changes))), ready(revision))
    return copy.deepcopy(cluster.services["models", "severity"])


def essence(service):
    """Return what a rollback has to restore: all but what the server counts and the controller says."""
    counted = ("resourceVersion", "generation")
    return {k: v for k, v in service.items() if k not in ("status", "metadata")} | {
        "metadata": {k: v for k, v in service["metadata"].items() if k not in counted}
    }


MANIFEST = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: severity
  namespace: models
  labels:
    app.kubernetes.io/managed-by: roadsafety-components
    app.kubernetes.io/version: '2024-1'
  annotations:
    roadsafety-components/model-digest: sha256:{digest}
spec:
  predictor:
    minReplicas: 1
    maxReplicas: 1
    model:
      modelFormat:
        name: onnx
      protocolVersion: v2
      storageUri: s3://models/severity
      resources:
        requests:
          cpu: '1'
          memory: '2Gi'
        limits:
          cpu: '1'
          memory: '2Gi'
"""


def test_the_manifest_is_the_service_and_nothing_that_was_not_asked_for():
    """Read back from its YAML it is what is sent, and has KServe's own fields alone."""
    text = manifest(inference_service(Service(**SERVICE)))
    assert text == MANIFEST.format(digest="ab12" * 16)
    check("V1beta1InferenceService", yaml.safe_load(text))


@pytest.mark.parametrize("version", ["123456789e12", "0x12", "1_000", "y", "no", "1.5"])
def test_a_version_is_text_for_every_reader(version):
    """Kubernetes takes labels of text alone, and kubectl reads 123456789e12 as a number where Python does not."""
    text = manifest(inference_service(Service(**SERVICE | {"version": version})))
    assert f"app.kubernetes.io/version: '{version}'\n" in text


def test_what_is_asked_for_stands_in_its_field():
    """Every parameter has its place."""
    asked = {"service_account": "reader", "min_replicas": 0, "max_replicas": 3, "cpu": "500m", "memory": "512Mi",
             "runtime": "kserve-tritonserver", "protocol": "grpc-v2", "canary_percent": 20,
             "labels": {"team": "roads"}, "annotations": {"serving.kserve.io/deploymentMode": "Knative"}}  # fmt: skip
    made = merge_patch({}, inference_service(Service(**SERVICE | asked)))
    check("V1beta1InferenceService", made)
    assert made["metadata"]["labels"]["team"] == "roads"
    assert made["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Knative"
    size = {"cpu": "500m", "memory": "512Mi"}
    assert made["spec"]["predictor"] == {
        "minReplicas": 0, "maxReplicas": 3, "serviceAccountName": "reader", "canaryTrafficPercent": 20,
        "model": {"modelFormat": {"name": "onnx"}, "protocolVersion": "grpc-v2", "runtime": "kserve-tritonserver",
                  "storageUri": "s3://models/severity", "resources": {"requests": size, "limits": size}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "Severity"}, "name is 'Severity'; it must be 1 to 53 small letters"),
        ({"name": "1st"}, "a letter first"),
        ({"name": "a" * 54}, "1 to 53"),
        ({"name": "ends-"}, "no hyphen last"),
        ({"namespace": "my_models"}, "namespace is 'my_models'; it must be"),
        ({"service_account": "-x"}, "service_account is '-x'"),
        ({"runtime": "Triton"}, "runtime is 'Triton'"),
        ({"version": "a b"}, "version is 'a b'; it must be at most 63"),
        ({"labels": {"team": "road safety"}}, "labels: team is 'road safety'"),
        ({"labels": {"a/b/c": "x"}}, "labels is 'a/b/c'"),
        ({"annotations": {"": "x"}}, "annotations is ''"),
        ({"annotations": {"a": 1.0}}, "annotations: a is 1.0; it must be text"),
        ({"labels": {"app.kubernetes.io/version": "9"}}, "labels: app.kubernetes.io/version is the step's own"),
        ({"cpu": "one"}, "cpu is 'one'; it must be a Kubernetes quantity"),
        ({"memory": "2 GB"}, "memory is '2 GB'"),
        ({"protocol": "v1"}, "protocol is 'v1'; it can be v2 or grpc-v2"),
        ({"min_replicas": 2}, "min_replicas is 2 and max_replicas 1"),
        ({"min_replicas": 0, "max_replicas": 0}, "the second 1 or more"),
        ({"canary_percent": 0}, "canary_percent is 0; it can be 1 to 100"),
    ],
)
def test_what_the_cluster_would_refuse_is_refused_before(changes, message):
    """In a sentence that names the parameter."""
    with pytest.raises(InputError, match=re.escape(message)):
        inference_service(Service(**SERVICE | changes))


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_is_that_of_the_rfc(target, patch, result):
    """RFC 7386, appendix A."""
    before = copy.deepcopy(target)
    assert merge_patch(target, patch) == result
    assert target == before


def test_a_new_service_is_created_and_awaited(cluster, capsys):
    """Its URL is known once it is ready, not before."""
    cluster.statuses = [{}, coming_up(), coming_up(), ready()]
    done = roll_out()
    assert done == rollout.Outcome("created", URL, {"IngressReady": "True", "PredictorReady": "True", "Ready": "True"})
    assert (
        cluster.services["models", "severity"]["spec"] == merge_patch({}, inference_service(Service(**SERVICE)))["spec"]
    )
    assert capsys.readouterr().out.splitlines() == [
        "severity in models: created.",
        "waiting: it has no status (does KServe's controller run?).",
        "waiting: " + "; ".join(
            f"{kind} is Unknown (RevisionMissing: Configuration is waiting for a Revision to become ready)"
            for kind in ("PredictorReady", "Ready")
        ) + ".",
    ]  # fmt: skip


def test_an_unchanged_service_is_left_as_it_is(cluster):
    """Nothing is written, and it says so."""
    before = applied(cluster)
    assert roll_out().action == "unchanged"
    assert (cluster.writes, cluster.services["models", "severity"]) == (0, before)


def test_a_value_that_the_server_writes_in_its_own_way_is_no_change(cluster):
    """1000m is 1: the server keeps the version of the service."""
    applied(cluster)
    assert roll_out(cpu="1000m").action == "unchanged"


def test_a_new_model_changes_its_own_fields_alone(cluster):
    """What others have set in the service stays; a canary that is over goes."""
    applied(cluster, canary_percent=10)
    service = cluster.services["models", "severity"]
    service["spec"]["predictor"]["tolerations"] = [{"key": "gpu", "operator": "Exists"}]
    service["metadata"]["labels"]["team"] = "roads"
    cluster.statuses = [coming_up(2), ready(2)]
    assert roll_out(uri="s3://models/next", digest="sha256:cd", version="2").action == "updated"
    now = cluster.services["models", "severity"]
    assert now["spec"]["predictor"]["model"]["storageUri"] == "s3://models/next"
    assert now["spec"]["predictor"]["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert "canaryTrafficPercent" not in now["spec"]["predictor"]
    assert now["metadata"]["annotations"] == {"roadsafety-components/model-digest": "sha256:cd"}
    assert now["metadata"]["labels"] == {"team": "roads", "app.kubernetes.io/version": "2",
                                         "app.kubernetes.io/managed-by": "roadsafety-components"}  # fmt: skip


def test_ready_of_the_former_revision_is_not_taken_for_the_new_ones(cluster):
    """KServe's status says Ready of what was there before until its controller has looked."""
    applied(cluster)
    cluster.statuses = [ready(1), ready(1), ready(1) | {"components": coming_up(2)["components"]}, ready(2)]
    roll_out(uri="s3://models/next", settle=5.0)
    assert cluster.services["models", "severity"]["status"] == ready(2)


def test_a_change_that_changes_no_status_is_ready_in_the_end(cluster):
    """A status that stays the same is believed once it has had time to change."""
    applied(cluster)
    assert roll_out(labels={"team": "roads"}, settle=0.03).action == "updated"


def test_ready_is_not_believed_while_the_model_is_loaded(cluster, capsys):
    """Without Knative the pods of the former model keep the service Ready (kserve/kserve issue 4626)."""
    applied(cluster)
    cluster.statuses = [unsplit("InProgress"), unsplit("InProgress", 2), unsplit(copies=2)]
    roll_out(uri="s3://models/next")
    assert cluster.services["models", "severity"]["status"] == unsplit(copies=2)
    assert "waiting: the model is not loaded yet.\n" in capsys.readouterr().out


def test_another_number_of_copies_is_no_news_of_the_new_model(cluster):
    """The former one may be scaled just now."""
    applied(cluster)
    cluster.services["models", "severity"]["status"] = unsplit()
    last = unsplit() | {"url": "http://next.example.com"}
    cluster.statuses = [unsplit(copies=2), unsplit(copies=3), unsplit("InProgress"), last]
    assert roll_out(uri="s3://models/next", settle=5.0).url == "http://next.example.com"


def test_a_service_that_is_scaled_to_none_is_ready(cluster):
    """Knative keeps it so until somebody asks; KServe calls the model InProgress for want of a pod."""
    applied(cluster, min_replicas=0)
    idle = ready() | {"modelStatus": {"transitionStatus": "InProgress", "copies": {"totalCopies": 0}}}
    cluster.services["models", "severity"]["status"] = idle
    assert roll_out(min_replicas=0).action == "unchanged"


def test_a_service_that_was_failing_may_be_mended(cluster):
    """The failure of the former model is not taken for that of the new one."""
    applied(cluster)
    cluster.services["models", "severity"]["status"] = failed(1)
    cluster.statuses = [failed(1), failed(1) | {"observedGeneration": 2}, coming_up(2), ready(2)]
    assert roll_out(uri="s3://models/next", settle=5.0).action == "updated"


def test_a_model_that_cannot_be_loaded_gives_way_to_the_former_one(cluster):
    """The former spec, labels and annotations are there again exactly; the error has KServe's words."""
    before = applied(cluster)
    cluster.statuses = [coming_up(2), failed(2)]
    with pytest.raises(InputError) as raised:
        roll_out(uri="s3://models/next", digest="sha256:cd", version="2", labels={"team": "roads"})
    assert str(raised.value) == (
        "severity in models failed: PredictorReady is False (RevisionFailed: Container failed); Ready is False "
        "(PredictorNotReady); the model failed (ModelLoadFailed: No model found in severity). The former spec has been "
        "restored."
    )
    assert essence(cluster.services["models", "severity"]) == essence(before)


@pytest.mark.parametrize("cpu", ["1", "1000m"])
def test_an_update_whose_answer_is_lost_is_undone_too(cluster, cpu):
    """The client sends it again and meets its own write; what was there before the first time comes back."""
    before = applied(cluster)
    cluster.lost, cluster.statuses = 1, [failed(2)]
    with pytest.raises(InputError, match=r"ModelLoadFailed.* The former spec has been restored"):
        roll_out(uri="s3://models/next", cpu=cpu)
    assert essence(cluster.services["models", "severity"]) == essence(before)


def test_an_update_whose_answer_is_lost_is_an_update(cluster):
    """Nobody else has made it."""
    applied(cluster)
    cluster.lost, cluster.statuses = 1, [ready(2)]
    assert roll_out(uri="s3://models/next").action == "updated"


@pytest.mark.parametrize("moment", ["before_get", "before_replace"])
def test_a_step_that_is_told_to_end_takes_its_change_back(cluster, moment):
    """Kubernetes sends SIGTERM; in the middle of a write it is noted, and the write is ended first."""
    before = applied(cluster)
    cluster.statuses = [coming_up(2)]
    former = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        told = {moment: lambda: os.kill(os.getpid(), signal.SIGTERM)}
        with pytest.raises(InputError, match=r"was not ready when the step was told to end \(SIGTERM\)\. The former"):
            roll_out(uri="s3://models/next", services=services_that(**told))
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, former)
    assert essence(cluster.services["models", "severity"]) == essence(before)


def test_any_other_end_of_the_wait_takes_the_change_back(cluster, capsys):
    """Such as Ctrl-C, which stays what it is."""
    before = applied(cluster)
    cluster.statuses = [coming_up(2)]
    raised = []

    def once():
        if cluster.writes and not raised:
            raised.append(True)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        roll_out(uri="s3://models/next", services=services_that(before_get=once))
    assert essence(cluster.services["models", "severity"]) == essence(before)
    assert capsys.readouterr().out.endswith("severity in models: The former spec has been restored.\n")


def test_it_runs_beside_the_main_thread(cluster):
    """Where no signal comes, and none may be asked for."""
    done = []
    thread = threading.Thread(target=lambda: done.append(roll_out().action))
    thread.start()
    thread.join()
    assert done == ["created"]


def test_what_others_have_set_meanwhile_outlives_the_undoing(cluster):
    """Annotations and finalizers; of the labels and annotations only the step's own go back."""
    before = applied(cluster)
    cluster.statuses = [coming_up(2)]

    def others():
        if cluster.writes == 1:
            told = cluster.services["models", "severity"]["metadata"]
            told["annotations"]["ops/silence"], told["finalizers"] = "yes", ["example.com/kept"]

    with pytest.raises(InputError, match="The former spec has been restored"):
        roll_out(0.1, services=services_that(others), uri="s3://models/next", digest="sha256:cd",
                 labels={"team": "roads"})  # fmt: skip
    before["metadata"]["annotations"]["ops/silence"] = "yes"
    before["metadata"]["finalizers"] = ["example.com/kept"]
    assert essence(cluster.services["models", "severity"]) == essence(before)


def test_a_service_that_is_not_ready_in_time_gives_way_to_the_former_one(cluster):
    """The message has the conditions that it had."""
    before = applied(cluster)
    cluster.statuses = [coming_up(2)]
    with pytest.raises(InputError, match=r"was not ready after 0\.1 seconds: PredictorReady is Unknown .* restored\.$"):
        roll_out(timeout=0.1, uri="s3://models/next")
    assert essence(cluster.services["models", "severity"]) == essence(before)


def test_a_new_service_that_fails_is_deleted(cluster):
    """There was none before."""
    cluster.statuses = [failed()]
    with pytest.raises(InputError, match=r"ModelLoadFailed.* It was new, and has been deleted"):
        roll_out()
    assert cluster.services == {}


def test_an_unchanged_service_that_is_not_ready_is_left(cluster):
    """Not this step has broken it."""
    applied(cluster)
    cluster.services["models", "severity"]["status"] = failed()
    with pytest.raises(InputError, match="It was so before this step, which has left it"):
        roll_out()
    assert cluster.writes == 0


def test_a_change_of_somebody_else_is_not_undone(cluster):
    """Who has changed the service since owns it now."""
    applied(cluster)
    cluster.statuses = [coming_up(2)]
    undo = rollout._undo

    def somebody_first(*about):
        cluster.services["models", "severity"]["metadata"]["generation"] += 1
        return undo(*about)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(InputError, match="Somebody else has changed it since"):
        patch.setattr(rollout, "_undo", somebody_first)
        roll_out(timeout=0.05, uri="s3://models/next")
    assert cluster.services["models", "severity"]["spec"]["predictor"]["model"]["storageUri"] == "s3://models/next"


def test_a_service_that_somebody_deletes_is_gone(cluster):
    """Nothing is made again."""
    services, patch = Services("models"), inference_service(Service(**SERVICE))
    get = services.get
    services.get = lambda name: get(name) if not cluster.writes else None
    with pytest.raises(InputError, match=r"was deleted while it was coming up. It is gone"):
        rollout.roll_out(services, patch, 5.0, 0.01)


@pytest.mark.parametrize("verb", ["get", "replace"])
def test_an_outage_does_not_keep_it_from_undoing(cluster, monkeypatch, verb):
    """It tries again, as it does while it waits."""
    before = applied(cluster)
    cluster.statuses = [failed(2)]
    undo = rollout._undo

    def then_away(services, *about):
        answers, asked = getattr(services, verb), []

        def away(what):
            asked.append(what)
            if len(asked) < 4:
                raise InputError("the Kubernetes API does not answer.")
            return answers(what)

        monkeypatch.setattr(services, verb, away)
        return undo(services, *about)

    monkeypatch.setattr(rollout, "_undo", then_away)
    with pytest.raises(InputError, match="The former spec has been restored"):
        roll_out(uri="s3://models/next")
    assert essence(cluster.services["models", "severity"]) == essence(before)


def test_an_undoing_whose_answer_is_lost_is_not_somebody_elses(cluster, monkeypatch):
    """The client sends it again, and meets a service of another generation, which this step has made."""
    before = applied(cluster)
    cluster.statuses = [failed(2)]
    undo = rollout._undo

    def lost(*about):
        cluster.lost = 1
        return undo(*about)

    monkeypatch.setattr(rollout, "_undo", lost)
    with pytest.raises(InputError, match="The former spec has been restored"):
        roll_out(uri="s3://models/next")
    assert essence(cluster.services["models", "severity"]) == essence(before)


def test_a_failed_rollback_is_told_beside_the_failure(cluster):
    """Both are to be seen to."""
    cluster.permitted.discard("delete")
    cluster.statuses = [failed()]
    with pytest.raises(InputError, match=r"ModelLoadFailed.*Undoing the change failed too: .*cannot delete resource"):
        roll_out()


@pytest.mark.parametrize("mode", ["RawDeployment", "Standard", "Knative"])
def test_a_canary_needs_a_cluster_that_splits_requests(cluster, mode):
    """Elsewhere the new model would get them all."""
    applied(cluster)
    cluster.services["models", "severity"]["status"]["deploymentMode"] = mode
    cluster.statuses = [ready(2)]
    if mode == "Knative":
        assert roll_out(uri="s3://models/next", canary_percent=10).action == "updated"
        return
    with pytest.raises(InputError, match=rf"canary_percent is 10, but .* in the mode {mode}"):
        roll_out(uri="s3://models/next", canary_percent=10)
    assert cluster.writes == 0


@pytest.mark.parametrize("there", [True, False])
def test_a_write_that_another_write_came_before_is_tried_again(cluster, there):
    """On what is there by then: the other's change stays."""
    if there:
        applied(cluster)
    cluster.interfering = 2 if there else 1
    cluster.statuses = [ready(2)]
    assert roll_out(uri="s3://models/next").action == ("updated" if there else "unchanged")
    service = cluster.services["models", "severity"]
    assert service["spec"]["predictor"]["model"]["storageUri"] == "s3://models/next"
    assert service["metadata"]["annotations"].get("somebody") == ("was here 0" if there else None)


def test_a_service_that_is_deleted_before_the_update_is_made_again(cluster):
    """KServe is installed there: it is the service that is absent."""
    applied(cluster)
    gone = services_that(before_replace=cluster.services.clear)
    assert roll_out(uri="s3://models/next", services=gone).action == "created"
    assert cluster.services["models", "severity"]["spec"]["predictor"]["model"]["storageUri"] == "s3://models/next"


def test_it_does_not_fight_for_a_service_for_ever(cluster):
    """Two that deploy the same service must learn of each other."""
    applied(cluster)
    cluster.interfering = 100
    with pytest.raises(InputError, match="written to by somebody else 5 times in a row"):
        roll_out(uri="s3://models/next")
    assert cluster.writes == 5


def test_an_outage_while_it_waits_is_no_failure(cluster):
    """The API server may be away for a moment."""
    cluster.statuses = [coming_up(), ready()]
    services = Services("models")
    create = services.create

    def then_away(body):
        cluster.outages = 3
        return create(body)

    services.create = then_away
    patch = inference_service(Service(**SERVICE))
    assert rollout.roll_out(services, patch, 5.0, 0.01).action == "created"
    assert cluster.outages == 0


@pytest.mark.parametrize("verb", ["get", "create", "update"])
def test_what_is_not_permitted_is_named(cluster, verb):
    """With the verb, the words of the server, and where the Role is."""
    if verb == "update":
        applied(cluster)
    cluster.permitted.discard(verb)
    with pytest.raises(InputError, match=rf"cannot {verb} resource .* the Role in docs/serving.md \({verb} inference"):
        roll_out(uri="s3://models/next")


def test_what_kserve_itself_refuses_is_no_matter_of_permission(cluster):
    """A webhook's refusal has the same HTTP status."""
    cluster.denied = "the autoscaler class is not supported"
    with pytest.raises(InputError, match=r"denied the request: the autoscaler class is not supported \(HTTP.*403\)\.$"):
        roll_out()


def test_a_token_that_is_not_accepted(cluster, tmp_path, monkeypatch):
    """The token itself is in no message."""
    use(cluster, tmp_path, monkeypatch, token="an-old-token")
    with pytest.raises(InputError, match=r"Unauthorized \(HTTP status 401\). The token is not accepted") as raised:
        roll_out()
    assert "an-old-token" not in str(raised.value)


def test_a_cluster_without_kserve(cluster):
    """The API server does not know the path then; that is no absent service."""
    cluster.installed = False
    with pytest.raises(InputError, match=r"404 page not found .* Is KServe installed"):
        roll_out()
    assert cluster.writes == 0


def test_no_cluster_at_all(tmp_path, monkeypatch):
    """Neither a pod's service account nor a kubeconfig."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    with pytest.raises(InputError, match=r"there is no cluster to deploy to: .* or leave dry_run on"):
        Services("models")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_no_answer(cluster):
    """The address is in the message."""
    cluster.stop()
    cluster.stop = lambda: None
    with pytest.raises(InputError, match=rf"the Kubernetes API at {cluster.url} does not answer"):
        roll_out()


def test_in_a_pod_it_speaks_as_the_service_account(cluster, tmp_path, monkeypatch):
    """Before any kubeconfig, with the token and the certificate that Kubernetes mounts."""
    from kubernetes.config import incluster_config

    for name, text in (("TOKEN", TOKEN), ("CERT", "certificate")):
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(incluster_config, f"SERVICE_{name}_FILENAME", str(tmp_path / name))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    services = Services("models")
    configuration = services._api.api_client.configuration
    assert services.host == "https://10.0.0.1:443"
    assert configuration.get_api_key_with_prefix("authorization") == f"bearer {TOKEN}"
    assert configuration.ssl_ca_cert == str(tmp_path / "CERT")


def run_step(tmp_path, **changes):
    """Run the step on an exported folder, and return manifest and URL."""
    folder = tmp_path / "exported"
    (folder / "model" / "1").mkdir(parents=True, exist_ok=True)
    (folder / "model" / "1" / "model.onnx").write_bytes(b"onnx")
    made, url = Artifact(uri=str(tmp_path / "out" / "service.yaml")), tmp_path / "out" / "url"
    model = Model(uri=str(folder), metadata={"sha256": DIGEST})
    settings = {"name": "severity", "namespace": "models", "model_uri": "s3://models/severity", "version": "2024-1",
                "runtime": ""}  # fmt: skip
    step.python_func(model=model, manifest=made, url=str(url), **settings | changes)
    return made, url


def test_a_dry_run_speaks_to_no_cluster(cluster, tmp_path):
    """The manifest is written, and that is all."""
    made, url = run_step(tmp_path)
    assert (tmp_path / "out" / "service.yaml").read_text() == MANIFEST.format(digest="ab12" * 16)
    assert url.read_text() == ""
    assert cluster.verbs == set()
    assert made.metadata == {
        "service": "severity", "namespace": "models", "model_digest": DIGEST, "model_version": "2024-1",
        "model_uri": "s3://models/severity", "action": "dry run", "url": "", "conditions": {},
    }  # fmt: skip


def test_the_step_deploys(cluster, tmp_path):
    """Manifest, URL and what was done."""
    made, url = run_step(tmp_path, dry_run=False)
    assert url.read_text() == URL
    assert made.metadata["action"] == "created"
    assert made.metadata["conditions"]["Ready"] == "True"
    assert (made.metadata["url"], made.metadata["model_digest"]) == (URL, DIGEST)


def test_the_manifest_is_there_when_the_deployment_fails(cluster, tmp_path):
    """To be looked at, and to be applied by hand; no URL is."""
    cluster.permitted.clear()
    with pytest.raises(InputError):
        run_step(tmp_path, dry_run=False)
    assert yaml.safe_load((tmp_path / "out" / "service.yaml").read_text())["kind"] == "InferenceService"
    assert not (tmp_path / "out" / "url").exists()


def test_the_manifest_can_be_applied_as_it_is(cluster, tmp_path):
    """What a dry run wrote is what the step would have sent."""
    run_step(tmp_path)
    cluster.add(yaml.safe_load((tmp_path / "out" / "service.yaml").read_text()), ready())
    assert run_step(tmp_path, dry_run=False)[0].metadata["action"] == "unchanged"


def test_no_time_to_wait_is_refused(tmp_path):
    """Before anything is written."""
    with pytest.raises(InputError, match="timeout_seconds is 0"):
        run_step(tmp_path, timeout_seconds=0)
    assert not (tmp_path / "out").exists()


def test_the_role_in_the_documentation_is_what_the_step_uses(cluster, checkout):
    """Exactly those verbs, on exactly this resource."""
    cluster.statuses = [failed()]
    with pytest.raises(InputError):
        roll_out()  # create, get, delete
    applied(cluster)
    cluster.statuses = [ready(2)]
    roll_out(uri="s3://models/next")  # update
    blocks = re.findall(r"```yaml\n(.*?)```", (checkout / "docs/serving.md").read_text(), re.DOTALL)
    (role,) = [d for b in blocks for d in yaml.safe_load_all(b) if d["kind"] == "Role"]
    (rule,) = role["rules"]
    assert (rule["apiGroups"], rule["resources"]) == ([GROUP], [PLURAL])
    assert sorted(rule["verbs"]) == sorted(cluster.verbs) == ["create", "delete", "get", "update"]


def test_the_clients_are_imported_only_where_they_are_used():
    """A core that others import stays light."""
    script = (
        "import sys\nfrom roadsafety_components.core import exported, kserve, kserve_api, registry, rollout\n"
        "print(sorted({'kubernetes', 'model_registry', 'mr_openapi', 'aiohttp', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
