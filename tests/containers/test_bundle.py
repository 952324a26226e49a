"""The bundle, carried: images loaded from its archives, wheels served from its folder, nothing else within reach."""

import contextlib
import os
import re
import subprocess
import sys
import time

import kfp.local
import pytest
import yaml

from roadsafety_components import __version__
from roadsafety_components.packaging import archives, local
from roadsafety_components.packaging.images import BASE_IMAGE

pytestmark = pytest.mark.container
REGISTRY = "registry.inside:5000/road-safety"
INDEX_HOST = "packages.inside"


def _docker(*words, check=True):
    return subprocess.run(["docker", *map(str, words)], capture_output=True, text=True, check=check)


def _ids(*names):
    return [_docker("image", "ls", "--quiet", "--no-trunc", name).stdout.strip() for name in names]


@pytest.fixture(scope="module")
def bundle(image, tmp_path_factory):
    """Return the bundle that the command writes, and what it printed."""
    folder = tmp_path_factory.mktemp("airgap") / "bundle"
    command = [sys.executable, "-m", "roadsafety_components.cli", "bundle", "--registry", REGISTRY,
               "--index", f"http://{INDEX_HOST}:8000/simple", "--output", folder, "--no-serving"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "400"})
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def names(bundle):
    """Return the images' names in the cluster's registry."""
    return [line.split()[0] for line in (bundle[0] / "images/images.txt").read_text().splitlines()]


@pytest.fixture(scope="module")
def loaded(bundle, names):
    """Run what the README says to check the bundle and to load its images."""
    folder, _ = bundle
    _docker("image", "rm", *names, check=False)  # of a run that was killed: the names come from the archives alone
    assert _ids(*names) == [""] * len(names)
    check, load, _ = re.findall(r"^```\n(.*?)^```$", (folder / "README.md").read_text(), re.M | re.S)[:3]
    assert subprocess.run(["sh", "-ec", check], cwd=folder, capture_output=True, check=True).stdout == b""
    load, push = load.splitlines()
    subprocess.run(["sh", "-ec", load], cwd=folder, capture_output=True, check=True)
    printed = subprocess.run(["sh", "-ec", push.replace("docker push", "echo")], cwd=folder, capture_output=True,
                             text=True, check=True).stdout  # fmt: skip
    assert printed.split() == names
    yield folder
    _docker("image", "rm", *names)


def _run(monkeypatch, spec, source, folder, network, **arguments):
    """Run a pipeline, each container in a network (none, say)."""

    class CutOff(kfp.local.DockerRunner):
        def __init__(self, **options):
            super().__init__(network_mode=network, **options)

    monkeypatch.setattr(kfp.local, "DockerRunner", CutOff)
    given = {"source": str(source), "n_estimators": 5, **arguments}
    run = local.run_pipeline(spec, given, folder / "artifacts", folder / "log", "docker", readable=[source])
    assert run.failed is None, run.failed
    return run


def test_the_command_tells_size_time_and_the_digest_of_the_sums(bundle):
    """So that who carries and who receives the folder can plan, and compare."""
    folder, printed = bundle
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert re.search(rf"{folder}: \d+ files, {size / 1e6:.0f} MB, \d+ s\n", printed)
    assert subprocess.run(["sha256sum", "SHA256SUMS"], cwd=folder, capture_output=True, text=True,
                          check=True).stdout.rstrip() in printed  # fmt: skip


def test_every_image_that_a_spec_names_is_there(bundle, names):
    """And each has its archive; a bill of materials is there of those that are the project's."""
    folder, _ = bundle
    named = {line.split()[1] for path in (folder / "specs").rglob("*.yaml")
             for line in path.read_text().splitlines() if re.match(rf" +image: {REGISTRY}", line)}  # fmt: skip
    assert set(names) == named
    assert len(list((folder / "images").glob("*.tar.gz"))) == len(names)
    assert len(list((folder / "sbom").glob("*.cdx.json"))) == len([n for n in names if "python" not in n])


def test_an_image_is_saved_to_the_same_bytes_again(bundle, tmp_path):
    """The sums of two bundles of the same image agree; the engine is left with the names that it had."""
    name = f"{REGISTRY}/{BASE_IMAGE}"
    before = _ids(name)
    archives.save(BASE_IMAGE, name, tmp_path / "again.tar.gz")
    saved = bundle[0] / "images" / f"{BASE_IMAGE.replace(':', '-')}.tar.gz"
    assert (tmp_path / "again.tar.gz").read_bytes() == saved.read_bytes()
    assert _ids(name) == before


def test_the_loaded_images_are_those_that_were_saved(loaded):
    """By the ids in images.txt."""
    lines = [line.split() for line in (loaded / "images/images.txt").read_text().splitlines()]
    assert _ids(*(name for name, _ in lines)) == [identity for _, identity in lines]


