"""What the project's own source never does, and what its page of threats promises."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from roadsafety_components import components
from roadsafety_components.packaging.carry import CORE

# What loads or runs whatever it is given, by the dotted name that the source would call it by.
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle", "cPickle", "joblib", "marshal",
    "shelve", "dill", "cloudpickle", "pd.read_pickle", "yaml.load", "yaml.load_all", "yaml.unsafe_load",
    "yaml.full_load",
    "yaml.Loader", "yaml.FullLoader", "yaml.UnsafeLoader", "tempfile.mktemp", "ssl._create_unverified_context",
    "runpy", "xml", "lxml", "requests", "urllib.request.urlopen", "urlopen", "urlretrieve", "telnetlib", "ftplib",
}  # fmt: skip
# Arguments that open a door, by name and value.
DOORS = {("shell", True), ("verify", False), ("allow_pickle", True), ("trusted", True), ("check_hostname", False)}


def sources(checkout: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every module of the package and every pipeline, parsed."""
    for folder in ("src", "pipelines"):
        for file in sorted((checkout / folder).rglob("*.py")):
            yield str(file.relative_to(checkout)), ast.parse(file.read_text(encoding="utf-8"))


def safe_loader(tree: ast.Module, call: ast.Call) -> bool:
    """Whether a call names PyYAML's safe loader, in C where there is one, by name or derived."""
    safe = "getattr(yaml, 'CSafeLoader', yaml.SafeLoader)"
    names = {
        ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value and ast.unparse(node.value) == safe
    }
    names |= {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and [ast.unparse(base) for base in node.bases] == ["yaml.SafeLoader"]
    }
    given = [*call.args[1:], *(k.value for k in call.keywords if k.arg == "Loader")]
    return len(given) == 1 and ast.unparse(given[0]) in names | {safe, "yaml.SafeLoader", "yaml.CSafeLoader"}


def dangers(tree: ast.Module) -> set[str]:
    """What a module uses of the above."""
    found: set[str] = set()
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} | {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", (node.module or "").partition(".")[0]} | {alias.name for alias in node.names}
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name not in ("yaml.load", "yaml.load_all") or not safe_loader(tree, node):
                found.add(name)
            for given in node.keywords:
                if isinstance(given.value, ast.Constant) and (given.arg, given.value.value) in DOORS:
                    found.add(f"{given.arg}={given.value.value}")
        elif isinstance(node, ast.Attribute) and node not in called:
            found.add(ast.unparse(node))
    return found & (FORBIDDEN | {f"{name}={value}" for name, value in DOORS})


def test_nothing_runs_what_it_is_given(checkout: Path) -> None:
    """No eval, no pickle, no shell, no unsafe YAML, no TLS without a check, no predictable temporary name."""
    seen = {name: dangers(tree) for name, tree in sources(checkout)}
    assert len(seen) > 100
    assert {name: found for name, found in seen.items() if found} == {}


@pytest.mark.parametrize(
    "line",
    [
        "eval('1')",
        "import pickle",
        "from joblib import load",
        "import yaml; yaml.load(x)",
        "os.system('ls')",
        "import subprocess; subprocess.run('ls', shell=True)",
        "np.load(f, allow_pickle=True)",
        "httpx.get(u, verify=False)",
        "yaml.load(x, Loader=yaml.FullLoader)",
        "yaml.unsafe_load(x)",
        "skops.io.load(f, trusted=True)",
        "from urllib.request import urlopen",
    ],
)
def test_the_scan_would_see_it(line: str) -> None:
    """Each in one line."""
    assert dangers(ast.parse(line))


def test_requests_are_made_in_one_place(checkout: Path) -> None:
    """Core's one client is the one that checks addresses; no other module of core makes one of httpx."""
    makes = re.compile(r"httpx\.(Client|AsyncClient|get|stream|request|post|put|HTTPTransport)\b")
    core = checkout / "src" / Path(*CORE.split("."))
    assert [f.name for f in sorted(core.glob("*.py")) if makes.search(f.read_text())] == ["connect.py"]


def test_expressions_over_data_are_the_projects_own(checkout: Path) -> None:
    """The one call of pandas' eval has its text from a rule in the source."""
    calls = {
        name: ast.unparse(node.args[0])
        for name, tree in sources(checkout)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("eval", "query")
    }
    assert calls == {"src/roadsafety_components/core/validate.py": "rule.holds"}
    rules = ast.parse((checkout / "src/roadsafety_components/core/validate.py").read_text())
    made = [node for node in ast.walk(rules) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Rule"]
    assert made
    assert not any(isinstance(part, ast.JoinedStr) for call in made for part in ast.walk(call))


def foreign_patterns(tree: ast.Module) -> list[str]:
    """Calls of re whose pattern is neither a text, nor a name that the module alone gives a value, and no function.

    An f-string is a text if it is made when the module is imported, or of such names and what is escaped.
    """
    constants = [part for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign)) for part in ast.walk(node)]
    inner = [part for part in ast.walk(tree) if part not in constants]
    names = {part.id for part in constants if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    names -= {part.arg for part in inner if isinstance(part, ast.arg)}
    names -= {part.id for part in inner if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}

    def own(pattern: ast.expr) -> bool:
        if isinstance(pattern, ast.JoinedStr) and pattern not in constants:
            parts = [part.value for part in pattern.values if isinstance(part, ast.FormattedValue)]
            return all(own(part) or ast.unparse(part).startswith("re.escape(") for part in parts)
        return isinstance(pattern, (ast.Constant, ast.JoinedStr)) or ast.unparse(pattern) in names

    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.fullmatch(r"re\.(compile|match|fullmatch|search|subn?|split|findall|finditer)", ast.unparse(node.func))
        and not (node.args and own(node.args[0]))
    ]


