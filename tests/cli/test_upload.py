"""`roadsafety upload`, against the API in memory or, with KFP_HOST, a real one."""

import json
import re
import shutil

import pytest

from roadsafety_components import __version__


@pytest.fixture
def specs(server, small_pipeline, tmp_path, checkout):
    """Return a folder of specs with two steps in both packagings and two pipelines, named for this test."""
    folder = tmp_path / "specs"
    catalog = json.loads((checkout / "component_specs/catalog.json").read_text())
    steps = [s for s in catalog["steps"] if s["name"] in ("split_dataset", "train_classifier")]
    for step in steps:
        target = folder / step["spec"]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkout / "component_specs" / step["spec"], target)
        step["name"] = f"{server.prefix}_{step['name']}"
    pipelines = []
    for name in ("first", "second"):
        (folder / f"{name}.yaml").write_text(small_pipeline.replace("name: small", f"name: {name}"))
        pipelines.append({"name": f"{server.prefix}_{name}", "spec": f"{name}.yaml", "description": f"The {name}."})
    (folder / "catalog.json").write_text(json.dumps({"version": "9.1.0", "steps": steps, "pipelines": pipelines}))
    return folder


@pytest.fixture
def upload(command, server, specs):
    """Return a function that uploads from that folder."""
    return lambda *words: command("upload", *words, "--specs", specs, "--host", server.url)


def _uploaded(server):
    """Versions by pipeline, as their display names."""
    client = server.client
    return {
        p.display_name.removeprefix(server.prefix): sorted(
            v.display_name for v in client.list_pipeline_versions(p.pipeline_id).pipeline_versions or []
        )
        for p in server.all(client.list_pipelines, "pipelines")
    }


def test_a_pipeline_is_uploaded_under_the_version_of_its_catalogue(upload, server):
    """With its description, and the address that shows it."""
    done = upload(f"{server.prefix}_first")
    assert done.returncode == 0, done.stderr
    assert _uploaded(server) == {"_first": ["9.1.0"]}
    (pipeline,) = server.all(server.client.list_pipelines, "pipelines")
    (version,) = server.client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions
    assert done.stdout == (
        f"new pipeline: {server.prefix}_first 9.1.0  {server.url}/#/pipelines/details/{pipeline.pipeline_id}"
        f"/version/{version.pipeline_version_id}\n"
    )
    assert pipeline.description == "The first."
    assert version.description.startswith(f"The first. (roadsafety-components {__version__}, sha256:")
    assert "say" in version.pipeline_spec["root"]["dag"]["tasks"]


def test_all_pipelines_and_every_step(upload, server):
    """A step is a pipeline of one task, as the user interface takes it."""
    done = upload("--all-pipelines", "--steps")
    assert done.returncode == 0, done.stderr
    assert _uploaded(server) == {
        "_first": ["9.1.0"], "_second": ["9.1.0"], "_split_dataset": ["9.1.0"], "_train_classifier": ["9.1.0"],
    }  # fmt: skip


def test_both_packagings_of_a_step_live_beside_each_other(upload, server):
    """The container packaging is a version of its own."""
    step = f"{server.prefix}_train_classifier"
    assert [upload(step).returncode, upload(step, "--packaging", "container").returncode] == [0, 0]
    assert _uploaded(server) == {"_train_classifier": ["9.1.0", "9.1.0-container"]}


def test_the_same_again_changes_nothing(upload, server):
    """Not the pipeline, not its version."""
    upload("--all-pipelines")
    before = _uploaded(server)
    done = upload("--all-pipelines")
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["unchanged", "unchanged"]
    assert _uploaded(server) == before


def test_other_content_under_the_same_version_is_refused(upload, server, specs):
    """A version does not change: the message says what to do."""
    upload(f"{server.prefix}_first")
    spec = specs / "first.yaml"
    spec.write_text(spec.read_text().replace("print(word)", "print(word, word)"))
    done = upload(f"{server.prefix}_first")
    assert done.returncode == 2
    assert f"{server.prefix}_first 9.1.0 is there with other content, and a version does not change" in done.stderr
    done = upload(f"{server.prefix}_first", "--version-name", "9.1.0-b")
    assert done.stdout.startswith("new version: ")
    assert _uploaded(server) == {"_first": ["9.1.0", "9.1.0-b"]}


