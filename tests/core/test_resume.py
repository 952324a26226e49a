"""Downloads against a server that breaks, stalls, changes its files and forgets to say so."""

import hashlib
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path

import pytest

from roadsafety_components.core import resume
from roadsafety_components.core.errors import InputError

from .site import Fault, File, Portal

bring = partial(resume.bring, allow_private_addresses=True)  # the servers of these tests are on this machine
BODY = bytes(range(256)) * 4096  # 1 MiB
OTHER = BODY[::-1]
MIDDLE = 300_000


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A server with ``/a.csv``."""
    with Portal() as portal:
        portal.files["/a.csv"] = File(BODY)
        yield portal


def get(portal: Portal, target: Path, **how: object) -> bytes:
    """Fetch ``/a.csv`` without waits, and what it gave."""
    draft = target.with_name(f".{target.name}.partial")
    try:
        bring(f"{portal.url}/a.csv", draft, **{"attempts": 3, "stall_seconds": 0.3, "wait_seconds": 0.0, **how})
        return draft.rename(target).read_bytes()
    finally:
        resume.forget(draft)


# A download that breaks off


@pytest.mark.parametrize("silent", [False, True], ids=["breaks", "stalls"])
def test_a_download_goes_on_where_it_broke(portal: Portal, tmp_path: Path, silent: bool) -> None:
    """The second question is for the rest of the same file, and only the rest is sent."""
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE, silent=silent)]
    assert get(portal, tmp_path / "a.csv") == BODY
    assert portal.statuses() == [200, 206]
    assert portal.asked[1].headers["Range"] == f"bytes={MIDDLE}-"
    assert portal.asked[1].headers["If-Range"] == '"first"'
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_every_break_counts_as_a_try_but_no_byte_is_sent_twice(portal: Portal, tmp_path: Path) -> None:
    """Three pieces, three tries."""
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE), Fault(stop_at=MIDDLE)]
    assert get(portal, tmp_path / "a.csv") == BODY
    assert [q.headers.get("Range") for q in portal.asked] == [None, f"bytes={MIDDLE}-", f"bytes={2 * MIDDLE}-"]


def test_a_date_proves_the_file_where_there_is_no_strong_tag(portal: Portal, tmp_path: Path) -> None:
    """A weak tag may stand for other bytes."""
    portal.files["/a.csv"] = File(BODY, etag='W/"first"')
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE)]
    assert get(portal, tmp_path / "a.csv") == BODY
    assert portal.statuses() == [200, 206]
    assert portal.asked[1].headers["If-Range"] == "Mon, 29 Sep 2025 09:30:00 GMT"


@pytest.mark.parametrize(
    "file", [File(BODY, etag="", modified=""), File(BODY, ranges=False)], ids=["no tag, no date", "no ranges"]
)
def test_a_server_that_cannot_go_on_sends_it_all_again(portal: Portal, tmp_path: Path, file: File) -> None:
    """A status 200 means the whole file, whatever was asked."""
    portal.files["/a.csv"] = file
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE)]
    assert get(portal, tmp_path / "a.csv") == BODY
    assert portal.statuses() == [200, 200]


@pytest.mark.parametrize("heeds", [True, False], ids=["says so", "sends the rest of the new file"])
def test_halves_of_two_files_never_become_one(portal: Portal, tmp_path: Path, heeds: bool) -> None:
    """The file changes between the two halves: the new one counts, whole."""
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE), Fault(first=change(portal, File(OTHER, if_range=heeds)))]
    assert get(portal, tmp_path / "a.csv") == OTHER
    assert portal.statuses() == ([200, 200] if heeds else [200, 206, 200])


def test_a_file_that_became_shorter_is_begun_again(portal: Portal, tmp_path: Path) -> None:
    """The rest that is asked for lies behind its end (status 416)."""
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE), Fault(first=change(portal, File(OTHER[:1000], if_range=False)))]
    assert get(portal, tmp_path / "a.csv", attempts=2) == OTHER[:1000]
    assert portal.statuses() == [200, 416, 200]


def change(portal: Portal, file: File) -> object:
    """Something that puts another file in place of ``/a.csv``."""
    file.etag, file.modified = '"second"', "Tue, 30 Sep 2025 09:30:00 GMT"
    return lambda: portal.files.update({"/a.csv": file})


def test_another_part_than_asked_for_is_not_joined(portal: Portal, tmp_path: Path) -> None:
    """The answer says itself where its bytes belong."""
    wrong = {"Content-Range": f"bytes 5-{len(BODY) - 1}/{len(BODY)}"}
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE), Fault(headers=wrong)]
    assert get(portal, tmp_path / "a.csv") == BODY
    assert portal.statuses() == [200, 206, 200]


def test_a_server_may_send_the_rest_in_parts(portal: Portal, tmp_path: Path) -> None:
    """A part that ends before the file does is kept, and the next is asked for."""
    part = {
        "Content-Length": "1000",
        "Content-Range": f"bytes {MIDDLE}-{MIDDLE + 999}/{len(BODY)}",
    }
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE), Fault(stop_at=1000, headers=part)]
    assert get(portal, tmp_path / "a.csv") == BODY
    assert portal.asked[2].headers["Range"] == f"bytes={MIDDLE + 1000}-"


def test_a_later_run_goes_on_with_the_draft_of_an_earlier_one(portal: Portal, tmp_path: Path) -> None:
    """The draft and the note beside it are all that is needed; of another address it is no draft."""
    draft = tmp_path / ".a.csv.partial"
    how = {"attempts": 1, "stall_seconds": 1.0, "wait_seconds": 0.0}
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE)]
    portal.files["/b.csv"] = File(OTHER)
    with pytest.raises(InputError, match=r"could not fetch .*/a\.csv"):
        bring(f"{portal.url}/a.csv", draft, **how)
    assert draft.stat().st_size == MIDDLE
    told = bring(f"{portal.url}/a.csv", draft, **how)
    assert told == {"etag": '"first"', "last_modified": "Mon, 29 Sep 2025 09:30:00 GMT", "resumed_at": MIDDLE}
    assert draft.read_bytes() == BODY
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE)]
    with pytest.raises(InputError):
        bring(f"{portal.url}/a.csv", draft, **how)
    assert bring(f"{portal.url}/b.csv", draft, **how)["resumed_at"] == 0
    assert draft.read_bytes() == OTHER


# What the server announces


@pytest.mark.parametrize("promised", [len(BODY) + 1, 10 * len(BODY)])
def test_fewer_bytes_than_announced_are_no_file(portal: Portal, tmp_path: Path, promised: int) -> None:
    """A body that ends too soon fails, try after try, and nothing is left."""
    portal.faults["/a.csv"] = [Fault(headers={"Content-Length": str(promised)})]
    portal.files["/a.csv"].ranges = False
    portal.faults["/a.csv"] *= 2
    with pytest.raises(InputError, match=r"could not fetch .*/a\.csv: RemoteProtocolError"):
        get(portal, tmp_path / "a.csv", attempts=2)
    assert list(tmp_path.iterdir()) == []


def test_the_size_of_the_whole_is_checked_after_the_last_part(portal: Portal, tmp_path: Path) -> None:
    """A file that is longer than announced is begun again."""
    wrong = {"Content-Range": f"bytes {MIDDLE}-{len(BODY) - 1}/{len(BODY) - 1}"}
    portal.faults["/a.csv"] = [Fault(stop_at=MIDDLE), Fault(headers=wrong)]
    assert get(portal, tmp_path / "a.csv") == BODY
    assert portal.statuses() == [200, 206, 416, 200]


def test_the_file_is_asked_for_as_it_is(portal: Portal, tmp_path: Path) -> None:
    """No packing on the way, or lengths and ranges would mean something else; and the asker says who it is."""
    get(portal, tmp_path / "a.csv")
    assert portal.asked[0].headers["Accept-Encoding"] == "identity"
    assert portal.asked[0].headers["User-Agent"].startswith("roadsafety-components (")


# Waits


@pytest.mark.parametrize("as_date", [False, True])
def test_the_pause_that_a_server_asks_for_is_kept(portal: Portal, tmp_path: Path, as_date: bool) -> None:
    """Retry-After, in seconds or as a date."""
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True) if as_date else "1"
    portal.faults["/a.csv"] = [Fault(status=429, headers={"Retry-After": when})]
    begun = time.monotonic()
    assert get(portal, tmp_path / "a.csv") == BODY
    assert 0.8 < time.monotonic() - begun < 3


@pytest.mark.parametrize(
    ("asked", "tries", "expected"),
    [
        ("7", 1, 7.0),
        ("3600", 1, 60.0),
        ("soon", 1, 1.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 1, 1.0),
        (None, 1, 1.0),
        (None, 3, 4.0),
        (None, 9, 30.0),
    ],
)
def test_pauses_grow_up_to_a_limit(
    portal: Portal, tmp_path: Path, monkeypatch, asked: str | None, tries: int, expected: float
) -> None:
    """1, 2, 4 seconds, 30 at most; a server that asks for more gets a minute at most."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    portal.faults["/a.csv"] = [Fault(status=503, headers={"Retry-After": asked} if asked else {})] * tries
    get(portal, tmp_path / "a.csv", attempts=tries + 1, wait_seconds=1.0)
    assert pauses[-1] == expected


