"""How the source of core travels inside a lightweight step.

KFP ships the text of one function. ``@carries_core`` puts in front of it the plain text of just those core modules
that the function imports (and what they import), so that ``from roadsafety_components.core import split`` in a
step's body means the same in a unit test, on a laptop and in a pod with nothing of ours installed.
"""

import ast
import functools
import hashlib
import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kfp import dsl

if not hasattr(dsl, "component"):
    # KFP's runtime mode (_KFP_RUNTIME=true, as in our image) leaves the decorators out: a step is its function.
    dsl.component = lambda **_options: lambda function: function

CORE = "roadsafety_components.core"
# First line of the carried text; what runs and checks steps knows them by it.
MARK = "# The source of the core modules that this step imports, as plain text:"
_BEGIN = f"""{MARK}
# written to a temporary folder, so that the step's imports find them. A failing step ends as errors.py says.
# Comments and docstrings, but a module's first line, are left out; the project's sources have them.
import atexit, pathlib, shutil, sys, tempfile
CORE = {{}}
"""
_MODULE = "CORE[{name!r}] = r'''\n{source}'''\n"
_END = f"""FOLDER = tempfile.mkdtemp()
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
PACKAGE = pathlib.Path(FOLDER, {CORE.replace(".", "/")!r})
PACKAGE.mkdir(parents=True)
for folder in (PACKAGE, PACKAGE.parent):
    folder.joinpath("__init__.py").touch()
for name, source in CORE.items():
    PACKAGE.joinpath(name + ".py").write_text(source)
sys.path.insert(0, FOLDER)
from {CORE}.errors import end_step
sys.excepthook = end_step
"""


def carries_core(step: Any) -> Any:
    """Decorate a ``@dsl.component``: its command gets the source of the core modules that it imports.

    The step's own docstring is cut in the command, too: KFP has taken the descriptions from it already.

    Raises:
        ValueError: a core module whose text cannot be carried (not ASCII, or with ''' or a KFP placeholder in it), or
            that would mean something else without comments and docstrings.
    """
    if not hasattr(step, "component_spec"):  # runtime mode
        return step
    container = step.component_spec.implementation.container
    for source in (container.command[-1], *map(_source, core_modules(step.python_func))):
        _refuse_other_meaning(source)
    container.command[-1] = carried_source(step.python_func) + _shortened(container.command[-1])
    return step


def carried_source(function: Callable[..., Any]) -> str:
    """The text to put in front of a step's function."""
    modules = sorted(core_modules(function) | {"errors"})
    return _BEGIN + "".join(_MODULE.format(name=m, source=_shortened(_source(m))) for m in modules) + _END


def code_digest(function: Callable[..., Any]) -> str:
    """Digest of all the code that a step runs: its own and the core modules', as they are carried (16 hex digits).

    The container packaging names it in its command: KFP's cache then sees a change of code behind an unchanged image
    name, and an image that holds other code refuses the spec.
    """
    own = _shortened(textwrap.dedent(inspect.getsource(function)))
    return hashlib.sha256((carried_source(function) + own).encode()).hexdigest()[:16]


def core_modules(function: Callable[..., Any]) -> set[str]:
    """Names of the core modules that a step's function imports, and those that they import."""
    waiting = set(_imports(textwrap.dedent(inspect.getsource(function))))
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= _imports(_source(name)) - seen
    return seen


@functools.cache
def _imports(source: str) -> frozenset[str]:
    """Core modules that a text imports, at its top or within its functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == CORE:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{CORE}."):
            found.add(str(node.module).removeprefix(f"{CORE}."))
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix(f"{CORE}.") for a in node.names if a.name.startswith(f"{CORE}.")}
    return frozenset(found)


@functools.cache
def _shortened(source: str) -> str:
    """The source without comments, blank lines, docstrings (but the module's first line); a level is one blank.

    That makes room for code, and rewording them changes no step.
    """
    lines = io.StringIO(source).readlines()
    in_text: set[int] = set()  # lines that a text goes on in: their blanks are the text's
    begun: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind in ("STRING", "FSTRING_START"):  # from Python 3.12 on, an f-string is several tokens
            begun.append(token.start[0])
        if kind in ("STRING", "FSTRING_END"):
            in_text |= set(range(begun.pop(), token.end[0]))
        if token.type == tokenize.COMMENT:
            row, column = token.start
            code = lines[row - 1][:column].rstrip()
            lines[row - 1] = code + "\n" if code else ""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) or ast.get_docstring(node) is None:
            continue
        docstring = node.body[0]
        first, last = docstring.lineno - 1, docstring.end_lineno or docstring.lineno
        if isinstance(node, ast.Module) or len(node.body) == 1:
            if last - first > 1:
                lines[first] = lines[first].rstrip() + '"""\n'
            first += 1
        lines[first:last] = [""] * (last - first)
    return "".join(line if at in in_text else _narrower(line) for at, line in enumerate(lines))


def _narrower(line: str) -> str:
    code = line.lstrip(" ")
    return " " * ((len(line) - len(code)) // 4) + code if code.strip() else ""


@functools.cache
def _refuse_other_meaning(source: str) -> None:
    try:
        same = _meaning(_shortened(source)) == _meaning(source)
    except SyntaxError:
        same = False
    if not same:
        raise ValueError(f"{source[:60]!r} ... cannot be carried: without its remarks it means something else.")


def _meaning(source: str) -> str:
    """What Python makes of a text, its docstrings apart."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


@functools.cache
def _source(module: str) -> str:
    spec = find_spec(f"{CORE}.{module}")
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no module {CORE}.{module} to carry.")
    source = Path(spec.origin).read_text(encoding="utf-8")
    for what, found in {
        "characters that are not ASCII": not source.isascii(),
        "''', which would end the carried text": "'''" in source,
        "a KFP placeholder": "{{$" in source,
        "no line end at its end": not source.endswith("\n"),
    }.items():
        if found:
            raise ValueError(f"{module}.py cannot be carried in a step: it holds {what}.")
    return source