def test_no_parameter_is_a_pattern(checkout: Path) -> None:
    """Regular expressions are the project's own: a user's could take forever."""
    found = {name: foreign_patterns(tree) for name, tree in sources(checkout)}
    assert {name: calls for name, calls in found.items() if calls} == {}
    assert not any("from re import" in ast.unparse(n) for _, tree in sources(checkout) for n in ast.walk(tree)
                   if isinstance(n, ast.ImportFrom))  # fmt: skip


@pytest.mark.parametrize(
    ("line", "calls"),
    [
        ("def f(rows, given): return [r for r in rows if re.search(given, r)]", 1),
        ("def f(given): return re.compile(given + '$')", 1),
        ("def f(given): return re.sub(f'^{given}', '', 'x')", 1),
        ("OWN = 'a+'\ndef f(OWN): return re.match(OWN, 'x')", 1),
        ("OWN = 'a+'\ndef f(x):\n for OWN in x: re.match(OWN, 'x')", 1),
        ("OWN = 'a+'\ndef f(x): return re.match(OWN, x)", 0),
        ("def f(given): return re.sub(f'^{re.escape(given)}', '', 'x')", 0),
        ("PARTS = ['a']\nOWN = re.compile(f\"{'|'.join(PARTS)}\")", 0),
    ],
)
def test_the_scan_for_patterns_sees_a_parameter(line: str, calls: int) -> None:
    """And lets pass what stands in the source, and what is escaped."""
    assert len(foreign_patterns(ast.parse(line))) == calls


@pytest.mark.parametrize("name", components.STEPS)
def test_a_step_installs_exact_versions_alone(name: str) -> None:
    """What pip fetches at run time in the lightweight packaging."""
    command = components.STEPS[name].component_spec.implementation.container.command
    wanted = [w for w in re.findall(r"'([^']+)'", " ".join(command[:3])) if not w.startswith("--")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*|typing-extensions.*", word) for word in wanted), wanted


# The page


def page(checkout: Path) -> dict[str, list[str]]:
    """The notes of docs/security.md, and the tests that each names."""
    text = (checkout / "docs/security.md").read_text(encoding="utf-8")
    notes = re.findall(r"^## (\d+\. .+)\n([\s\S]*?)(?=^## |\Z)", text, re.MULTILINE)
    return {title: re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", body) for title, body in notes}


def test_every_note_names_tests_that_are_there(checkout: Path) -> None:
    """A note without a test is a wish."""
    notes = page(checkout)
    assert len(notes) >= 8
    for title, named in notes.items():
        assert named, title
        for file, test in named:
            tree = ast.parse((checkout / file).read_text(encoding="utf-8"))
            tests = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")}
            assert tests
            assert not test or test in tests, f"{title}: {file}::{test}"


def test_every_security_test_is_named_by_a_note(checkout: Path) -> None:
    """And no file of tests stands beside the page."""
    named = {file for tests in page(checkout).values() for file, _ in tests}
    there = {f"tests/security/{f.name}" for f in (checkout / "tests/security").glob("test_*.py")}
    assert there <= named