def test_with_a_copy_at_hand_a_server_out_of_reach_is_asked_once(tmp_path: Path, capsys) -> None:
    """On a cluster without a way out nobody waits for tries that cannot succeed."""
    with Portal() as portal:
        url = f"{portal.url}/a.csv"
    for kept, tries in ((None, 3), ({"etag": '"first"', "last_modified": ""}, 0)):
        with pytest.raises(InputError, match="ConnectError"):
            bring(url, tmp_path / "draft", 3, 1.0, 0.0, kept)
        assert capsys.readouterr().out.count("failed") == tries


# Redirects


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/a.csv", "gopher://127.0.0.1/"])
def test_a_redirect_leads_to_http_alone(portal: Portal, tmp_path: Path, place: str) -> None:
    """No server can make the step read a local file; and it is not asked again."""
    portal.faults["/a.csv"] = [Fault(status=302, headers={"Location": place})]
    with pytest.raises(InputError, match=r"could not fetch .*/a\.csv: UnsupportedProtocol"):
        get(portal, tmp_path / "a.csv")
    assert portal.statuses() == [302]
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_in_a_circle_ends(portal: Portal, tmp_path: Path) -> None:
    """After twenty turns, and without another try."""
    portal.faults["/a.csv"] = [Fault(status=302, headers={"Location": "/a.csv"})] * 50
    with pytest.raises(InputError, match="TooManyRedirects"):
        get(portal, tmp_path / "a.csv")
    assert len(portal.asked) == 21


