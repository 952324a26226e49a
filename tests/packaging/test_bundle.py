"""Specs for another registry and index, the wheels as an index, and the folder that holds them: whole or not at all."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
import yaml
from kfp import dsl

from roadsafety_components import components, containers
from roadsafety_components.core.errors import InputError
from roadsafety_components.packaging import archives, bundle, compiled, local, relocate, wheelhouse
from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.container import as_container
from roadsafety_components.packaging.images import BASE_IMAGE, IMAGE, SERVING_IMAGE
from roadsafety_components.packaging.interface import function_of
from roadsafety_components.packaging.relocate import Places, relocated
from roadsafety_components.packaging.specs import compile_readable
from roadsafety_components.packaging.wheelhouse import Target

PLACES = Places("registry.example:5000/road-safety", "http://packages.example:8000/simple")
TARGET = Target("3.11", "linux/amd64")


def _none(image):
    return False


@pytest.mark.parametrize("name", components.STEPS)
def test_a_lightweight_spec_is_what_kfp_compiles_with_pip_index_urls(name):
    """Byte for byte: the step's function decorated afresh with the base image, index and trusted host."""
    step = components.STEPS[name]
    text = compile_readable(step)
    packages = [p for p in relocate.needs(text).packages if not p.startswith(("kfp", "typing-extensions"))]
    component = dsl.component(
        function_of(step),
        base_image="registry.example:5000/road-safety/python:3.11-slim",
        packages_to_install=sorted(packages),
        pip_index_urls=["http://packages.example:8000/simple"],
        pip_trusted_hosts=["packages.example:8000"],
    )
    assert relocated(text, PLACES) == compile_readable(carries_core(component))


@pytest.mark.parametrize("name", ["load_stats19", "train_classifier"])
def test_a_container_spec_is_what_it_compiles_to_for_an_image_of_that_registry(name):
    """As `roadsafety specs write --image`."""
    image = f"registry.example:5000/road-safety/{IMAGE.rpartition('/')[2]}"
    expected = compile_readable(as_container(components.STEPS[name], image))
    assert relocated(compile_readable(containers.STEPS[name]), PLACES) == expected


@pytest.mark.parametrize(
    ("index", "trusted", "options"),
    [
        (
            "http://p.example:8000/simple",
            False,
            "--index-url http://p.example:8000/simple --trusted-host p.example:8000 ",
        ),
        ("https://p.example/simple/", False, "--index-url https://p.example/simple/ "),
        ("https://p.example/simple", True, "--index-url https://p.example/simple --trusted-host p.example "),
        ("", False, ""),
    ],
)
def test_pip_trusts_an_index_without_encryption_and_no_other_unless_told(index, trusted, options):
    """It refuses a plain http index that it is not told to trust, and trusting an https one is a decision."""
    assert Places("r.example", index, trusted).pip_options == options


@pytest.mark.parametrize(
    ("registry", "index", "message"),
    [
        ("https://r.example", "", "--registry https://r.example: write it without https://"),
        ("r.example/", "", "--registry 'r.example/' is no registry: write HOST:PORT"),
        ("r.example/Road", "", "is no registry: .* in small letters"),
        ("harbor/road", "", "a host with neither a dot nor a port is a folder of Docker Hub .*write harbor:443"),
        ("r.example", "packages.example/simple", "is no URL of a package index"),
        ("r.example", "ftp://packages.example/simple", "is no URL of a package index"),
        ("r.example", "http://p.example/simple; touch /tmp/x", "is no URL of a package index"),
        ("r.example", "http://p.example/$(id)", "is no URL of a package index"),
        ("r.example", "https://user:secret@p.example/simple", "^--index holds a user name: [^:]*$"),
    ],
)
def test_a_registry_or_index_that_cannot_be_one_is_refused(registry, index, message):
    """What a shell would act on too; and a password is not repeated."""
    with pytest.raises(InputError, match=message):
        Places(registry, index)


