"""STATS19 releases as they are published, fetched to a folder a year."""

import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from roadsafety_components.core.by_year import YEARS, cut, refuse_bad, unpacked
from roadsafety_components.core.cache import cached
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.fetch import safe_name, shown, status_of
from roadsafety_components.core.files import replacing

Facts = dict[str, Any]

_TABLES = ("collision", "vehicle", "casualty")
# A release as a user gives it, and what stands for it in a file's name.
_RELEASES = {
    re.compile("last-5-years"): "last-5-years",
    re.compile("1979-latest"): "1979-latest-published-year",
    re.compile("provisional-(20[0-9]{2})"): r"provisional-mid-year-unvalidated-\1",
}
_REVISIONS = "dft-road-casualty-statistics-historical-revisions-data.csv"
_LICENCES = {"data.dft.gov.uk": "Open Government Licence v3.0"}
_NOT_THERE = (403, 404, 410)  # a store of objects answers 403 for what it does not have
_SHOWN = ("url", "bytes", "sha256", "from_cache", "last_modified")
_PROBE_SECONDS = 4.0  # for one question; three times that for all


def download(
    folder: str | Path,
    releases: Sequence[str],
    tables: Sequence[str],
    base_url: str,
    file_name: str,
    table_names: Mapping[str, str],
    revisions: bool = False,
    sha256: Mapping[str, str] | None = None,
    cache_folder: str = "",
    attempts: int = 5,
    stall_seconds: float = 30.0,
    wait_seconds: float = 1.0,
    allow_private_addresses: bool = False,
) -> Facts:
    """Fetch releases and make a folder of them, ``<year>/<table>-<year>.csv``, whole or not at all.

    Args:
        folder: the folder to make.
        releases: years ("2024"), ranges of years ("2020-2024"), last-5-years, 1979-latest, provisional-<year>.
        tables: of collision, vehicle, casualty.
        base_url: where the files are.
        file_name: with {table} and {release} for what changes; without {table} it is an archive of all tables.
        table_names: what {table} is on that server, by table; a table's own name if it is not there.
        revisions: also fetch DfT's historical revisions, as ``revisions.csv``.
        sha256: the digest that a file must have, by file name.
        cache_folder: keeps what was fetched; "" for none.
        attempts: this and the rest as in ``fetch.fetch``.

    Returns:
        releases, tables, years, rows (by table, then by year as text), downloads (url, bytes, sha256, from_cache,
        last_modified of each) and the licence where it is known.

    Raises:
        InputError: a parameter that cannot be (before anything is asked), what cannot be had, what is not STATS19.
    """
    names = _release_names(releases)
    files = _files(names, releases, tables, file_name, table_names) | ({_REVISIONS: ("", "")} if revisions else {})
    digests = _digests(sha256 or {}, list(files))
    base = base_url.rstrip("/")
    if not re.match(r"https?://[^/]", base):
        raise InputError(f"base_url is {shown(base_url)!r}; it begins with http:// or https:// and a host.")
    if attempts < 1 or stall_seconds <= 0:
        raise InputError(f"attempts is {attempts} and stall_seconds {stall_seconds:g}; both are above 0.")
    downloads: list[Facts] = []
    rows: dict[str, dict[str, int]] = {}
    made: dict[str, str] = {}
    if Path(folder).exists() and (not Path(folder).is_dir() or any(Path(folder).iterdir())):
        raise InputError(f"{folder} is there already, and not empty; choose another folder or remove it.")
    with replacing(folder) as (draft,):
        draft.mkdir(exist_ok=True)
        for name, (release, table) in files.items():
            url = f"{base}/{name}"
            with tempfile.TemporaryDirectory(dir=draft) as spare:  # where the output goes there is room
                path = Path(cache_folder or spare, _cache_name(url, name))
                check = partial(refuse_bad, url=shown(url), table=table if release else None)
                how = (digests.get(name, ""), attempts, stall_seconds, wait_seconds, allow_private_addresses)
                try:
                    with cached(url, path, check, *how) as facts:
                        downloads.append({k: facts[k] for k in _SHOWN})
                        done = cut(path, Path(spare, "cut"), table, shown(name)) if release else _copy(path, draft)
                except InputError as error:
                    status = status_of(error.__cause__)
                    if not release or status not in _NOT_THERE:
                        raise
                    pattern = f"{base}/{_fill(file_name, table, table_names, '{release}')}"
                    there = _years_there(pattern, release, allow_private_addresses)
                    raise InputError(f"there is no such release{' (or no access)' * (status == 403)}: {shown(url)} "
                                     f"gives HTTP status {status}. {there}") from error  # fmt: skip
                for part in sorted(Path(spare).glob("cut/*/*.csv")):
                    if part.name in made:
                        raise InputError(f"{part.stem} is in two releases, {made[part.name]} and {release}; give "
                                         "releases that do not overlap.")  # fmt: skip
                    made[part.name] = release
                    (draft / part.parent.name).mkdir(exist_ok=True)
                    part.rename(draft / part.parent.name / part.name)
            for told, counts in done.items():
                print(
                    f"{shown(name)}: {sum(counts.values())} rows of the {told} table, {len(counts)} years", flush=True
                )
                rows.setdefault(told, {}).update({str(year): n for year, n in sorted(counts.items())})
    licence = _LICENCES.get(urlsplit(base).hostname or "")
    return {
        "releases": list(names),
        "tables": [t for t in _TABLES if t in rows],
        "years": sorted({int(year) for counts in rows.values() for year in counts}),
        "rows": rows,
        "downloads": downloads,
    } | ({"licence": licence} if licence else {})


