"""Every step in its image as a restricted pod runs it: read-only root, no capability, no network, an unknown user."""

import json
import shlex
import subprocess
import time
from pathlib import Path

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from roadsafety_components import components, containers
from roadsafety_components.core.model import read_model
from roadsafety_components.packaging.images import SERVING_IMAGE
from roadsafety_components.packaging.interface import flag, interface_of

pytestmark = pytest.mark.container

# What Kubernetes' "restricted" standard asks for, and more: the root is read-only, nothing is reached.
RESTRICTIONS = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=none", "--tmpfs=/tmp"]
OPENSHIFT = "--user=1000650000:0"  # a user id out of a range, the root group
# A chain: each step reads what those before it wrote. {candidate} is the first of sample_candidates.
CASES = {
    "generate_stats19_sample": "--collisions 1200 --seed 1 --collision-file raw/collision.csv "
    "--vehicle-file raw/vehicle.csv --casualty-file raw/casualty.csv",
    "download_stats19": """--base-url http://127.0.0.1:8000/ --file-name {{table}}.csv --allow-private-addresses true
        --attempts 1 --raw-files downloaded""",
    "load_stats19": "--raw-files downloaded --collisions c.parquet --vehicles v.parquet --casualties k.parquet",
    "harmonise_stats19": "--collisions c.parquet --vehicles v.parquet --casualties k.parquet "
    "--harmonised-collisions hc.parquet --harmonised-vehicles hv.parquet --harmonised-casualties hk.parquet",
    "validate_stats19": "--collisions hc.parquet --vehicles hv.parquet --casualties hk.parquet "
    "--findings findings.parquet --metrics validation.json --report validation.html",
    "merge_datasets": "--parts hc.parquet --merged merged",
    "profile_changes": "--reference merged --current hc.parquet --changes changes.parquet --metrics changes.json "
    "--report changes.html --decision changes.txt",
    "label_stats19": "--data merged --labelled-data labelled.parquet",
    "preprocess_collisions": "--collisions hc.parquet --vehicles hv.parquet --casualties hk.parquet --unit casualty "
    "--target ksi --clean-data clean.parquet",
    "engineer_features": "--data clean.parquet --collisions hc.parquet --vehicles hv.parquet --features rows.parquet",
    "split_dataset": "--data rows.parquet --target-column ksi --group-column collision_index --validation-share 0.2 "
    "--train-data train.parquet --validation-data validation.parquet --test-data test.parquet",
    "sample_candidates": "--number 2 --candidates candidates.json",
    "score_candidate": "--train-data train.parquet --target-column ksi --candidate {candidate} --folds 2 "
    "--share 0.5 --score score.parquet",
    "select_best": "--scores score.parquet --survivors survivors.json --best best.json --table search.parquet "
    "--report search.html",
    "train_classifier": "--train-data train.parquet --target-column ksi --n-estimators 20 --folds 2 "
    "--model model.skops --report training.md --out-of-fold folds.parquet",
    "calibrate_classifier": "--model model.skops --out-of-fold folds.parquet --calibrated-model calibrated.skops "
    "--report calibration.md",
    "evaluate_classifier": "--model calibrated.skops --test-data test.parquet --resamples 100 --metrics metrics.json "
    "--classification-metrics matrix.json --report evaluation.html --results results.parquet",
    "evaluate_subgroups": """--model calibrated.skops --test-data test.parquet --subgroup-columns '["casualty_type"]'
        --resamples 100 --min-rows 20 --results subgroups.parquet --metrics subgroups.json --report subgroups.html""",
    "inspect_answers": "--model calibrated.skops --test-data test.parquet --report answers.html",
    "explain_classifier": "--model calibrated.skops --data test.parquet --repeats 2 --top 2 --max-rows 200 "
    "--importance importance.parquet --metrics importance.json --report importance.html",
    "explain_predictions": "--model calibrated.skops --data test.parquet --contribution-rows 2 --orders 10 "
    "--contributions contributions.parquet --report contributions.html",
    "choose_champion": "--otherwise model.skops --uri champion.txt",
    "compare_classifiers": "--champion model.skops --challenger calibrated.skops --test-data test.parquet "
    "--resamples 100 --record record.md --metrics gains.json --decision decision.txt",
    "build_model_card": "--model calibrated.skops --results results.parquet --subgroup-results subgroups.parquet "
    "--importance importance.parquet --decision-record record.md --card card.md --page card.html",
    "promote_model": "--model calibrated.skops --card card.md --folder shelf --champion champion.skops",
    "predict_batch": "--model champion.skops --data validation.parquet --predictions predictions.parquet "
    "--metrics predictions.json",
    "detect_drift": "--reference train.parquet --current test.parquet --model champion.skops --drift drift.parquet "
    "--metrics drift.json --report drift.html --decision drift.txt",
    "export_model": "--model champion.skops --check-data test.parquet --exported-model exported --metrics export.json",
    "deploy_kserve": "--model exported --name severity --namespace models --model-uri s3://models/severity "
    "--manifest service.yaml --url url.txt",
    "register_model": "--model exported --registered-name severity --address http://127.0.0.1:8000 "
    "--model-uri s3://models/severity --timeout-seconds 2 --record record.json --registered-version version.txt",
}
# A dry run has no address to tell.
MAY_BE_EMPTY = {"url.txt"}
# No registry answers in there.
REFUSED = {"register_model": "Input error: "}
# The publisher's site, within the container.
PUBLISHER = """
import functools, http.server, subprocess, sys, threading
files = functools.partial(http.server.SimpleHTTPRequestHandler, directory="raw")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8000), files)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.exit(subprocess.run(["roadsafety", *sys.argv[1:]]).returncode)
"""