@pytest.fixture(scope="module")
def specs(tmp_path_factory, checkout):
    """Return a folder with the project's specs relocated, and what these need."""
    folder = tmp_path_factory.mktemp("relocated")
    return folder, relocate.write_relocated(checkout / "component_specs", folder, PLACES, _none)


def test_nothing_names_another_registry_or_index(specs, checkout):
    """Every image of every spec is in the registry, every pip install names the index; no spec is left out."""
    folder, _ = specs
    files = sorted(folder.rglob("*.yaml"))
    there = (checkout / "component_specs").rglob("*.yaml")
    assert [p.relative_to(folder) for p in files] == sorted(p.relative_to(checkout / "component_specs") for p in there)
    for path in files:
        spec = next(yaml.load_all(path.read_text(), Loader=compiled.LOADER))
        for executor in spec["deploymentSpec"]["executors"].values():
            if "container" not in executor:
                assert set(executor) == {"importer"}
                continue
            assert executor["container"]["image"].startswith("registry.example:5000/road-safety/"), path
            command = " ".join(executor["container"]["command"][:3])
            installs = re.findall(r"pip install\b.*?(?=&&)", command)
            assert len(installs) == len(re.findall("pip install", command))
            for install in installs:
                assert re.findall(r"https?://\S+", install) == ["http://packages.example:8000/simple"], path


def test_the_catalogue_has_the_digests_and_images_of_the_relocated_specs(specs):
    """What a program trusts is true of the files beside it."""
    folder, _ = specs
    catalog = json.loads((folder / "catalog.json").read_text())
    for entry in (*catalog["steps"], *catalog["pipelines"]):
        text = (folder / entry["spec"]).read_bytes()
        assert entry["digest"] == f"sha256:{hashlib.sha256(text).hexdigest()}"
        assert entry.get("image", PLACES.registry).startswith(PLACES.registry)


def test_what_the_specs_need_is_found(specs, checkout):
    """The images, the pinned packages with KFP's own, the code of each container step."""
    _, needs = specs
    assert needs.images >= {BASE_IMAGE, IMAGE}
    assert {p.partition("==")[0] for p in needs.packages} >= {"kfp", "pandas", "scikit-learn", "skops"}
    assert {step for _, step, _ in needs.code} == {p.stem for p in (checkout / "component_specs/container").iterdir()}


def test_without_an_index_there_are_containers_only(tmp_path, checkout):
    """Nothing that would install: no lightweight step, no pipeline of them, none in the catalogue."""
    needs = relocate.write_relocated(checkout / "component_specs", tmp_path, Places("r.example"), _none)
    files = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.yaml"))
    specs = checkout / "component_specs"
    assert files == sorted(
        p.relative_to(specs).as_posix() for p in specs.rglob("*.yaml") if "pip install" not in p.read_text()
    )
    assert {"container/load_stats19.yaml", "pipelines/road_safety_container_pipeline.yaml"} <= set(files)
    assert (needs.packages, BASE_IMAGE in needs.images) == (frozenset(), False)
    catalog = json.loads((tmp_path / "catalog.json").read_text())
    assert sorted(e["spec"] for e in (*catalog["steps"], *catalog["pipelines"])) == files


def test_what_needs_the_serving_image_can_be_left_out(few_specs, tmp_path, monkeypatch):
    """Its container specs and their entries in the catalogue, nothing else; no other image is needed for the rest."""
    few = bundle.specs_folder()
    catalog = json.loads((few / "catalog.json").read_text())
    spec = few / "container/merge_datasets.yaml"
    spec.write_text(spec.read_text().replace(f"image: {IMAGE}\n", f"image: {SERVING_IMAGE}\n"))
    assert len(catalog["steps"]) == 2
    _write(tmp_path / "with")
    _write(tmp_path / "without", serving=False)
    assert "specs/container/merge_datasets.yaml" in _files(tmp_path / "with")
    assert [n for n in _files(tmp_path / "without") if n.endswith(".yaml")] == ["specs/merge_datasets.yaml"]
    assert len(json.loads((tmp_path / "without/specs/catalog.json").read_text())["steps"]) == 1
    assert "-serving" not in (tmp_path / "without/README.md").read_text()