def _release_names(releases: Sequence[str]) -> dict[str, str]:
    """What stands in a file's name, by release; a range of years is each of its years."""
    names: dict[str, str] = {}
    for given in releases:
        release = f"{given:g}" if isinstance(given, float) else str(given).strip()
        if span := re.fullmatch("([0-9]{4})(?:-([0-9]{4}))?", release):
            years = range(int(span[1]), int(span[2] or span[1]) + 1)
            known = {str(y): str(y) for y in years if years[0] in YEARS and years[-1] in YEARS}
        else:
            texts = [m.expand(text) for pattern, text in _RELEASES.items() if (m := pattern.fullmatch(release))]
            known = {release: texts[0]} if texts else {}
        if not known:
            raise InputError(f"there can be no release {release!r}. Give years from {YEARS[0]} on (2024), ranges of "
                             "them (2020-2024), last-5-years, 1979-latest or provisional-<year>.")  # fmt: skip
        names |= known
    if not names:
        raise InputError("releases is empty; give one or more, e.g. 2024.")
    return names


def _files(
    names: Mapping[str, str],
    releases: Sequence[str],
    tables: Sequence[str],
    file_name: str,
    table_names: Mapping[str, str],
) -> dict[str, tuple[str, str]]:
    """Release and table ("" for an archive of all tables) by the name of the file that has them."""
    for what, given in {"tables": tables, "table_names": table_names}.items():
        if strange := [str(t) for t in given if t not in _TABLES]:
            raise InputError(f"{what} names {', '.join(strange)}; there are {', '.join(_TABLES)}.")
    if not tables or not file_name:
        raise InputError(f"{'file_name' if tables else 'tables'} is empty.")
    texts = names if "{release}" in file_name else {", ".join(map(str, releases)): ""}
    files: dict[str, tuple[str, str]] = {}
    for release, text in texts.items():
        for table in dict.fromkeys(tables) if "{table}" in file_name else [""]:
            name = _fill(file_name, table, table_names, text)
            if name in files:
                raise InputError(f"{shown(name)} stands for two tables, {files[name][1]} and {table}; see table_names.")
            files[name] = release, table
    return files


def _fill(file_name: str, table: str, table_names: Mapping[str, str], release: str) -> str:
    return file_name.replace("{table}", table_names.get(table, table)).replace("{release}", release)


def _digests(given: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Expected digests as ``sha256:<hex>``, by file name."""
    digests = {name: "sha256:" + text.strip().lower().removeprefix("sha256:") for name, text in given.items()}
    for name, text in digests.items():
        if name not in names:
            raise InputError(f"sha256 names {shown(name)}, which is not fetched; the files are "
                             f"{', '.join(map(shown, names))}.")  # fmt: skip
        if not re.fullmatch("sha256:[0-9a-f]{64}", text):
            raise InputError(f"sha256 of {shown(name)} is {given[name]!r}; a digest has 64 digits, 0-9 and a-f.")
    return digests


def _cache_name(url: str, name: str) -> str:
    """A file's name in the cache; of the URL's query, which may hold a token, only a digest."""
    query = url.partition("?")[2]
    return (hashlib.sha256(query.encode()).hexdigest()[:8] + "-" if query else "") + safe_name(name.partition("?")[0])


def _years_there(pattern: str, release: str, allow_private_addresses: bool) -> str:
    """A sentence that says which single years a server has, of those about the release and of the latest."""
    import httpx

    from roadsafety_components.core.connect import client

    if "{release}" not in pattern:
        return "Check base_url and file_name."
    now, asked = time.gmtime().tm_year, re.search("[0-9]{4}$", release)
    middles = {now, int(asked[0]) if asked else now}
    years = sorted({y for m in middles for y in range(m - 5, m + 4) if YEARS[0] <= y <= now})
    end = time.monotonic() + 3 * _PROBE_SECONDS

    def there(year: int) -> bool | None:
        status = 0
        for method in ("HEAD", "GET"):  # not every server knows HEAD
            if status in (200, 404, 410) or time.monotonic() > end:
                break
            with suppress(httpx.HTTPError), web.stream(method, pattern.replace("{release}", str(year))) as answer:
                status = answer.status_code
        return status == 200 if status in (200, *_NOT_THERE) else None

    with client(_PROBE_SECONDS, allow_private_addresses) as web, ThreadPoolExecutor(4) as pool:
        answers = dict(zip(years, pool.map(there, years), strict=True))
    if found := [str(year) for year, answer in answers.items() if answer]:
        return f"Single years that are there: {', '.join(found)}."
    if None in answers.values():
        return "The server could not say which years there are."
    return f"Nor are there the years {', '.join(map(str, years))}: check base_url, file_name and table_names."


def _copy(path: Path, folder: Path) -> dict[str, dict[int, int]]:
    """The revisions, which have no rows of a year, as ``revisions.csv``."""
    with (folder / "revisions.csv").open("wb") as file:
        for _, text in unpacked(path, path.name):
            shutil.copyfileobj(text, file)
    return {}