def _run(image, folder, *words, user=OPENSHIFT, read=None, entrypoint=()):
    volumes = [f"--volume={folder}:/work", *([f"--volume={read}:/data:ro"] if read else [])]
    # One thread: on a machine that does other things too, several wait for each other most of the time.
    options = [*RESTRICTIONS, user, *volumes, "--workdir=/work", "--env=OMP_NUM_THREADS=1", *entrypoint]
    command = ["docker", "run", "--rm", "--pull=never", *options]
    return subprocess.run([*command, image, *map(str, words)], capture_output=True, text=True, check=False)


def _folder(path: Path) -> Path:
    """Make a folder where every user may write, and reach it."""
    path.mkdir(exist_ok=True)
    path.chmod(0o777)
    for parent in list(path.parents)[:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    return path


def _image_of(name):
    """Return the image that the step's container component names."""
    return containers.STEPS[name].component_spec.implementation.container.image


def _case(name, folder):
    """Return the words of a case."""
    candidates = folder / "candidates.json"
    candidate = json.dumps(json.loads(candidates.read_text())[0]) if candidates.exists() else ""
    return shlex.split(CASES[name].format(candidate=shlex.quote(candidate)))


@pytest.fixture(scope="module")
def chain(image, tmp_path_factory, request):
    """Run every case, one after the other, in one folder; tell how long each took; return their results."""
    folder = _folder(tmp_path_factory.mktemp("chain"))
    if SERVING_IMAGE in map(_image_of, containers.STEPS):
        request.getfixturevalue("serving_image")
    tell = request.config.pluginmanager.get_plugin("terminalreporter").write_line
    tell(f"\nEach step by itself: docker run {' '.join(RESTRICTIONS)} {OPENSHIFT}")
    done = {}
    for name in (step for step in CASES if step in components.STEPS):
        began = time.perf_counter()
        server = name == "download_stats19"
        done[name] = _run(
            _image_of(name), folder, *(["-c", PUBLISHER] if server else []), "step", name, *_case(name, folder),
            entrypoint=["--entrypoint=python"] if server else [],
        )  # fmt: skip
        tell(f"  {name:<26} exit code {done[name].returncode}, {time.perf_counter() - began:5.1f} s")
    return folder, done


@pytest.mark.parametrize("name", components.STEPS)
def test_a_step_works_under_the_restrictions(chain, name):
    """Its exit code, nothing on its error stream but what it says itself, and each of its outputs."""
    folder, done = chain
    assert name in CASES, f"{name} has no case in {Path(__file__).name}: add one"
    result = done[name]
    if name in REFUSED:
        assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
        assert result.stderr.startswith(REFUSED[name])
        return
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Warning" not in result.stderr
    words = _case(name, folder)
    for port in interface_of(components.STEPS[name]).outputs:
        assert flag(port.name) in words, f"the case of {name} does not name its output {port.name}"
        _check(port.kind, folder / words[words.index(flag(port.name)) + 1])


def _check(kind, path):
    """Read an output as the kind of thing that it is."""
    if path.name in MAY_BE_EMPTY:
        assert path.is_file()
    elif path.suffix == ".parquet":
        assert pq.read_table(path).num_columns > 0
    elif path.suffix == ".csv":
        assert len(path.read_text().splitlines()) > 1000
    elif path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file() and file.stat().st_size]
        assert files
        if any(file.suffix == ".parquet" for file in files):
            assert ds.dataset(path).count_rows() == 1200
    elif kind == "Model":
        assert read_model(path)[1]["target_column"] == "ksi"
    elif kind == "HTML":
        assert path.read_text().lower().startswith("<!doctype html>")
    elif kind == "Markdown":
        assert path.read_text().startswith("#")
    elif path.suffix == ".json":
        assert json.loads(path.read_text())
    else:
        assert path.read_text().strip()


