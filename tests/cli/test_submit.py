"""`roadsafety submit`, against the API in memory or, with KFP_HOST, a real one."""

import inspect
import json
import re

import pytest
import yaml

from roadsafety_components.cli import run as run_command
from roadsafety_components.cli import submit as submit_command

from . import api as api_in_memory
from .api import MOST_BODY_BYTES, Refused


@pytest.fixture
def mine(server, small):
    """Return the words of a submission whose names begin with the test's prefix."""
    path = small.rename(small.with_name(f"{server.prefix}.yaml"))
    return [path, "--host", server.url, "--experiment", server.prefix]


def _runs(server):
    return server.all(server.client.list_runs, "runs")


def test_a_run_is_started_and_its_two_links_are_printed(command, server, mine):
    """The links are those of the user interface, and lead to what was made."""
    done = command("submit", *mine)
    assert done.returncode == 0, done.stderr
    (run,) = _runs(server)
    assert done.stdout.splitlines() == [
        f"Experiment: {server.url}/#/experiments/details/{run.experiment_id}",
        f"Run:        {server.url}/#/runs/details/{run.run_id}",
    ]
    assert server.client.get_experiment(run.experiment_id).display_name == server.prefix


def test_the_command_as_a_user_runs_it(roadsafety, server, mine):
    """In a process of its own it says the same, and nothing on standard error."""
    done = roadsafety("submit", *mine)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if not line.startswith("note: ")] == []
    assert re.fullmatch(r"Experiment: \S+\nRun:        \S+\n", done.stdout)


def test_parameters_arrive_in_their_types(command, server, mine):
    """What is text on the command line is a number, a truth value or a list in the run."""
    words = ["trees=50", "share=0.25", "deep=true", "years=[2023, 2024]", "source=https://example.org/{table}.csv"]
    done = command("submit", *mine, *(part for word in words for part in ("--param", word)))
    assert done.returncode == 0, done.stderr
    assert _runs(server)[0].runtime_config.parameters == {
        "trees": 50, "share": 0.25, "deep": True, "years": [2023, 2024], "source": "https://example.org/{table}.csv",
    }  # fmt: skip


def test_an_experiment_of_the_name_is_used_again(command, server, mine):
    """Two submissions, one experiment."""
    assert [command("submit", *mine).returncode for _ in range(2)] == [0, 0]
    assert len({run.experiment_id for run in _runs(server)}) == 1
    assert len(_runs(server)) == 2


def test_an_archived_experiment_is_refused_before_anything_is_sent(command, server, mine):
    """The message names the option to change."""
    command("submit", *mine)
    server.client.archive_experiment(_runs(server)[0].experiment_id)
    done = command("submit", *mine)
    assert done.returncode == 2
    assert f"--experiment {server.prefix}: an archived one has that name" in done.stderr
    assert len(_runs(server)) == 1


def test_root_and_service_account_are_handed_on(command, server, mine):
    """Both are the run's."""
    done = command("submit", *mine, "--pipeline-root", "s3://bucket/path", "--service-account", "pipeline-runner")
    assert done.returncode == 0, done.stderr
    (run,) = _runs(server)
    assert (run.runtime_config.pipeline_root, run.service_account) == ("s3://bucket/path", "pipeline-runner")


def _sent_spec(api):
    ((_, _, body),) = [r for r in api.requests if r[:2] == ("POST", "/apis/v2beta1/runs")]
    return body["pipeline_spec"]


def test_the_very_spec_is_sent(command, api, url, small):
    """Nothing is added to what the file says, and nothing taken away."""
    done = command("submit", small, "--host", url)
    assert done.returncode == 0, done.stderr
    assert _sent_spec(api) == yaml.safe_load(small.read_text())


def test_a_pipeline_of_the_project_goes_by_its_name(command, api, url):
    """The name that `roadsafety run` takes."""
    done = command("submit", "breast_cancer_pipeline", "--host", url)
    assert done.returncode == 0, done.stderr
    assert _sent_spec(api)["pipelineInfo"]["name"] == "breast-cancer"