def test_a_relocated_step_is_still_checked_before_it_runs_on_a_laptop(specs):
    """`roadsafety run` finds its requirements behind the index's address."""
    folder, _ = specs
    container = next(iter(compiled.containers(yaml.safe_load((folder / "load_stats19.yaml").read_text())).values()))
    assert "httpx==0.28.1" in local._requirements(container["command"])
    assert local.without_install(container["command"])[:2] == ["sh", "-ec"]


def _wheel(folder, name, version, requires=(), tag="py3-none-any"):
    """Write a wheel with one module and no more."""
    folder.mkdir(exist_ok=True)
    info, module = f"{name}-{version}.dist-info", f"{name}.py"
    metadata = "".join(f"Requires-Dist: {r}\n" for r in requires)
    with zipfile.ZipFile(folder / f"{name}-{version}-{tag}.whl", "w") as file:
        file.writestr(module, f"VERSION = {version!r}\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}")
        file.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n")
        file.writestr(f"{info}/RECORD", f"{module},,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


@pytest.mark.parametrize(
    ("requires", "target", "lost"),
    [
        (["dust>=1"], TARGET, []),
        (["dust>=3"], TARGET, ["dust>=3"]),
        (["clay; python_version < '3.12'"], TARGET, ["clay"]),
        (["clay; python_version < '3.12'"], Target("3.12", "linux/amd64"), []),
        (["clay; sys_platform == 'win32'"], TARGET, []),
        (["clay; platform_machine == 'aarch64'"], Target("3.11", "linux/arm64"), ["clay"]),
        (["clay; extra == 'kiln'"], TARGET, []),
    ],
)
def test_a_wheel_that_is_missing_is_noticed(tmp_path, requires, target, lost):
    """By version, and by the markers of the Python that the wheels are for, not of the one that runs."""
    _wheel(tmp_path, "brick", "1.0", requires)
    _wheel(tmp_path, "dust", "2.0", ["brick"])  # a circle is no endless walk
    assert wheelhouse.missing(tmp_path, ["brick"], target) == lost


def test_an_extra_that_is_asked_for_must_be_there(tmp_path):
    """And what it needs in its turn."""
    _wheel(tmp_path, "brick", "1.0", ["clay; extra == 'kiln'"])
    assert wheelhouse.missing(tmp_path, ["brick[kiln]"], TARGET) == ["clay"]


def _install(simple, target, *words):
    """Install from a folder of pages alone: no setting of this machine's pip reaches another index."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")} | {"PIP_CONFIG_FILE": os.devnull}
    command = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check",
               f"--index-url={simple.as_uri()}", f"--target={target}", *words]  # fmt: skip
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_pip_installs_from_the_pages(tmp_path):
    """The layout of PEP 503, names made canonical, a local version in the link."""
    _wheel(tmp_path / "flat", "brick_wall", "1.0", ["dust"])
    _wheel(tmp_path / "flat", "dust", "2.0+local")
    assert wheelhouse._write_index(tmp_path / "flat", tmp_path / "simple") == 2
    done = _install(tmp_path / "simple", tmp_path / "site", "Brick.Wall")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site/brick_wall.py").is_file() and (tmp_path / "site/dust.py").is_file()
    assert sorted(p.name for p in (tmp_path / "simple").iterdir()) == ["brick-wall", "dust", "index.html"]


def test_pip_refuses_a_wheel_that_was_changed_on_the_way(tmp_path):
    """Each link has the hash of its file."""
    _wheel(tmp_path / "flat", "dust", "2.0")
    wheelhouse._write_index(tmp_path / "flat", tmp_path / "simple")
    with zipfile.ZipFile(tmp_path / "simple/dust/dust-2.0-py3-none-any.whl", "a") as file:
        file.writestr("more.py", "print('hello')\n")
    done = _install(tmp_path / "simple", tmp_path / "site", "dust")
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_a_wheel_that_the_lock_files_do_not_know_is_refused(tmp_path):
    """A file of a version that they list must be one of those listed; a version that they do not list passes."""
    _wheel(tmp_path / "flat", "dust", "2.0")
    digest = hashlib.sha256((tmp_path / "flat/dust-2.0-py3-none-any.whl").read_bytes()).hexdigest()
    lock = tmp_path / "image.txt"
    lock.write_text(f"brick==1.0 \\\n    --hash=sha256:{'0' * 64}\ndust==2.0 \\\n    --hash=sha256:{'1' * 64} \\\n"
                    f"    --hash=sha256:{digest}\n")  # fmt: skip
    wheelhouse._check_hashes(tmp_path / "flat", tmp_path)
    lock.write_text(lock.read_text().replace(digest, "2" * 64))
    with pytest.raises(InputError, match=r"dust-2.0-py3-none-any.whl is not the file that requirements/ knows"):
        wheelhouse._check_hashes(tmp_path / "flat", tmp_path)
    lock.write_text(lock.read_text().replace("dust==2.0", "dust==2.1"))
    wheelhouse._check_hashes(tmp_path / "flat", tmp_path)


@pytest.mark.parametrize(("python", "platform"), [("3", "linux/amd64"), ("3.11.2", "linux/amd64"), ("3.11", "win32")])
def test_a_target_that_there_are_no_wheels_for_is_refused(python, platform):
    """With how to write it, or what it can be."""
    with pytest.raises(InputError, match=r"write it as 3.11|it can be linux/amd64 or linux/arm64"):
        Target(python, platform)


@pytest.fixture
def few_specs(tmp_path, checkout, monkeypatch):
    """Let a bundle be made of one step in both packagings: quickly."""
    source = checkout / "component_specs"
    catalog = json.loads((source / "catalog.json").read_text())
    catalog["steps"] = [s for s in catalog["steps"] if s["name"] == "merge_datasets"]
    catalog["pipelines"] = []
    folder = tmp_path / "few"
    for entry in catalog["steps"]:
        (folder / entry["spec"]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / entry["spec"], folder / entry["spec"])
    (folder / "catalog.json").write_text(json.dumps(catalog))
    monkeypatch.setattr(bundle, "specs_folder", lambda: folder)


def _files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _write(output, places=PLACES, **options):
    bundle.write_bundle(output, places, [TARGET], **{"images": False, "wheels": False, **options})


def test_the_sums_are_of_every_file(few_specs, tmp_path):
    """`sha256sum --check` passes, and fails after a byte has changed."""
    _write(tmp_path / "bundle")
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    done = subprocess.run(check, cwd=tmp_path / "bundle", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    listed = [line[66:] for line in (tmp_path / "bundle/SHA256SUMS").read_text().splitlines()]
    assert listed == sorted(set(_files(tmp_path / "bundle")) - {"SHA256SUMS"})
    with (tmp_path / "bundle/specs/catalog.json").open("a") as file:
        file.write(" ")
    assert subprocess.run(check, cwd=tmp_path / "bundle", capture_output=True, check=False).returncode == 1


def test_the_same_again_gives_the_same_bytes_and_replaces_it(few_specs, tmp_path):
    """The bundle itself is not in its way, nor what a killed run left beside it."""
    _write(tmp_path / "bundle")
    first = _files(tmp_path / "bundle")
    (tmp_path / ".bundle.partial/images").mkdir(parents=True)
    (tmp_path / ".bundle.partial/images/half.tar.gz").touch()
    _write(tmp_path / "bundle")
    assert _files(tmp_path / "bundle") == first
    _write(tmp_path / "bundle", Places("other.example", "http://packages.example:8000/simple"))
    assert b"other.example/python:3.11-slim" in _files(tmp_path / "bundle")["specs/merge_datasets.yaml"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle", "few"]


def test_a_folder_that_holds_something_else_is_left_alone(few_specs, tmp_path):
    """A file that no sum knows, in an earlier bundle too."""
    _write(tmp_path / "bundle")
    (tmp_path / "bundle/notes.txt").write_text("ask for a certificate")
    before = _files(tmp_path / "bundle")
    with pytest.raises(InputError, match=r"bundle is not empty: it holds notes.txt. Choose another folder"):
        _write(tmp_path / "bundle")
    assert _files(tmp_path / "bundle") == before
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/SHA256SUMS").write_text(f"{'0' * 64}  one.jpg\n")
    (tmp_path / "photos/one.jpg").touch()
    with pytest.raises(InputError, match=r"photos is not empty: it holds SHA256SUMS"):
        _write(tmp_path / "photos")
    with pytest.raises(InputError, match=r"notes.txt is a file; choose a folder"):
        _write(tmp_path / "bundle/notes.txt")


def test_a_bundle_that_fails_leaves_nothing(few_specs, tmp_path, monkeypatch):
    """Nor does it harm an earlier one."""
    _write(tmp_path / "old")
    before = _files(tmp_path / "old")
    monkeypatch.setenv("PATH", str(tmp_path))
    for output in ("old", "new"):
        with pytest.raises(InputError, match=r"there is no `docker` on this machine .*--no-images"):
            _write(tmp_path / output, images=True)
    assert _files(tmp_path / "old") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["few", "old"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("Cannot connect to the Docker daemon at tcp://x.", r"no Docker engine answers; start it, or .*--no-images"),
        (
            "Error: No such image: roads:1",
            rf"there is no image {BASE_IMAGE} on this machine: build it \(`make image`\)",
        ),
        ("toomanyrequests: rate limit", rf"docker cannot use {BASE_IMAGE}: toomanyrequests: rate limit$"),
    ],
)
def test_what_the_docker_client_says_is_told_with_what_to_do(few_specs, tmp_path, monkeypatch, said, message):
    """No engine, no such image, anything else: one line."""
    client = tmp_path / "docker"
    client.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(InputError, match=message):
        _write(tmp_path / "bundle", images=True)


def test_wheels_that_cannot_be_had_are_said(few_specs, tmp_path, monkeypatch):
    """What pip said, and where to look."""
    for name in [n for n in os.environ if n.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(InputError, match=r"pip wheel failed: ERROR: .*is it reached from here\?$"):
        _write(tmp_path / "bundle", wheels=True)
    assert not (tmp_path / "bundle").exists()


def test_wheels_need_an_index_to_be_found_at(tmp_path):
    """Or a bundle of containers alone."""
    with pytest.raises(InputError, match=r"--index is needed: .*--no-wheels: the container packaging alone"):
        _write(tmp_path / "bundle", Places("r.example"), wheels=True)


def test_the_readme_says_what_is_not_there(few_specs, tmp_path):
    """The images and packages that the registry and index must have already."""
    _write(tmp_path / "bundle")
    text = (tmp_path / "bundle/README.md").read_text()
    assert "- `registry.example:5000/road-safety/python:3.11-slim`\n" in text
    assert "`http://packages.example:8000/simple` must have these, and what they need:\n\n- `kfp==" in text
    _write(tmp_path / "bundle", Places("registry.example"))
    text = (tmp_path / "bundle/README.md").read_text()
    assert "container packaging alone" in text and "road_safety_container_pipeline.yaml" in text


def test_an_image_of_other_code_is_refused(monkeypatch):
    """Its steps would refuse to run inside the gap, too late."""
    inside = json.dumps({"code": {"load_stats19": "aaaa", "merge_datasets": "bbbb"}, "sbom": {"x.json": "{}"}})
    monkeypatch.setattr(archives, "_docker", lambda *words, wanted: inside)  # an image costs minutes to build
    assert archives.check_inside("roads:1", {("load_stats19", "aaaa")}) == {"x.json": "{}"}
    with pytest.raises(InputError, match=r"roads:1 holds other code than the specs name for load_stats19, new_step:"):
        archives.check_inside("roads:1", {("load_stats19", "cccc"), ("merge_datasets", "bbbb"), ("new_step", "dddd")})
