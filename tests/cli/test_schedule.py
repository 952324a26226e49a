"""`roadsafety schedule`, against the API in memory or, with KFP_HOST, a real one."""

import pytest
import yaml

MONTHLY = ("--cron", "0 0 6 1 * *")


@pytest.fixture
def mine(server, small):
    """Return the words of a schedule whose names begin with the test's prefix."""
    return [small, "--host", server.url, "--experiment", server.prefix, "--name", server.prefix]


def _jobs(server):
    return server.all(server.client.list_recurring_runs, "recurring_runs")


def test_a_schedule_is_made_and_its_link_is_printed(command, server, mine):
    """One run at a time and no catching up, unless asked for."""
    done = command("schedule", *mine, *MONTHLY, "--param", "trees=50")
    assert done.returncode == 0, done.stderr
    (job,) = _jobs(server)
    assert done.stdout.splitlines() == [
        f"made: {server.prefix}, cron 0 0 6 1 * *",
        f"Schedule: {server.url}/#/recurringrun/details/{job.recurring_run_id}",
    ]
    assert job.trigger.cron_schedule.cron == "0 0 6 1 * *"
    assert (job.status, int(job.max_concurrency), job.no_catchup) == ("ENABLED", 1, True)
    assert job.runtime_config.parameters == {"trees": 50}
    assert server.client.get_experiment(job.experiment_id).display_name == server.prefix


def test_an_interval_with_the_other_settings(command, server, mine):
    """Each option arrives."""
    words = ["--catchup", "--max-concurrency", 2, "--service-account", "runner", "--pipeline-root", "s3://b"]
    done = command("schedule", *mine, "--every", "30d", *words)
    assert done.returncode == 0, done.stderr
    (job,) = _jobs(server)
    assert done.stdout.startswith(f"made: {server.prefix}, every 30d\n")
    assert int(job.trigger.periodic_schedule.interval_second) == 2_592_000
    assert (int(job.max_concurrency), bool(job.no_catchup), job.service_account) == (2, False, "runner")
    assert job.runtime_config.pipeline_root == "s3://b"


def test_the_same_command_again_changes_nothing(command, server, mine):
    """The schedule keeps its id, and with it its history."""
    command("schedule", *mine, *MONTHLY)
    (before,) = _jobs(server)
    done = command("schedule", *mine, *MONTHLY)
    assert done.stdout.startswith(f"unchanged: {server.prefix}, cron 0 0 6 1 * *\n")
    assert [job.recurring_run_id for job in _jobs(server)] == [before.recurring_run_id]


@pytest.mark.parametrize(
    "change",
    [["--param", "trees=2"], ["--no-cache"], ["--max-concurrency", 2], ["--catchup"], ["--service-account", "runner"]],
)
def test_another_one_of_the_name_replaces_it(command, server, mine, change):
    """Whatever differs: there is one schedule a name, the new one."""
    command("schedule", *mine, *MONTHLY)
    (before,) = _jobs(server)
    done = command("schedule", *mine, *MONTHLY, *change)
    assert done.stdout.startswith(f"replaced: {server.prefix}, cron 0 0 6 1 * *\n"), done.stderr
    (after,) = _jobs(server)
    assert after.recurring_run_id != before.recurring_run_id


def test_another_pipeline_or_another_time_replaces_it(command, server, mine, small):
    """What the pipeline's text says counts, and the trigger."""
    command("schedule", *mine, *MONTHLY)
    small.write_text(small.read_text().replace("print(word)", "print(word, word)"))
    assert command("schedule", *mine, *MONTHLY).stdout.startswith("replaced: ")
    assert command("schedule", *mine, "--every", "4w").stdout.startswith(f"replaced: {server.prefix}, every 28d\n")
    assert len(_jobs(server)) == 1


def test_the_same_pipeline_laid_out_otherwise_changes_nothing(command, server, mine, small):
    """Comments and the order of keys are no other pipeline."""
    command("schedule", *mine, *MONTHLY)
    small.write_text("# mine\n" + yaml.safe_dump(yaml.safe_load(small.read_text()), default_flow_style=True))
    assert command("schedule", *mine, *MONTHLY).stdout.startswith("unchanged: ")


def test_pause_resume_delete(command, server, mine):
    """By the pipeline's name or, as here, the schedule's."""
    command("schedule", *mine, *MONTHLY)
    assert command("schedule", *mine, "--pause").stdout == f"paused: {server.prefix}\n"
    assert _jobs(server)[0].status == "DISABLED"
    assert command("schedule", *mine, "--resume").stdout == f"resumed: {server.prefix}\n"
    assert _jobs(server)[0].status == "ENABLED"
    assert command("schedule", *mine, "--delete").stdout == f"deleted: {server.prefix}\n"
    assert _jobs(server) == []


def test_a_paused_schedule_that_is_replaced_stays_paused(command, server, mine):
    """Somebody paused it for a reason."""
    command("schedule", *mine, *MONTHLY)
    command("schedule", *mine, "--pause")
    for did in ("replaced", "unchanged"):
        done = command("schedule", *mine, "--every", "1d")
        assert done.stdout.startswith(f"{did}: {server.prefix}, every 1d, paused\n")
        assert _jobs(server)[0].status == "DISABLED"