def test_the_container_pipeline_runs_without_a_network(loaded, sample, tmp_path, monkeypatch):
    """The bundle's own spec on the images of the bundle's archives."""
    spec = loaded / "specs/pipelines/road_safety_container_pipeline.yaml"
    run = _run(monkeypatch, spec, sample, tmp_path, "none")
    assert [s.name for s in run.steps][-1] == "evaluate_classifier"
    assert run.artifacts["evaluate-classifier.metrics"]["metadata"]["balanced_accuracy"] > 0


@pytest.mark.real_data
def test_west_yorkshire_goes_through_without_a_network(loaded, west_yorkshire, tmp_path, monkeypatch):
    """The real tables."""
    spec = loaded / "specs/pipelines/road_safety_container_pipeline.yaml"
    run = _run(monkeypatch, spec, west_yorkshire, tmp_path, "none", n_estimators=20)
    assert run.artifacts["preprocess-collisions.clean_data"]["metadata"]["rows"] == 7355


@pytest.fixture(scope="module")
def inside(loaded):
    """Return a network without a way out in which the README's command serves the wheels, and the server's name."""
    network = f"roadsafety-inside-{os.getpid()}"
    _docker("network", "create", "--internal", network)
    try:
        with _serving(loaded, network, "--network-alias", INDEX_HOST) as server:
            yield network, server
    finally:
        _docker("network", "rm", network)


@contextlib.contextmanager
def _serving(folder, network, *words):
    """A container that runs the README's command to serve the wheels."""
    serve = re.findall(r"^(python3 -m http.server .*)$", (folder / "README.md").read_text(), re.M)[0]
    server = _docker("run", "--detach", "--network", network, *words, "--workdir=/bundle",
                     "--volume", f"{folder}:/bundle:ro", BASE_IMAGE, *serve.split()).stdout.strip()  # fmt: skip
    try:
        for _ in range(100):
            if _reaches(network, _address(server, network)):
                break
            time.sleep(0.1)
        yield server
    finally:
        _docker("rm", "--force", server)


def _address(container, network):
    return _docker("inspect", "--format", f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}',
                   container).stdout.strip()  # fmt: skip


def _reaches(network, host):
    script = f"import socket; socket.create_connection(({host!r}, 8000), timeout=3)"
    return (
        _docker("run", "--rm", "--network", network, BASE_IMAGE, "python3", "-c", script, check=False).returncode == 0
    )


def test_the_network_of_the_next_test_has_no_way_out(inside, loaded):
    """The wheels' server is reached; one elsewhere is not, which any container outside of that network reaches."""
    with _serving(loaded, "bridge") as elsewhere:
        address = _address(elsewhere, "bridge")
        assert _reaches("bridge", address)
        assert not _reaches(inside[0], address)
    assert _reaches(inside[0], INDEX_HOST)


def test_the_lightweight_pipeline_runs_from_the_wheels_alone(inside, loaded, sample, tmp_path, monkeypatch):
    """Every step installs what it needs with its own command, from the only machine that it can reach."""
    network, server = inside
    spec = loaded / "specs/pipelines/road_safety_pipeline.yaml"
    run = _run(monkeypatch, spec, sample, tmp_path, network)
    assert [s.name for s in run.steps][-1] == "evaluate_classifier"
    assert run.artifacts["evaluate-classifier.metrics"]["metadata"]["balanced_accuracy"] > 0
    log = _docker("logs", server).stderr
    fetched = {line.partition("/simple/")[2].split("/")[0] for line in log.splitlines() if ".whl" in line}
    asked = {word.split("==")[0] for executor in _executors(spec)
             for word in re.findall(r"'([a-z-]+)==", executor["container"]["command"][2])}  # fmt: skip
    assert fetched >= asked >= {"kfp", "pandas", "scikit-learn"}
    assert not re.findall(r'" (?:[345]\d\d) ', log)


def _executors(spec):
    executors = next(yaml.safe_load_all(spec.read_text()))["deploymentSpec"]["executors"].values()
    return [e for e in executors if "container" in e]


def test_a_laptop_inside_installs_the_project_and_runs_it(loaded):
    """A fresh environment without a network, the wheels as files; the command runs the bundle's own pipeline."""
    script = f"""
    python3 -m venv /tmp/venv
    /tmp/venv/bin/pip install --quiet --no-compile --index-url file:///bundle/wheelhouse/simple \\
        'roadsafety-components[docker]=={__version__}'
    cd /tmp
    /tmp/venv/bin/roadsafety run /bundle/specs/pipelines/road_safety_sample_pipeline.yaml --output out \\
        --param collisions=300 --param n_estimators=5
    """
    words = ("run", "--rm", "--network=none", "--env=COLUMNS=200", "--volume", f"{loaded}:/bundle:ro")
    done = _docker(*words, BASE_IMAGE, "sh", "-ec", script, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok    evaluate_classifier" in done.stdout
