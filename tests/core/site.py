"""A web server on this machine that keeps files as a data portal does, and fails as told."""

import contextlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from .loopback import Loopback


@dataclass
class File:
    """A file on the server: ``body`` so many ``times``; without tag and date a client cannot ask for its rest."""

    body: bytes = b""
    times: int = 1
    etag: str = '"first"'
    modified: str = "Mon, 29 Sep 2025 09:30:00 GMT"
    ranges: bool = True  # whether Range is heeded
    if_range: bool = True  # whether If-Range is
    methods: str = "GET HEAD"


@dataclass
class Fault:
    """What goes wrong with one answer."""

    status: int = 0  # in place of the file
    headers: dict[str, str] = field(default_factory=dict)  # in place of those of a good answer
    body: bytes = b""  # of an answer with a status
    stop_at: int = -1  # the connection breaks after so many bytes of the body
    silent: bool = False  # it does not break there, but nothing more comes
    first: Callable[[], object] = lambda: None  # what happens on the server before the answer


@dataclass
class Question:
    """What the server was asked, and the status that it answered."""

    method: str
    path: str
    headers: dict[str, str]
    status: int


class Portal(Loopback):
    """Files by path, and faults by path: each answer takes one, those after them are good."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.asked: list[Question] = []
        self.over = threading.Event()
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                portal.answer(self)

            def do_HEAD(self) -> None:
                portal.answer(self)

            def log_message(self, *_: object) -> None: ...

        self.serve(Handler)

    def __enter__(self) -> "Portal":
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.stop()

    def statuses(self) -> list[int]:
        """The statuses of all answers, in order."""
        return [question.status for question in self.asked]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        fault = (self.faults.get(request.path) or [Fault()]).pop(0)
        fault.first()
        file = self.files.get(request.path)
        size = len(file.body) * file.times if file else 0
        start, status = 0, 404
        headers: dict[str, str] = {}
        if file:
            status, start, headers = self.good_answer(file, size, request)
        if fault.status:
            status, headers = fault.status, {"Content-Length": str(len(fault.body))}
        self.asked.append(Question(request.command, request.path, dict(request.headers), status))
        request.send_response(status)
        for name, value in ({"Content-Length": "0"} | headers | fault.headers).items():
            request.send_header(name, value)
        request.end_headers()
        if request.command == "HEAD":
            return
        with contextlib.suppress(ConnectionError):
            if fault.status:
                request.wfile.write(fault.body)
            elif file and status in (200, 206):
                end = size if fault.stop_at < 0 else start + fault.stop_at
                for block in blocks(file, start, end):
                    request.wfile.write(block)
                if fault.silent:
                    request.wfile.flush()
                    self.over.wait(10)

    def good_answer(self, file: File, size: int, request: BaseHTTPRequestHandler) -> tuple[int, int, dict[str, str]]:
        """Status, first byte and headers for a file that is there."""
        asked = request.headers
        if request.command not in file.methods:
            return 405, 0, {}
        proofs = [p for p in (file.etag, file.modified) if p]
        headers = {k: v for k, v in {"ETag": file.etag, "Last-Modified": file.modified}.items() if v}
        if asked["If-None-Match"] in proofs or (not asked["If-None-Match"] and asked["If-Modified-Since"] in proofs):
            return 304, 0, headers
        start = int((asked["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if asked["Range"] and file.ranges and (asked["If-Range"] in proofs or not file.if_range):
            if start >= size:
                return 416, 0, {"Content-Range": f"bytes */{size}"}
            headers |= {"Content-Length": str(size - start), "Content-Range": f"bytes {start}-{size - 1}/{size}"}
            return 206, start, headers
        return 200, 0, headers | {"Content-Length": str(size)}


def blocks(file: File, start: int, end: int) -> Iterator[bytes]:
    """The bytes of a file from start to end, never all of them at once."""
    length = len(file.body)
    while start < end:
        at = start % length
        block = file.body[at : at + end - start]
        yield block
        start += len(block)


HEADERS = {
    "collision": "collision_index,collision_year,speed_limit\n",
    "vehicle": "collision_index,collision_year,vehicle_reference\n",
    "casualty": "collision_index,collision_year,vehicle_reference,casualty_reference\n",
}


def text(table: str, *years: int, header: str = "") -> bytes:
    """A small file: its header, and a row for each year."""
    rows = [f"{year}0{i},{year}" + ",1" * (2 if table == "casualty" else 1) + "\n" for i, year in enumerate(years)]
    return ((header or HEADERS[table]) + "".join(rows)).encode()


def zipped(**files: bytes) -> bytes:
    """A zip with ``name.csv`` for each item."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inside in files.items():
            archive.writestr(f"{name}.csv", inside)
    return content.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, by its path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
