"""The project's image by itself: plain commands, any user, no network."""

import json
import subprocess

import pytest

from roadsafety_components import __version__, components

pytestmark = pytest.mark.container


def _docker(*words):
    return subprocess.run(["docker", "run", "--rm", "--pull=never", *map(str, words)],
                          capture_output=True, text=True, check=False)  # fmt: skip


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
    config = json.loads(subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=True).stdout)
    assert config[0]["Config"]["User"] == "10001:10001"
    assert config[0]["Config"]["Labels"]["org.opencontainers.image.version"] == __version__
    assert _docker(image, "--version").stdout == f"{__version__}\n"


def test_the_image_has_no_pip_to_run_and_no_cluster_client(image):
    """Nothing is installed at run time; kfp comes without the packages that only compiling and submitting need."""
    script = "import importlib.metadata as m; print(*sorted({d.name.lower() for d in m.distributions()}))"
    listed = _docker("--entrypoint=python", image, "-c", script)
    there = set(listed.stdout.split())
    assert {"kfp", "roadsafety-components", "scikit-learn"} <= there
    assert there.isdisjoint({"kubernetes", "google-cloud-storage", "kfp-server-api", "pytest"})
