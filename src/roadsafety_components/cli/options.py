"""Options that several commands share, as dataclasses: a command takes one as an argument, its user sees the fields."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_type_hints

import typer


def option(text: str, variable: str = "", name: str = "", **more: Any) -> Any:
    """A field's option, for ``Annotated``; ``variable`` is the environment variable that stands in for it."""
    return typer.Option(*([name] if name else []), envvar=variable or None, help=text, **more)


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer is to see it: each argument that is of a dataclass replaced by its fields as options."""
    signature = inspect.signature(command)
    groups: dict[str, Any] = {n: p.annotation for n, p in signature.parameters.items() if is_dataclass(p.annotation)}
    options = []
    for group in groups.values():
        hints = get_type_hints(group, include_extras=True)
        options += [
            inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, annotation=hints[f.name], default=_default(f))
            for f in fields(group)
        ]
    own = [p for p in signature.parameters.values() if p.name not in groups]

    @functools.wraps(command)
    def call(**words: Any) -> None:
        made = {n: group(**{f.name: words.pop(f.name) for f in fields(group)}) for n, group in groups.items()}
        command(**made, **words)

    call.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    return call


def _default(field_: Field[Any]) -> Any:
    if field_.default_factory is not MISSING:
        return field_.default_factory()
    return inspect.Parameter.empty if field_.default is MISSING else field_.default