def test_an_upload_that_was_cut_off_is_completed_by_the_same_command(command, api, url, small, monkeypatch):
    """A pipeline that was left without a version gets it."""
    original = api.upload_pipeline_version
    monkeypatch.setattr(api, "upload_pipeline_version", lambda **_: 1 / 0)
    assert command("upload", small, "--host", url).returncode == 2
    assert (len(api.pipelines), len(api.versions)) == (1, 0)
    monkeypatch.setattr(api, "upload_pipeline_version", original)
    assert command("upload", small, "--host", url).stdout.startswith("new version: small ")
    assert (len(api.pipelines), len(api.versions)) == (1, 1)


def test_settings_of_a_file_are_part_of_a_version(upload, server, tmp_path):
    """With other settings it is other content."""
    path = tmp_path / "cluster.yaml"
    path.write_text("node_selector: {pool: batch}\n")
    step = f"{server.prefix}_train_classifier"
    assert [upload(step, "--kubernetes", path).returncode for _ in range(2)] == [0, 0]
    assert upload(step).returncode == 2
    (pipeline,) = server.all(server.client.list_pipelines, "pipelines")
    (version,) = server.client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions
    executors = version.pipeline_spec["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert [e["nodeSelector"]["labels"] for e in executors.values()] == [{"pool": "batch"}]


def test_a_folder_without_what_is_asked_for_is_told(upload, specs):
    """Nothing uploaded is no success: a bundle without an index has container steps alone."""
    catalog = json.loads((specs / "catalog.json").read_text())
    catalog["steps"] = [step for step in catalog["steps"] if step["packaging"] == "container"]
    (specs / "catalog.json").write_text(json.dumps(catalog))
    done = upload("--steps")
    assert done.returncode == 2
    assert f"{specs} has no steps in the packaging lightweight." in done.stderr


def test_a_file_of_ones_own(command, server, small):
    """Under the pipeline's own name; each content is a version, named by its digest unless a name is given."""
    small.write_text(small.read_text().replace("name: small", f"name: {server.prefix}"))
    did = [command("upload", small, "--host", server.url).stdout.split(":")[0] for _ in range(2)]
    assert did == ["new pipeline", "unchanged"]
    (first,) = _uploaded(server)[""]
    assert re.fullmatch("[0-9a-f]{12}", first)
    small.write_text(small.read_text().replace("print(word)", "print(word, word)"))
    assert command("upload", small, "--host", server.url).stdout.startswith("new version: ")
    assert command("upload", small, "--host", server.url, "--version-name", "mine").returncode == 0
    versions = _uploaded(server)[""]
    assert {first, "mine"} < set(versions)
    assert len(versions) == 3


def test_a_pipeline_and_its_compiled_file_are_the_same(command, api, url, tmp_path):
    """However the compiler lays out its YAML, and whatever SDK wrote a pipeline of containers."""
    (tmp_path / "mine.py").write_text(
        "from kfp import compiler, dsl\n\n@dsl.container_component\ndef say(word: str):\n"
        "    return dsl.ContainerSpec(image='busybox:1', command=['sh', '-c', 'true\\ntrue', word])\n\n"
        "@dsl.pipeline(name='mine')\ndef mine():\n    say(word='a')\n\n"
        "compiler.Compiler().compile(mine, 'compiled.yaml')\n"
    )
    assert command("upload", "mine.py", "--host", url).stdout.startswith("new pipeline: mine ")
    compiled = tmp_path / "compiled.yaml"
    text, changed = re.subn("(?m)^sdkVersion: .*$", "sdkVersion: kfp-2.0.0", compiled.read_text())
    assert changed == 1
    compiled.write_text(text)
    assert command("upload", "compiled.yaml", "--host", url).stdout.startswith("unchanged: mine ")


def test_two_files_of_one_name_are_two_pipelines(command, api, url, tmp_path):
    """Each with its own content."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pipeline.py").write_text(
            "from kfp import dsl\n\n@dsl.container_component\ndef say():\n"
            f"    return dsl.ContainerSpec(image='busybox:{name}', command=['true'])\n\n"
            f"@dsl.pipeline(name='{name}')\ndef pipeline():\n    say()\n"
        )
    assert command("upload", "a/pipeline.py", "b/pipeline.py", "--host", url).returncode == 0
    names = {p.pipeline_id: p.display_name for p in api.pipelines.values()}
    images = {names[v.pipeline_id]: re.findall("busybox:.", json.dumps(v.pipeline_spec)) for v in api.versions.values()}
    assert images == {"a": ["busybox:a"], "b": ["busybox:b"]}


def test_settings_make_another_version_of_a_file(command, api, url, small, tmp_path):
    """They are part of what is run."""
    (tmp_path / "cluster.yaml").write_text("node_selector: {pool: batch}\n")
    command("upload", small, "--host", url)
    done = command("upload", small, "--host", url, "--kubernetes", "cluster.yaml")
    assert done.stdout.startswith("new version: small ")


def test_a_packaging_is_for_steps(upload, server):
    """Refused where none is named; pipelines beside one are remarked on."""
    pipeline, step = f"{server.prefix}_first", f"{server.prefix}_train_classifier"
    done = upload(pipeline, "--packaging", "container")
    assert done.returncode == 2
    assert "--packaging container is for steps, and no step is named" in done.stderr
    assert _uploaded(server) == {}
    done = upload(pipeline, step, "--packaging", "container")
    assert done.returncode == 0
    assert f"note: --packaging container is for the steps; as compiled stay {pipeline}.\n" in done.stderr
    assert _uploaded(server) == {"_first": ["9.1.0"], "_train_classifier": ["9.1.0-container"]}


def test_the_whole_project_uploads_once(command, api, url):
    """Every pipeline and step of the package, in names that a Kubernetes store takes too."""
    done = command("upload", "--all-pipelines", "--steps", "--host", url)
    assert done.returncode == 0, done.stderr
    assert {line.split(":")[0] for line in done.stdout.splitlines()} == {"new pipeline"}
    assert {v.display_name for v in api.versions.values()} == {__version__}
    assert len({v.name for v in api.versions.values()}) == len(api.versions) == len(api.pipelines)


def test_a_pipeline_belongs_to_everybody_unless_a_namespace_is_given(command, api, url, small):
    """On a multi-user server."""
    api.namespaces = api.allowed = ("team-a",)
    assert command("upload", small, "--host", url).returncode == 0
    assert command("upload", small, "--host", url, "--namespace", "team-a").returncode == 0
    assert sorted(p.namespace for p in api.pipelines.values()) == ["", "team-a"]


def test_a_name_that_is_taken_is_told(command, api, url, small):
    """Two display names that are one resource name."""
    command("upload", small, "--host", url)
    next(iter(api.pipelines.values())).display_name = "another"
    done = command("upload", small, "--host", url)
    assert done.returncode == 2
    assert "the name is taken" in done.stderr
    assert "The name small already exists" in done.stderr


def test_an_upload_that_is_not_allowed_is_told_although_the_server_calls_it_400(command, api, url, small):
    """The upload server has a form of its own for errors."""
    api.namespaces, api.allowed = ("team-a", "team-b"), ("team-a", "team-b")
    command("upload", small, "--host", url, "--namespace", "team-b")
    api.versions.clear()
    original = api.upload_pipeline_version

    def forbidden(**words):
        api.allowed = ("team-a",)
        return original(**words)

    api.upload_pipeline_version = forbidden
    done = command("upload", small, "--host", url, "--namespace", "team-b")
    assert done.returncode == 2
    assert "does not allow this in the namespace team-b (HTTP status 400)" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name pipelines or steps, or give --all-pipelines or --steps"),
        (["train_clasifier"], "there is no pipeline or step 'train_clasifier'. Nearest name: train_classifier."),
        (["nopipe"], "there is no pipeline or step 'nopipe'. There are breast_cancer_pipeline, "),
        (["severity-training"], "'severity-training'. Nearest name: severity_training_pipeline."),
        (["--steps", "--packaging", "docker"], "--packaging is 'docker'; it can be lightweight or container"),
        (["--steps", "--specs", "nowhere"], "--specs nowhere: no catalog.json there"),
        (["nowhere.yaml"], "there is no file nowhere.yaml"),
        (["broken.py", "--token-file", "nowhere"], "--token-file: there is no file nowhere"),
        (["broken.py", "--kubernetes", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(command, api, url, tmp_path, words, message):
    """One line, exit code 2; options are looked at before a pipeline is compiled."""
    (tmp_path / "broken.py").write_text("1 / 0")
    done = command("upload", *words, "--host", url)
    assert (done.returncode, api.requests) == (2, [])
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_that_lacks_what_its_catalogue_lists_is_told(upload, specs):
    """Before the first upload."""
    (specs / "second.yaml").unlink()
    done = upload("--all-pipelines")
    assert done.returncode == 2
    assert "lists second.yaml, which is not there" in done.stderr


def test_a_damaged_catalogue_is_told(upload, specs):
    """The file is named."""
    (specs / "catalog.json").write_text('{"steps": 1}')
    done = upload("--all-pipelines")
    assert done.returncode == 2
    assert "catalog.json is no catalogue of these specs" in done.stderr
