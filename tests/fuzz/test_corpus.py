"""Every damaged file is read right or refused with its place, in time, and nothing is left behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from roadsafety_components.core import store
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.read import load_tables
from roadsafety_components.core.validate import validate

from .corpus import CASES, PAGE, TABLES, Case, cases, page, write_base

SECONDS = 10
NOBODY = 65534


@dataclass
class Base:
    """Undamaged files, and the tables that they are."""

    folder: Path
    tables: dict[str, pa.Table]


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Base]:
    """The undamaged files of each generation that the corpus uses."""
    top = tmp_path_factory.mktemp("bases")
    found = {}
    for name in {case.base for case in cases()}:
        write_base(top / name, name)
        found[name] = Base(top / name, load_tables(str(top / name), {}))
    return found


@pytest.fixture
def folder(case: Case, bases: dict[str, Base]) -> Iterator[Path]:
    """A folder with the case's damage done, in a new one that any user may enter."""
    with tempfile.TemporaryDirectory() as new:
        Path(new).chmod(0o755)
        folder = Path(new, "data")
        shutil.copytree(bases[case.base].folder, folder)
        case.damage(folder)
        yield folder


@contextmanager
def in_time(seconds: int) -> Iterator[None]:
    """Fail what takes longer, a read that waits for ever included."""

    def over(*_: object) -> None:
        raise TimeoutError(f"not done in {seconds} s")

    usual = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, usual)


@contextmanager
def as_nobody(asked: bool) -> Iterator[None]:
    """Without the rights of root, who may read everything, if the tests are run by root."""
    root = asked and os.getuid() == 0
    if root:
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


def load(case: Case, folder: Path) -> dict[str, pa.Table]:
    """Read as the step does, write beside the folder, and give what was read."""
    files = {t: folder / f"{t}.csv" for t in TABLES} if case.artifacts else {}
    tables = load_tables("" if files else str(folder), files)
    store.write_datasets(list(tables.values()), [folder.parent / "out" / t for t in tables])
    return tables


def everything(folder: Path) -> list[Path]:
    """All that there is in the folder and beside it, and where a zip would put outside.csv."""
    outside = [folder.parents[1] / "outside.csv", Path("/tmp/outside.csv")]
    return sorted([*folder.parent.rglob("*"), *filter(Path.exists, outside)])


def damaged(*outcomes: str) -> pytest.MarkDecorator:
    """The cases with one of these outcomes."""
    named = [(f"{group}: {c.what}", c) for group, found in CASES.items() for c in found if c.outcome in outcomes]
    return pytest.mark.parametrize("case", [c for _, c in named], ids=[name for name, _ in named])


@damaged("refused")
def test_refused_with_its_place(case: Case, folder: Path) -> None:
    """An InputError of one short line that names file and place; no output, no file beside the input."""
    before = everything(folder)
    with in_time(SECONDS), as_nobody(case.as_nobody), pytest.raises(InputError) as told:
        load(case, folder)
    message = str(told.value)
    assert case.told in message
    assert message.isprintable()
    assert len(message) < 400
    assert everything(folder) == before


@damaged("read")
def test_read_as_if_undamaged(case: Case, folder: Path, bases: dict[str, Base]) -> None:
    """All three tables are those of the undamaged files, value for value; only the three outputs are new."""
    before = everything(folder)
    with in_time(SECONDS):
        tables = load(case, folder)
    for name, table in bases[case.base].tables.items():
        assert tables[name].equals(table)
    new = set(everything(folder)) - set(before)
    assert {str(path.relative_to(folder.parent)) for path in new} == {"out", *(f"out/{t}" for t in TABLES)}


@damaged("validate")
def test_read_as_it_stands(case: Case, folder: Path, bases: dict[str, Base]) -> None:
    """What is possible and not the truth is read to the letter, and touches nothing else."""
    with in_time(SECONDS):
        tables = load(case, folder)
    for name, table in bases[case.base].tables.items():
        if name != case.table:
            assert tables[name].equals(table)
        elif "*" in case.touched:
            lost = Counter(map(str, table.to_pylist())) - Counter(map(str, tables[name].to_pylist()))
            assert lost.total() == table.num_rows - tables[name].num_rows > 0
        else:
            for column in table.column_names:
                expected = table[column].to_pylist()
                if column in case.values:
                    expected[case.row - 2] = case.values[column]
                now = tables[name][column].to_pylist() if column in tables[name].column_names else None
                assert (now == expected) is (column not in case.touched), column


