"""`roadsafety submit`, against a server on loopback that answers as the Kubeflow Pipelines API does."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

API = "/apis/v2beta1"


class _Pipelines(BaseHTTPRequestHandler):
    """The five calls of the API that a submission makes."""

    def log_message(self, *_words):
        pass

    def _answer(self, body, status=200):
        text = self.server.page or json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if self.server.page else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        if self.path.startswith(f"{API}/runs/"):
            states = self.server.states
            return self._answer({"run_id": "run-1", "state": states.pop(0) if len(states) > 1 else states[0]})
        if self.path.startswith(f"{API}/experiments"):
            return self._answer({"experiments": []})
        return self._answer({"apiServerReady": True, "multi_user": False})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received[self.path.split("?")[0]] = body
        if self.path.startswith(f"{API}/runs"):
            if self.server.refuse:
                return self._answer({"message": "the pipeline spec is invalid"}, 400)
            return self._answer({"run_id": "run-1", "display_name": body["display_name"], "state": "PENDING"})
        return self._answer({"experiment_id": "exp-1", "display_name": body["display_name"]})


@pytest.fixture
def cluster():
    """Return a running server; `states` are what it answers of the run, one after the other."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pipelines)
    server.received, server.states, server.refuse, server.page = {}, ["SUCCEEDED"], False, b""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _submit(roadsafety, cluster, *words):
    return roadsafety("submit", "road_safety_pipeline", "--host", f"http://127.0.0.1:{cluster.server_port}", *words)


def test_a_run_is_started_and_its_two_links_are_printed(roadsafety, cluster, checkout):
    """The very spec is sent, with the parameters in their types."""
    done = _submit(roadsafety, cluster, "--param", "n_estimators=50", "--param", "unit=collision")
    assert done.returncode == 0, done.stderr
    links = [line.split()[-1] for line in done.stdout.splitlines()]
    host = f"http://127.0.0.1:{cluster.server_port}"
    assert links == [f"{host}/#/experiments/details/exp-1", f"{host}/#/runs/details/run-1"]
    sent = cluster.received[f"{API}/runs"]
    assert sent["experiment_id"] == "exp-1"
    assert sent["runtime_config"]["parameters"] == {"n_estimators": 50, "unit": "collision"}
    written = yaml.safe_load((checkout / "component_specs/pipelines/road_safety_pipeline.yaml").read_text())
    assert sent["pipeline_spec"] == written


@pytest.mark.parametrize(("end", "code"), [("SUCCEEDED", 0), ("FAILED", 1)])
def test_wait_follows_the_run_to_its_end(roadsafety, cluster, end, code):
    """The exit code is the run's."""
    cluster.states = ["PENDING", "RUNNING", end]
    done = _submit(roadsafety, cluster, "--wait", "--poll-seconds", 0.1)
    assert done.returncode == code, done.stderr
    assert re.fullmatch(rf"{end.lower()} after \d+ s", done.stdout.splitlines()[-1])


def test_what_the_cluster_refuses_is_said_in_its_own_words(roadsafety, cluster):
    """One line, exit code 2, no traceback."""
    cluster.refuse = True
    done = _submit(roadsafety, cluster)
    assert done.returncode == 2
    assert "did not take it: " in done.stderr
    assert "the pipeline spec is invalid" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_login_page_is_no_success(roadsafety, cluster):
    """A page that answers 200 to everything started no run."""
    cluster.page = b"<html>Sign in</html>"
    done = _submit(roadsafety, cluster)
    assert done.returncode == 2
    assert "did not take it" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--param", "foo=1"], "the pipeline has no parameter foo"),
        (["--host", "localhost:8080"], "--host localhost:8080: write it with http:// or https://"),
    ],
)
def test_a_mistake_is_told_before_anything_is_sent(roadsafety, cluster, words, message):
    """Parameters and address are checked here, not by the cluster."""
    done = _submit(roadsafety, cluster, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert cluster.received == {}


def test_a_host_where_nobody_answers_is_said(roadsafety, cluster):
    """A wrong address ends in one line."""
    port = cluster.server_port
    cluster.shutdown()
    cluster.server_close()
    done = roadsafety("submit", "--host", f"http://127.0.0.1:{port}")
    assert done.returncode == 2
    assert f"the cluster at http://127.0.0.1:{port} did not take it" in done.stderr
