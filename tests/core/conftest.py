import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import threadpoolctl

from .loopback import Loopback
from .make import Answer


class Site(Loopback):
    """A web server on this machine: each path gives its answers in turn, the last one again and again."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []
        self.over = threading.Event()

    def start(self) -> None:
        """Serve until ``stop``, at ``url``."""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                waiting = site.answers[self.path]
                answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                self.send_response(answer.status)
                promised = answer.promised if answer.promised >= 0 else len(answer.body)
                self.send_header("Content-Length", str(promised))
                if answer.location:
                    self.send_header("Location", answer.location)
                self.end_headers()
                self.wfile.flush()
                if answer.silent:
                    site.over.wait(10)
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None: ...

        self.serve(Handler)

    def stop(self) -> None:
        """Let go of who waits for a silent answer, and end."""
        self.over.set()
        super().stop()


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """Start a web server from its answers by path: ``serve({"/a.csv": [Answer(b"...")]})``."""
    started: list[Site] = []

    def start(answers: dict[str, list[Answer]]) -> Site:
        new = Site()
        new.answers = answers
        new.start()
        started.append(new)
        return new

    yield start
    for each in started:
        each.stop()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Boost on one thread: for tables this small, several spend their time waiting for each other."""
    with threadpoolctl.threadpool_limits(1):
        yield