@pytest.mark.parametrize("user", ["--user=23456:34567", "--user=1000650000:0"])
def test_the_user_may_be_any(image, sample, tmp_path, user):
    """Of the root group or not; files are his; HOME and temporary files are in /tmp."""
    folder = _folder(tmp_path / "work")
    words = "step load_stats19 --source /data --collisions c --vehicles v --casualties k"
    done = _run(image, folder, *words.split(), user=user, read=sample)
    assert done.returncode == 0, done.stderr
    owner = (folder / "c").stat()
    assert user.endswith(f"{owner.st_uid}:{owner.st_gid}")


@pytest.mark.real_data
def test_west_yorkshire_under_the_restrictions(image, west_yorkshire, tmp_path):
    """From the published files to the figures of a model."""
    folder = _folder(tmp_path / "work")
    steps = [
        "load_stats19 --source /data --collisions c.parquet --vehicles v.parquet --casualties k.parquet",
        "harmonise_stats19 --collisions c.parquet --vehicles v.parquet --casualties k.parquet "
        "--harmonised-collisions hc.parquet --harmonised-vehicles hv.parquet --harmonised-casualties hk.parquet",
        "preprocess_collisions --collisions hc.parquet --vehicles hv.parquet --clean-data clean.parquet",
        "split_dataset --data clean.parquet --target-column severity --group-column collision_index "
        "--train-data train.parquet --validation-data validation.parquet --test-data test.parquet",
        "train_classifier --train-data train.parquet --target-column severity --n-estimators 30 --folds 0 "
        "--model model.skops",
        "evaluate_classifier --model model.skops --test-data test.parquet --resamples 100 --metrics metrics.json",
    ]
    for step in steps:
        done = _run(image, folder, "step", *step.split(), read=west_yorkshire)
        assert (done.returncode, done.stderr) == (0, ""), step
    assert pq.read_metadata(folder / "clean.parquet").num_rows == 7355
    assert 0.55 < json.loads((folder / "metrics.json").read_text())["roc_auc"] < 1


def test_nothing_is_written_beside_tmp(image, tmp_path):
    """With no writable place but /tmp a step works, and leaves nothing elsewhere: the root is read-only."""
    done = _run(image, _folder(tmp_path / "work"), "step", "generate_stats19_sample", "--collisions", 20,
                "--collision-file=/tmp/c", "--vehicle-file=/tmp/v", "--casualty-file=/tmp/k")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    done = _run(image, tmp_path / "work", "step", "generate_stats19_sample", "--collisions", 20,
                "--collision-file=/c", "--vehicle-file=/v", "--casualty-file=/k")  # fmt: skip
    assert done.returncode == 2
    assert "Read-only file system" in done.stderr


def test_the_serving_image_is_for_the_serving_steps_alone():
    """The other steps stay on the smaller one."""
    there = {name for name in containers.STEPS if _image_of(name) == SERVING_IMAGE}
    assert there == {"export_model", "deploy_kserve", "register_model"} & {*components.STEPS}