def test_a_redirected_download_goes_on_too(portal: Portal, tmp_path: Path) -> None:
    """The range is asked for where the redirect leads."""
    portal.files["/b.csv"] = portal.files.pop("/a.csv")
    portal.faults["/a.csv"] = [Fault(status=302, headers={"Location": "/b.csv"})] * 2
    portal.faults["/b.csv"] = [Fault(stop_at=MIDDLE)]
    assert get(portal, tmp_path / "a.csv") == BODY
    assert portal.statuses() == [302, 200, 302, 206]


# Log, disk, memory


def test_the_log_tells_how_far_it_is(portal: Portal, tmp_path: Path, capsys, monkeypatch) -> None:
    """Name, megabytes so far, megabytes in all."""
    monkeypatch.setattr(resume, "_NEWS_EVERY", 0.0)
    portal.files["/a.csv"] = File(BODY, times=3)
    get(portal, tmp_path / "a.csv")
    lines = capsys.readouterr().out.splitlines()
    assert all(re.fullmatch(r"a\.csv: [0-3] of 3 MB", line) for line in lines)
    assert lines[-1] == "a.csv: 3 of 3 MB"


def test_a_quick_download_is_silent(portal: Portal, tmp_path: Path, capsys) -> None:
    """A line every five seconds, not one a block."""
    get(portal, tmp_path / "a.csv")
    assert capsys.readouterr().out == ""


def test_a_file_where_the_folder_should_be_is_told(portal: Portal, tmp_path: Path) -> None:
    """The message names the file and says what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write .*Choose a folder that is writable"):
        get(portal, tmp_path / "file" / "a.csv")


def test_memory_does_not_grow_with_the_file(portal: Portal, tmp_path: Path) -> None:
    """300 MB arrive, and the process's peak (VmHWM) grows by less than 20 MB."""
    portal.files["/big"] = File(BODY, times=300)
    script = f"""
        import hashlib, re
        from pathlib import Path
        from roadsafety_components.core.fetch import fetch

        def peak():
            return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

        fetch("{portal.url}/a.csv", Path("small"), allow_private_addresses=True)
        before = peak()
        fetch("{portal.url}/big", Path("big"), allow_private_addresses=True)
        print(peak() - before)
        print(hashlib.file_digest(open("big", "rb"), "sha256").hexdigest())
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    grown, digest = done.stdout.split()
    assert int(grown) < 20_000
    whole = hashlib.sha256()
    for _ in range(300):
        whole.update(BODY)
    assert digest == whole.hexdigest()
