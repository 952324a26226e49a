"""Settings as one object and one YAML file: what is refused, and how two of them make one."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from roadsafety_components import kubernetes as k8s
from roadsafety_components.core.errors import InputError

# A setting of each kind.
FILE = """
profile: small
cpu_limit: 2
memory_limit: 4Gi
retries: {count: 3, wait_seconds: 30, factor: 2, give_up_seconds: 600}
timeout_seconds: 3600
image_pull_policy: IfNotPresent
image_pull_secrets: [registry]
run_as_user: 0
run_as_group: 100
run_as_non_root: false
node_selector: {pool: batch}
tolerations:
- {key: dedicated, operator: Equal, value: batch, effect: NoSchedule}
labels: {team: road-safety}
annotations: {sidecar.istio.io/inject: 'false'}
env: {HTTPS_PROXY: 'http://proxy:3128'}
secret_env:
  mirror: {token: MIRROR_TOKEN}
secret_files: {ca-bundle: /etc/ca}
config_env:
  mirror-settings: {url: MIRROR_URL}
config_files: {pip: /etc/pip}
volumes: {downloads: /downloads}
scratch: {/tmp: 10Gi}
shared_memory: 1Gi
steps:
  train_classifier: {profile: national-year}
"""


def test_a_file_with_every_setting_there_and_back(tmp_path: Path):
    """What was read is written as it was, and read as the same."""
    path = tmp_path / "settings.yaml"
    path.write_text(FILE)
    settings = k8s.read_settings(path)
    assert yaml.safe_load(k8s.settings_yaml(settings)) == yaml.safe_load(FILE)
    path.write_text(k8s.settings_yaml(settings))
    assert k8s.read_settings(path) == settings


def test_the_file_has_every_setting_but_requests():
    """A setting that is added to the object is added to this test."""
    names = set(yaml.safe_load(FILE)) | {"cpu_request", "memory_request"}
    assert names == {f.name for f in dataclasses.fields(k8s.Settings) if f.init}


def test_an_empty_file_is_no_settings(tmp_path: Path):
    """A team that asks for nothing may say so."""
    (tmp_path / "settings.yaml").write_text("# nothing yet\n")
    assert k8s.read_settings(tmp_path / "settings.yaml") == k8s.Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile: national", "profile is 'national'; write one of small, national-year, full-history."),
        ("memory_limit: 4GB", "memory_limit is '4GB'; write a whole number and a unit, as 512Mi or 4Gi (or 4G)."),
        ("memory_request: 0.5Gi", "memory_request is '0.5Gi'; write a whole number and a unit"),
        ("memory_limit: 4", "memory_limit is 4; write a whole number and a unit"),
        ("shared_memory: 1 Gi", "shared_memory is '1 Gi'; write a whole number and a unit"),
        ("cpu_limit: two", "cpu_limit is 'two'; write cores as 2, 0.5 or 500m."),
        ("cpu_limit: 0", "cpu_limit is 0; write cores as 2, 0.5 or 500m."),
        ("retries: 3", "retries is 3; write {count: 3}, and if need be wait_seconds, factor and give_up_seconds"),
        ("retries: {times: 3}", "retries is {'times': 3}; write {count: 3}"),
        ("retries: {count: 3, factor: 1.5}", "retries is {'count': 3, 'factor': 1.5}; write {count: 3}"),
        ("retries: {count: two}", "retries is {'count': 'two'}; write {count: 3}"),
        ("retries: {count: -1}", "retries is {'count': -1}; write {count: 3}"),
        ("timeout_seconds: 1h", "timeout_seconds is '1h'; write a whole number of seconds, 1 at least."),
        ("timeout_seconds: 0", "timeout_seconds is 0; write a whole number of seconds, 1 at least."),
        ("timeout_seconds:", "timeout_seconds has no value; write a whole number of seconds, 1 at least, or leave it"),
        ("profile: ''", "profile has no value; write one of small, national-year, full-history, or leave it out."),
        ("image_pull_secrets: []", "image_pull_secrets has no value; write a list of names, or leave it out."),
        ("steps: {deploy_kserve: {retries: }}", "steps, deploy_kserve: retries has no value; write {count: 3}, and"),
        ("image_pull_policy: always", "image_pull_policy is 'always'; write one of Always, Never, IfNotPresent."),
        ("image_pull_secrets: registry", "image_pull_secrets is 'registry'; write a list of names."),
        ("run_as_user: -1", "run_as_user is -1; write a user's number."),
        ("run_as_non_root: 'yes'", "run_as_non_root is 'yes'; write true or false."),
        ("labels: {release: 2024}", "labels is {'release': 2024}; write texts by name, numbers and true in quotes, "),
        ("labels: {Bad Label: a}", "labels is {'Bad Label': 'a'}; write texts by name, numbers and true in quotes, "),
        ("tolerations: [{keys: dedicated}]", "tolerations: there is no keys. Nearest name: key."),
        ("tolerations: [{key: a, effect: Never}]", "tolerations: effect is 'Never'; write NoExecute, NoSchedule"),
        ("secret_env: {mirror: TOKEN}", "secret_env is {'mirror': 'TOKEN'}; write by name, by key the environment"),
        ("volumes: {downloads: cache}", "volumes is {'downloads': 'cache'}; write by name the folder, which begins"),
        ("scratch: {tmp: 10Gi}", "scratch is {'tmp': '10Gi'}; write by folder its size: {/tmp: 10Gi}."),
        ("gpu: 1", "there is no setting gpu. There are profile, cpu_request"),
        ("memory_limits: 4Gi", "there is no setting memory_limits. Nearest name: memory_limit."),
        ("steps: {train_classifier: {memory_limit: 4GB}}", "steps, train_classifier: memory_limit is '4GB'; write"),
        ("steps: {train_classifier: {steps: {}}}", "steps, train_classifier: there is no setting steps."),
        ("steps: [train_classifier]", "steps holds no steps; write steps: {train_classifier: {memory_limit: 4Gi}}."),
        ("- profile: small", "the file has no settings by name; write name: value."),
        ("[]", "the file has no settings by name; write name: value."),
        ("steps: {train_classifier: }", "steps, train_classifier has no settings by name; write name: value."),
        ("retries: {count: 1}\nprofile: small\nretries: {count: 2}", "retries is there twice, again in line 3; leave"),
        ("steps:\n  a: {cpu_limit: 1}\n  a: {cpu_limit: 2}", "a is there twice, again in line 3; leave one."),
        ("secret_files: {a: /x}\nvolumes: {a: /y}", "a is mounted twice, of secret_files, config_files and volumes"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(text: str, message: str, tmp_path: Path):
    """The message names the file, the setting, the value, and what to write."""
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        k8s.read_settings(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path):
    """No file, and no YAML."""
    with pytest.raises(InputError, match=r"nowhere.yaml: cannot be read"):
        k8s.read_settings(tmp_path / "nowhere.yaml")
    (tmp_path / "no.yaml").write_text("a: [")
    with pytest.raises(InputError, match=r"no.yaml: cannot be read"):
        k8s.read_settings(tmp_path / "no.yaml")


def test_settings_in_python_are_checked_as_well():
    """The same sentence without a file."""
    with pytest.raises(InputError, match=r"^memory_limit is '4GB'; write a whole number and a unit"):
        k8s.Settings(memory_limit="4GB")
    with pytest.raises(InputError, match=r"^steps, a: write settings, without steps of their own.$"):
        k8s.Settings(steps={"a": k8s.Settings(steps={"b": k8s.Settings()})})


def test_two_settings_make_one():
    """Mappings and lists are joined, of two values that of the second stays; what is not given takes nothing away."""
    team = k8s.Settings(
        profile="small",
        timeout_seconds=60,
        run_as_user=1000,
        labels={"team": "a", "cost": "1"},
        image_pull_secrets=["one"],
        secret_env={"s": {"k": "K"}},
        steps={"train_classifier": k8s.Settings(memory_limit="4Gi", labels={"long": "yes"})},
    )
    run = k8s.Settings(
        profile="national-year",
        run_as_user=0,
        labels={"team": "b"},
        image_pull_secrets=["one", "two"],
        secret_env={"s": {"l": "L"}},
        steps={"train_classifier": k8s.Settings(memory_limit="8Gi"), "predict_batch": k8s.Settings(cpu_limit=2)},
    )
    assert team | run == k8s.Settings(
        profile="national-year",
        timeout_seconds=60,
        run_as_user=0,
        labels={"team": "b", "cost": "1"},
        image_pull_secrets=["one", "two"],
        secret_env={"s": {"k": "K", "l": "L"}},
        steps={
            "train_classifier": k8s.Settings(memory_limit="8Gi", labels={"long": "yes"}),
            "predict_batch": k8s.Settings(cpu_limit=2),
        },
    )
    assert team | k8s.Settings() == team


def test_a_step_gets_the_common_part_and_its_own():
    """Its own goes before the common one; another step has the common one alone."""
    settings = k8s.Settings(
        timeout_seconds=60, labels={"team": "a"}, steps={"a": k8s.Settings(timeout_seconds=5, labels={"long": "no"})}
    )
    assert settings.for_step("a") == k8s.Settings(timeout_seconds=5, labels={"team": "a", "long": "no"})
    assert settings.for_step("b") == k8s.Settings(timeout_seconds=60, labels={"team": "a"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"secret_files": {"a": "/x"}, "volumes": {"b": "/x/"}}, "two volumes are mounted at /x;"),
        ({"secret_files": {"a": "/x", "b": "/x"}}, "two volumes are mounted at /x;"),
        ({"scratch": {"/dev/shm": "1Gi"}, "shared_memory": "1Gi"}, "two volumes are mounted at /dev/shm;"),
        ({"scratch": {"/tmp/a": "1Gi", "/tmp-a": "1Gi"}}, "would both be the volume scratch-tmp-a"),
    ],
)
def test_two_volumes_in_one_place_are_refused(given, message):
    """Kubernetes would refuse the pod, an hour later."""
    with pytest.raises(InputError, match=message):
        k8s.Settings(**given)


@pytest.mark.parametrize("setting", ["labels", "node_selector"])
@pytest.mark.parametrize("key", ["team", "A.b_c-9", "a" * 63, "example.com/team", f"{'d' * 253}/team"])
@pytest.mark.parametrize("value", ["", "x", "Road_safety-1.0", "v" * 63])
def test_labels_that_kubernetes_takes(setting: str, key: str, value: str):
    """Names of 63 characters, a domain of 253; a value may be empty."""
    assert getattr(k8s.Settings(**{setting: {key: value}}), setting) == {key: value}


KEYS = [
    "",
    "Bad Label",
    "-team",
    "team.",
    "a" * 64,
    "/team",
    "a/b/c",
    "Example.com/team",
    f"{'d' * 254}/team",
    "team\n",
]


@pytest.mark.parametrize("setting", ["labels", "node_selector", "annotations"])
@pytest.mark.parametrize("key", KEYS)
def test_keys_that_kubernetes_refuses(setting: str, key: str):
    """All but capitals in the domain of an annotation."""
    if setting == "annotations" and key == "Example.com/team":
        assert k8s.Settings(annotations={key: "a"}).annotations == {key: "a"}
        return
    with pytest.raises(
        InputError, match=f"^{setting} is .*; write texts by name, .*, keys .*of letters, digits and within them"
    ):
        k8s.Settings(**{setting: {key: "a"}})


@pytest.mark.parametrize("value", ["road safety", "-a", "a-", "v" * 64, "a/b"])
def test_values_that_kubernetes_refuses(value: str):
    """Of labels and of a node's; of an annotation every text is a value."""
    for setting in ("labels", "node_selector"):
        with pytest.raises(InputError, match=f"^{setting} is "):
            k8s.Settings(**{setting: {"a": value}})
    assert k8s.Settings(annotations={"a": value}).annotations == {"a": value}


def test_no_time_at_all_is_refused_in_python_as_well():
    """To KFP it would mean none."""
    with pytest.raises(InputError, match=r"^timeout_seconds is 0; write a whole number of seconds, 1 at least.$"):
        k8s.Settings(timeout_seconds=0)


def test_a_merge_in_the_file_is_no_name_that_is_there_twice(tmp_path: Path):
    """YAML's own way of giving two steps the same."""
    (tmp_path / "settings.yaml").write_text("steps:\n  a: &a {cpu_limit: 1}\n  b: {<<: *a, cpu_limit: 2}\n")
    found = k8s.read_settings(tmp_path / "settings.yaml").steps
    assert found == {"a": k8s.Settings(cpu_limit=1), "b": k8s.Settings(cpu_limit=2)}
