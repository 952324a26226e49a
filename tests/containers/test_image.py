"""The project's image by itself: plain commands, any user, no network."""

import json
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from roadsafety_components import __version__, components

pytestmark = pytest.mark.container


def _docker(*words):
    return subprocess.run(["docker", "run", "--rm", "--pull=never", *map(str, words)],
                          capture_output=True, text=True, check=False)  # fmt: skip


def _inside(image, function, *words, options=()):
    """Call a function of inside.py in the image."""
    script = Path(__file__).with_name("inside.py")
    done = _docker(
        *options, f"--volume={script}:/inside.py:ro", "--entrypoint=python", image, "/inside.py", function, *words
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _inspect(image):
    return json.loads(subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=True).stdout)[0]


def test_a_step_runs_by_a_plain_command(image, sample, tmp_path):
    """Without KFP, without network, on a read-only root, as a user id that the image does not know."""
    tmp_path.chmod(0o777)
    done = _docker(
        "--network=none", "--read-only", "--tmpfs=/tmp", "--user=12345:0", "--cap-drop=ALL",
        f"--volume={sample}:/data:ro", f"--volume={tmp_path}:/out", image,
        "step", "load_stats19", "--source=/data",
        "--collisions=/out/c.parquet", "--vehicles=/out/v.parquet", "--casualties=/out/k.parquet",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "collisions: /out/c.parquet (600 rows)"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.parquet", "k.parquet", "v.parquet"]


def test_the_image_offers_every_step(image):
    """`docker run IMAGE step --help` lists them."""
    done = _docker(image, "step", "--help")
    assert done.returncode == 0, done.stderr
    assert [name for name in components.STEPS if name not in done.stdout] == []


def test_the_image_offers_no_command_that_cannot_work_in_it(image):
    """What needs the rest of kfp (run, submit, specs) is not in its help; list is, and works."""
    shown = _docker(image).stdout
    assert "step" in shown and "submit" not in shown
    assert "train_classifier" in _docker(image, "list").stdout


def test_bad_input_is_exit_code_2_in_the_image_too(image):
    """One line, no traceback."""
    done = _docker(image, "step", "load_stats19", "--source=/nowhere", "--collisions=/tmp/c", "--vehicles=/tmp/v",
                   "--casualties=/tmp/k")  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "Input error: there is no file or folder /nowhere.\n")


def test_the_image_runs_as_nobody_in_particular_and_says_its_version(image):
    """Not root; the label is the package's version."""
    config = _inspect(image)["Config"]
    assert config["User"] == "10001:10001"
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert (labels["title"], labels["version"]) == ("roadsafety-components", __version__)
    assert _docker(image, "--version").stdout == f"{__version__}\n"


def test_the_image_has_no_cluster_client(image):
    """The package kfp comes without what only compiling and submitting need."""
    there = {name.lower() for name in _inside(image, "packages")}
    assert {"kfp", "roadsafety-components", "scikit-learn"} <= there
    assert there.isdisjoint({"kubernetes", "google-cloud-storage", "kfp-server-api", "pytest", "pip", "setuptools"})


def test_nothing_in_the_image_could_install_or_be_a_shell(image):
    """No pip, no package manager, no shell; no setting of the machine that the image was built on."""
    files = [Path(path) for path in _inside(image, "files")]
    names = {path.name for path in files}
    assert len(names) > 1000
    assert names & {"pip", "pip3", "apt", "apt-get", "dpkg", "sh", "bash", "dash", "perl", "curl", "wget", "su",
                    "pip.conf", ".netrc", "direct_url.json"} == set()  # fmt: skip
    commands = {path.name for path in files if path.parent.name in ("bin", "sbin")}
    assert {name for name in commands if not name.startswith("python")} == {"lscpu", "roadsafety"}
    assert [str(p) for p in files if str(p).startswith("/etc/ssl/")] == ["/etc/ssl/certs/ca-certificates.crt"]
    assert "site-packages/certifi" in "".join(str(p) for p in files)


def test_size(image, serving_image):
    """Under 450 MB, Python and all; the serving image adds a layer to it."""
    size, serving_size = (_inspect(name)["Size"] / 1e6 for name in (image, serving_image))
    print(f"\n  {image}: {size:.0f} MB (target: under 450); {serving_image}: {serving_size:.0f} MB")
    assert size < 450
    layers = [_inspect(name)["RootFS"]["Layers"] for name in (image, serving_image)]
    assert layers[1][: len(layers[0])] == layers[0]


def test_start(image):
    """A step's function begins within 1.5 times of what importing pandas and scikit-learn takes."""
    ratio = _inside(image, "start_ratio", options=["--network=none", "--read-only", "--tmpfs=/tmp"])
    print(f"\n  first line of a step to import pandas, sklearn: {ratio} times (target: at most 1.5)")
    assert ratio < 1.5


def test_what_a_step_imports_is_compiled(image):
    """Nobody may write bytecode on a read-only root: it is there, but for a few modules that are loaded late."""
    compiled = _inside(image, "modules")
    assert len(compiled) > 1000
    assert len([name for name, is_there in compiled.items() if not is_there]) < 20


def test_time_zones_are_there(image):
    """Both readers of them know British summer time."""
    assert _inside(image, "summer_hours") == [11, 11]


def test_packages_have_what_they_ask_for(image, checkout):
    """`pip check`, with a pip from outside, finds what requirements/left_out.txt tells, and nothing else."""
    pip = find_spec("pip").submodule_search_locations[0]
    done = _docker(f"--volume={pip}:/outside/pip:ro", "--env=PYTHONPATH=/outside", "--entrypoint=python", image,
                   "-m", "pip", "--disable-pip-version-check", "check")  # fmt: skip
    found = {re.sub(r" \d\S* requires", " requires", line) for line in done.stdout.splitlines()}
    assert found == {*(checkout / "requirements/left_out.txt").read_text().splitlines()}, done.stderr


def test_records_of_packages_are_true(image):
    """Every file that a package's RECORD names is there, with that hash, although parts are left out."""
    assert _inside(image, "wrong_records") == []


@pytest.mark.parametrize("of", ["image", "serving_image"])
def test_the_bill_of_materials_is_what_is_installed(of, request):
    """CycloneDX: each package with its version and a licence, as Python's own metadata have them."""
    image = request.getfixturevalue(of)
    bill = json.loads(_inside(image, "text_of", "/sbom/roadsafety-components.cdx.json"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert "serialNumber" not in bill
    assert bill["metadata"]["timestamp"] == "1980-01-01T00:00:00+00:00"
    assert {c["name"]: c["version"] for c in bill["components"]} == _inside(image, "packages")
    assert [c["name"] for c in bill["components"] if not c.get("licenses")] == []


def test_debian_packages_are_told_to_scanners(image):
    """Scanners find the C library with its version, as in other images without a package manager."""
    assert "\nVersion: " in _inside(image, "text_of", "/var/lib/dpkg/status.d/libc6")
    assert "ID=debian" in _inside(image, "text_of", "/etc/os-release")


def test_two_builds_have_the_same_layers(image, checkout):
    """From nothing, without the engine's cache: every layer has the same digest."""
    again = f"{image}-again"
    subprocess.run(["docker", "build", "--no-cache", "--target=image", f"--tag={again}", checkout],
                   check=True, capture_output=True)  # fmt: skip
    layers = [_inspect(name)["RootFS"]["Layers"] for name in (image, again)]
    subprocess.run(["docker", "image", "rm", "--no-prune", again], check=True, capture_output=True)
    assert layers[0] == layers[1]