def test_list_shows_state_and_time(command, server, mine):
    """A line a schedule, with its link below."""
    command("schedule", *mine, *MONTHLY)
    command("schedule", *mine[:-1], f"{server.prefix}-b", "--every", "12h")
    command("schedule", *mine, "--pause")
    done = command("schedule", "--list", "--host", server.url)
    first, second = sorted(_jobs(server), key=lambda job: job.display_name)
    shown = "\n".join(done.stdout.splitlines())
    assert f"{server.prefix}  paused  cron 0 0 6 1 * *\n" in shown
    assert f"{server.prefix}-b  active  every 12h\n" in shown
    for job in (first, second):
        assert f"  {server.url}/#/recurringrun/details/{job.recurring_run_id}" in shown


def test_a_list_of_several_pages_is_shown_whole(command, api, url, small, monkeypatch):
    """The server gives out so many at a time."""
    monkeypatch.setattr("roadsafety_components.cli.cluster._PAGE", 2)
    for number in range(3):
        command("schedule", small, "--host", url, "--name", f"nightly-{number}", "--every", "1d")
    shown = command("schedule", "--list", "--host", url).stdout.splitlines()
    assert shown[::2] == [f"nightly-{number}  active  every 1d" for number in range(3)]


def test_no_pipeline_takes_what_it_reads_from_outside_from_the_cache(checkout):
    """Else a scheduled run would never see what was published since the first."""
    cached = []
    for path in sorted((checkout / "component_specs/pipelines").glob("*.yaml")):
        spec = next(yaml.load_all(path.read_text(), yaml.CSafeLoader))
        for component in [spec["root"], *spec["components"].values()]:
            for name, task in component.get("dag", {}).get("tasks", {}).items():
                outside = {"source", "base_url"} & set(task.get("inputs", {}).get("parameters", {}))
                if outside and task.get("cachingOptions", {}).get("enableCache"):
                    cached.append(f"{path.stem}: {name}")
    assert cached == []


def test_a_replacement_that_was_cut_off_is_put_right_by_the_same_command(command, api, url, small, monkeypatch):
    """The new one is made before the old one goes, so a schedule is never lost; two of them are told apart."""
    words = ["schedule", small, "--host", url]
    command(*words, *MONTHLY)
    original = api.recurring_run_service_delete_recurring_run
    monkeypatch.setattr(api, "recurring_run_service_delete_recurring_run", lambda **_: 1 / 0)
    assert command(*words, "--every", "1d").returncode == 2
    assert len(api.recurring_runs) == 2
    monkeypatch.setattr(api, "recurring_run_service_delete_recurring_run", original)
    assert command(*words, "--every", "1d").stdout.startswith("unchanged: small, every 1d\n")
    (job,) = api.recurring_runs.values()
    assert job.trigger.periodic_schedule


def test_a_schedule_that_somebody_else_made_is_left_alone(command, server, mine, small):
    """Names are not unique on the server: only what bears this command's digest is replaced."""
    experiment = server.client.create_experiment(server.prefix, namespace=server.namespace)
    made = server.client.create_recurring_run(
        experiment.experiment_id, server.prefix, interval_second=600, pipeline_package_path=str(small)
    )
    done = command("schedule", *mine, *MONTHLY)
    assert done.returncode == 2
    message = f"a schedule {server.prefix} is there that this command did not make ({made.recurring_run_id})"
    assert message in done.stderr
    assert len(_jobs(server)) == 1


def test_a_schedule_that_is_not_there_is_told(command, server, mine):
    """With the names of those that are."""
    command("schedule", *mine, *MONTHLY)
    done = command("schedule", *mine[:-1], f"{server.prefix}-other", "--pause")
    assert done.returncode == 2
    assert f"there is no schedule {server.prefix}-other; there are " in done.stderr
    assert server.prefix in done.stderr.partition("there are ")[2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "say one of --cron, --every, --pause, --resume, --delete and --list"),
        (["--every", "1d", "--pause"], "say only one of --cron"),
        (["--cron", "0 6 1 * *"], "Kubeflow's begin with seconds: '0 0 6 1 * *'"),
        (["--every", "monthly"], "write a number and m, h, d or w"),
        (["--every", "1d", "--param", "foo=1"], "the pipeline has no parameter foo"),
        (["--every", "1d", "--data", "."], "is on this machine, where pods do not see it"),
        (["--every", "1d", "--experiment", ""], "--experiment is empty"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(command, api, url, small, words, message):
    """One line, exit code 2."""
    done = command("schedule", small, "--host", url, *words)
    assert (done.returncode, api.requests) == (2, [])
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_schedule_needs_a_pipeline(command, url):
    """There is no default: what runs every month is said."""
    done = command("schedule", "--every", "1d", "--host", url)
    assert done.returncode == 2
    assert "name the pipeline" in done.stderr