@pytest.mark.parametrize(
    "case", [c for c in cases() if "unknown" in c.what or "renamed that" in c.what], ids=lambda case: case.what
)
def test_columns_that_are_left_aside_are_said(case: Case, folder: Path, capsys) -> None:
    """A warning names them: one may be a column under another name."""
    load(case, folder)
    assert re.search(r"^WARNING: \w+\.csv: unknown columns left aside: [\w, ]+$", capsys.readouterr().out, re.M)


def test_keys_of_every_look_are_in_the_undamaged_files(bases: dict[str, Base]) -> None:
    """To the letter, so that a reading equal to theirs is right."""
    keys = ["201501BS70001", "201506E098757", "2015000000001", "2015123456789"]
    assert bases["legacy"].tables["vehicle"]["collision_index"].to_pylist() == keys
    references = ["010352073", "01E035207", "123456789"]
    assert bases["accident"].tables["vehicle"]["collision_ref_no"].to_pylist() == references
    assert {n: t.num_rows for n, t in bases["2024"].tables.items()}["collision"] == 120


def findings(tables: dict[str, pa.Table], folder: Path) -> dict[tuple[str, str, str], int]:
    """How many rows break a rule, by group, rule and table, in the words of ``validate_stats19``."""
    paths = {name: str(folder / f"{name}.parquet") for name in tables}
    store.write_datasets(list(tables.values()), list(paths.values()))
    asked, _ = validate(paths)
    return {(r.group, r.rule, r.table): r.count for r in asked[asked["count"] > 0].itertuples()}


@pytest.mark.parametrize("case", [c for c in cases() if c.outcome == "validate" and c.told], ids=lambda case: case.what)
def test_what_reading_cannot_see_validation_finds(
    case: Case, folder: Path, bases: dict[str, Base], tmp_path: Path
) -> None:
    """By a rule of the group that the page names, which the undamaged files do not break."""
    before = findings(bases[case.base].tables, tmp_path / "before")
    after = findings(load(case, folder), tmp_path / "after")
    assert case.told in {group for (group, *_), n in (after.items() - before.items())}


# In a process of its own

_MEASURED = """
import re, sys
from pathlib import Path
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.read import load_tables
try:
    load_tables(sys.argv[1], {})
except InputError as error:
    print(error)
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.parametrize(
    "case",
    [c for c in cases() if re.search("MB|million", c.what)],
    ids=lambda case: case.what,
)
def test_what_is_huge_does_not_fill_the_memory(case: Case, folder: Path) -> None:
    """Peak memory of the process stays under 400 MB: the libraries take 80, an archive 170, a field 50 a copy."""
    command = [sys.executable, "-c", _MEASURED, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=3 * SECONDS)
    *_, message, peak = done.stdout.splitlines()
    assert case.told in message
    assert int(peak) < 400_000


THROUGH_THE_COMMAND = (
    "a pipe that nobody writes to",
    "two quotes in different rows that make one field of all between",
    "a year that is missing",
    "zip packed with LZMA, a byte changed",
    "a number of 3 MB",
)


@pytest.mark.parametrize("case", [c for c in cases() if c.what in THROUGH_THE_COMMAND], ids=lambda case: case.what)
def test_the_command_ends_with_exit_code_2_and_one_line(case: Case, folder: Path) -> None:
    """And leaves no file."""
    before = everything(folder)
    words = f"step load_stats19 --source {folder} --collisions out/c --vehicles out/v --casualties out/k".split()
    done = subprocess.run(
        [sys.executable, "-m", "roadsafety_components.cli", *words],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=6 * SECONDS,
        env={**os.environ, "COLUMNS": "400"},
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith("Input error: ")
    assert case.told in done.stderr
    assert [p for p in everything(folder) if p.is_file() or p in before] == before


# The corpus itself


def test_a_case_is_told_once() -> None:
    """No two lines of a group have the same name, and every refusal is told in words."""
    for found in CASES.values():
        assert len({case.what for case in found}) == len(found)
    assert all(case.told for case in cases() if case.outcome == "refused")
    assert set(THROUGH_THE_COMMAND) <= {case.what for case in cases()}


def test_the_page_is_the_corpus() -> None:
    """``python -m tests.fuzz.corpus`` writes it again."""
    assert PAGE.read_text(encoding="utf-8") == page()