def test_a_python_file_is_compiled_and_sent(command, api, url, tmp_path):
    """One's own pipeline needs no compiling first."""
    path = tmp_path / "mine.py"
    path.write_text(
        "from kfp import dsl\n\n@dsl.container_component\ndef say():\n"
        "    return dsl.ContainerSpec(image='busybox:1', command=['true'])\n\n"
        "@dsl.pipeline(name='mine')\ndef mine():\n    say()\n"
    )
    done = command("submit", path, "--host", url)
    assert done.returncode == 0, done.stderr
    assert _sent_spec(api)["pipelineInfo"] == {"name": "mine"}


def test_settings_for_kubernetes_in_the_file_are_sent(command, api, url, small):
    """The second document of a compiled pipeline goes with the first."""
    settings = {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {}}}}}
    small.write_text(f"{small.read_text()}---\n{yaml.safe_dump(settings)}")
    done = command("submit", small, "--host", url)
    assert done.returncode == 0, done.stderr
    assert _sent_spec(api)["platform_spec"]["platforms"].keys() == {"kubernetes"}


def test_settings_of_a_file_are_put_on_the_pods(command, api, url, small, tmp_path):
    """One file for a cluster, whatever is submitted to it."""
    path = tmp_path / "cluster.yaml"
    path.write_text("memory_limit: 2Gi\nnode_selector: {pool: batch}\n")
    done = command("submit", small, "--host", url, "--kubernetes", path)
    assert done.returncode == 0, done.stderr
    sent = _sent_spec(api)
    executors = sent["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert [e["nodeSelector"]["labels"] for e in executors.values()] == [{"pool": "batch"}] * 2
    containers = [e["container"] for e in sent["pipeline_spec"]["deploymentSpec"]["executors"].values()]
    assert [c["resources"]["resourceMemoryLimit"] for c in containers] == ["2Gi", "2Gi"]


def _cached(spec):
    components = [spec["root"], *spec["components"].values()]
    tasks = [t for c in components for t in c.get("dag", {}).get("tasks", {}).values()]
    return [t.get("cachingOptions", {}).get("enableCache", False) for t in tasks]


def test_no_cache_reaches_into_loops(command, api, url, small):
    """As compiled without it; with it no task is taken from the cache, those of a loop neither."""
    assert command("submit", small, "--host", url).returncode == 0
    assert sorted(_cached(_sent_spec(api))) == [False, False, True]  # the task, the loop, the task in it
    api.requests.clear()
    assert command("submit", small, "--host", url, "--no-cache").returncode == 0
    assert _cached(_sent_spec(api)) == [False, False, False]


def test_the_largest_pipeline_goes_through_an_ingress_as_nginx_comes(command, api, url, checkout):
    """The body stays under the 1 MiB that nginx takes by default; the server itself takes far more."""
    spec = checkout / "component_specs/pipelines/severity_training_pipeline.yaml"
    done = command("submit", spec, "--host", url)
    assert done.returncode == 0, done.stderr
    assert 500_000 < len(json.dumps(_sent_spec(api))) < MOST_BODY_BYTES


def test_a_pipeline_that_is_too_large_for_the_way_is_told(command, url, small, monkeypatch):
    """The message names the setting of nginx."""
    monkeypatch.setattr(api_in_memory, "MOST_BODY_BYTES", 1_000)
    done = command("submit", small, "--host", url)
    assert done.returncode == 2
    assert "too large" in done.stderr
    assert "proxy-body-size" in done.stderr


def test_every_parameter_of_run_that_means_something_there_is_one_of_submit():
    """From laptop to cluster by one word: only where results go and what runs the steps is the machine's own."""
    here, there = (set(inspect.signature(c).parameters) for c in (run_command.run, submit_command.submit))
    assert here - there == {"runner", "output"}


def test_urls_of_data_become_the_source(command, server, mine):
    """As `roadsafety run --data` does with a folder."""
    urls = " ".join(f"https://example.org/{table}.csv" for table in ("collision", "vehicle", "casualty"))
    assert command("submit", *mine, "--data", urls).returncode == 0
    assert _runs(server)[0].runtime_config.parameters == {"source": urls}


def test_one_url_for_all_tables_and_others_beside_it(command, server, mine):
    """As load_stats19 takes them."""
    urls = "https://example.org/2023/{table}.csv https://example.org/2024/{table}.csv.gz"
    assert command("submit", *mine, "--data", urls).returncode == 0
    assert _runs(server)[0].runtime_config.parameters == {"source": urls}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "."], "--data . is on this machine, where pods do not see it. Put the files where the cluster"),
        (["--data", "gs://bucket/x"], "--data gs://bucket/x is no http(s) URL"),
        (
            ["--data", "http://a/b.csv"],
            "--data http://a/b.csv: 1 of 3 tables. Give a URL of each of collision, vehicle,",
        ),
        (["--data", "http://a/b http://a/c"], "2 of 3 tables"),
        (["--data", "http://a/{table}", "--param", "source=x"], "--data and --param source are two ways to say the"),
        (["--experiment", " "], "--experiment is empty"),
        (["--sample", "500"], "submit that, with --param collisions=500"),
        (["--param", "foo=1"], "the pipeline has no parameter foo"),
        (["--param", "trees=many"], "parameter trees"),
        (["--host", "localhost:8080"], "--host localhost:8080: write it with http:// or https://"),
        (["--host", "https://me:secret@example.org"], "--host https://example.org: no user and password in"),
        (["--token", "a", "--iap-client-id", "b"], "--token and --iap-client-id are two ways to say who you are"),
        (["--kubernetes", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["--token-file", "nowhere"], "--token-file: there is no file nowhere"),
        (["--insecure", "--ca-file", "small.yaml"], "--insecure trusts any certificate, --ca-file some"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(command, api, url, small, words, message):
    """One line, exit code 2; parameters and addresses are checked here, not by the cluster."""
    done = command("submit", small, "--host", url, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr
    assert api.requests == []


STEP = "component_specs/train_classifier.yaml"


@pytest.mark.parametrize("verb", ["submit", "run"])
@pytest.mark.parametrize(
    ("pipeline", "words", "message"),
    [
        (STEP, [], "train_data (Dataset) is an artifact, which no --param can give: call this from a pipeline"),
        (STEP, ["target_column=a", "train_data=x.csv"], "train_data (Dataset) is an artifact, which no --param can"),
        (
            "component_specs/evaluate_classifier.yaml",
            [],
            "model (Model) and test_data (Dataset) are artifacts, which no --param can give",
        ),
        ("component_specs/load_stats19.yaml", ["raw_files=x"], "raw_files (Dataset) is an artifact, which no --param"),
        (STEP, ["colour=red"], "the pipeline has no parameter colour"),
        ("needy.yaml", [], "the pipeline needs the parameters place, year; give --param place=..."),
        ("needy.yaml", ["year=1"], "the pipeline needs the parameter place; give --param place=..."),
    ],
)
def test_what_no_parameter_can_give_is_told_from_what_is_missing(
    command, tmp_path, checkout, verb, pipeline, words, message
):
    """In the same words on the laptop and for the cluster."""
    (tmp_path / "needy.py").write_text(
        "from kfp import dsl\n\n@dsl.container_component\ndef say(place: str, year: int):\n"
        "    return dsl.ContainerSpec(image='busybox:1', command=['true', place])\n\n"
        "@dsl.pipeline(name='needy')\ndef needy(place: str, year: int):\n    say(place=place, year=year)\n"
    )
    path = tmp_path / "needy.py" if pipeline == "needy.yaml" else checkout / pipeline
    host = ["--host", "http://127.0.0.1:1"] if verb == "submit" else []
    done = command(verb, path, *host, *(part for word in words for part in ("--param", word)))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ["submit", "run"])
def test_data_for_a_pipeline_that_reads_none_is_told(command, tmp_path, verb):
    """One cause a sentence."""
    words = ["--host", "http://a", "--data", "http://a/{table}"] if verb == "submit" else ["--data", tmp_path]
    done = command(verb, "breast_cancer_pipeline", *words)
    assert done.returncode == 2
    assert "for a pipeline with a parameter source; breast_cancer_pipeline has none." in done.stderr


def test_a_name_that_is_nearly_one_gets_it(command):
    """Hyphens, as the user interface shows the pipeline."""
    done = command("submit", "severity-training", "--host", "http://a")
    assert done.returncode == 2
    assert "there is no pipeline 'severity-training'; there are breast_cancer_pipeline, " in done.stderr
    assert done.stderr.endswith(" Nearest name: severity_training_pipeline.\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host", "localhost"], "--host localhost: write it with http://"),
        (["--host", "http://a", "--token-file", "nowhere"], "--token-file: there is no file nowhere"),
        (["--host", "http://a", "--data", "."], "--data . is on this machine"),
        (["--host", "http://a", "--kubernetes", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
    ],
)
@pytest.mark.parametrize("verb", [["submit"], ["schedule", "--every", "1d"]])
def test_options_are_looked_at_before_the_pipeline_is_compiled(command, tmp_path, verb, words, message):
    """Nobody waits for a compiler to hear of a typing error."""
    path = tmp_path / "broken.py"
    path.write_text("1 / 0")
    done = command(*verb, path, *words)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_parameter_that_names_a_folder_of_this_machine_is_remarked_on(command, api, url, small, tmp_path):
    """It may be a volume's path in the pods, so it is no error."""
    done = command("submit", small, "--host", url, "--param", f"source={tmp_path}")
    assert done.returncode == 0
    assert f"note: source={tmp_path} is on this machine; pods see it only where a volume brings it." in done.stderr


@pytest.mark.parametrize(("end", "code"), [("SUCCEEDED", 0), ("SKIPPED", 0), ("FAILED", 1), ("CANCELED", 1)])
def test_wait_follows_the_run_to_its_end(command, api, url, small, end, code):
    """The exit code is the run's; a failed run names its failed steps."""
    api.states = ["PENDING", "RUNNING", "CANCELING", end]
    done = command("submit", small, "--host", url, "--wait", "--poll-seconds", 0.01)
    assert done.returncode == code, done.stderr
    said = [f"{end.lower()} after 0 s"] + (["failed: train-classifier"] if end == "FAILED" else [])
    assert done.stdout.splitlines()[2:] == said


def _break_after_the_start(api, monkeypatch, answers):
    """Cut off so many answers once a run has been started."""
    original = api.run_service_create_run

    def then_break(**words):
        api.broken = answers
        return original(**words)

    monkeypatch.setattr(api, "run_service_create_run", then_break)


def test_wait_outlives_a_connection_that_breaks(command, api, url, small, monkeypatch):
    """A port-forward that hiccups does not end the waiting."""
    api.states = ["RUNNING", "SUCCEEDED"]
    _break_after_the_start(api, monkeypatch, answers=3)
    done = command("submit", small, "--host", url, "--wait", "--poll-seconds", 0.01)
    assert done.returncode == 0, done.stderr
    assert api.broken == 0


def test_wait_outlives_a_gateway_that_restarts(command, api, url, small, monkeypatch):
    """A 503 between two answers is a break as well; a 404 is an end."""
    api.states = ["RUNNING", "SUCCEEDED"]
    original, failures = api.run_service_get_run, [503, 502]

    def fail_twice(**words):
        if failures:
            raise Refused(14, "upstream connect error", failures.pop())  # UNAVAILABLE
        return original(**words)

    monkeypatch.setattr(api, "run_service_get_run", fail_twice)
    done = command("submit", small, "--host", url, "--wait", "--poll-seconds", 0.01)
    assert (done.returncode, failures) == (0, []), done.stderr


def test_wait_gives_up_when_nobody_answers_any_more(command, api, url, small, monkeypatch):
    """The run goes on, and its link stands there."""
    _break_after_the_start(api, monkeypatch, answers=100)
    done = command("submit", small, "--host", url, "--wait", "--poll-seconds", 0.01)
    assert done.returncode == 2
    assert f"the connection to {url} broke" in done.stderr
    assert "/#/runs/details/" in done.stdout


def test_what_the_cluster_refuses_is_said_in_its_own_words(command, api, url, small):
    """A spec that this SDK takes and the server does not: one line, exit code 2, no traceback."""
    small.write_text(small.read_text().replace("schemaVersion: 2.1.0", "schemaVersion: 9.9.9"))
    done = command("submit", small, "--host", url)
    assert done.returncode == 2
    assert "refuses this (HTTP status 400): InvalidInputError: invalid v2 pipeline spec" in done.stderr
    assert done.stderr.count("\n") == 1
