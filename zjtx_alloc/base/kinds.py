"""Public functions given the wrong kind of object say which they take and which they got: one check, where names are handed out."""

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from zjtx_alloc.base.errors import KindError

_OBJECTS = ("zjtx_alloc", "pandas")  # what numbers, texts and paths hold is for each function itself to check


def with_kinds(package: str, handed_out: Callable[[str], Any]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package whose functions check the kinds of what they are given."""

    def public(name: str) -> Any:
        found = handed_out(name)
        if inspect.isfunction(found):
            found = vars(sys.modules[package])[name] = _checked(found)
        return found

    return public


@functools.cache
def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, refusing an argument of another kind than its annotation says."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            given = signature.bind_partial(*args, **kwargs).arguments
        except TypeError:  # too many arguments: Python says so itself
            return function(*args, **kwargs)
        for name, value in given.items():
            if name in (kinds := _annotated(function)):
                for one in value if signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL else (value,):
                    _check(function.__name__, name, kinds[name], one)
        return function(*args, **kwargs)

    return checked


@functools.cache
def _annotated(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function)


def _check(function: str, name: str, kind: Any, value: Any) -> None:
    takes = tuple(_kinds(kind))
    rows = [get_args(one)[0] for one in _alternatives(kind) if get_origin(one) in (list, tuple, Sequence)]
    if isinstance(value, list | tuple) and len(rows) == 1:
        for each in value:
            _check(function, name, rows[0], each)
        return
    ours = [one for one in takes if _is_object(one)]
    strict = len(ours) == len([one for one in takes if one is not type(None)])
    if not takes or isinstance(value, takes) or not (strict or _is_object(type(value))):
        return
    from zjtx_alloc.base.messages import say  # noqa: PLC0415 - pandas with it, which the names alone must not need

    parts_of = fields(value) if is_dataclass(value) else ()
    held = [part.name for part in parts_of if isinstance(getattr(value, part.name), tuple(ours))]
    described = {"takes": " 或 ".join(dict.fromkeys(map(_called, takes))), "given": type(value).__name__}
    hint = say("object.held", name=held[0]) if held else ""
    raise KindError(say("object.wrong", function=function, name=name, hint=hint, **described))


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _kinds(kind: Any) -> Iterator[type]:
    """The classes that an annotation admits; ``object`` where it says nothing of classes."""
    for one in _alternatives(kind):
        origin = get_origin(one) or one
        if origin is Literal:
            yield from map(type, get_args(one))
        else:
            yield origin if isinstance(origin, type) and origin is not Any else object


def _called(kind: type) -> str:
    return "None" if kind is type(None) else kind.__name__


def _is_object(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in _OBJECTS
