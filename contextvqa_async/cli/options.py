"""Settings' fields in, click options out: the help text and the default stand in config and nowhere else."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

import click

from contextvqa_async.config import DEFAULT_BASE_URL, DEFAULT_MODEL, check_kind, flag
from contextvqa_async.errors import UsageError
from contextvqa_async.settings import GROUPS, RunOptions

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 118}
"""Each command's context settings."""

CONFIG = "contextvqa_async.config"
"""Under this name a command's context keeps which TOML file was read."""

_TITLES = dict(zip(GROUPS, ("Generation", "Pace", "Records", "Sink", "Cost"), strict=True))


def _parse_json(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """A JSON text from the command line, or what a TOML file gave as a table."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise click.BadParameter(f"not valid JSON ({error}): {value[:80]}", ctx, param) from None


class _Blanks(click.types.StringParamType):
    """A text with blanks in it: of several in one variable, each stands on a line of its own."""

    envvar_list_splitter = "\n"


class GroupedOption(click.Option):
    """An option that knows under which heading of the help it stands; read from CVQA_<NAME> too."""

    def __init__(self, *names: str, group: str = "Display", **kwargs: Any) -> None:
        name = max(names, key=len).lstrip("-").replace("-", "_")
        kwargs.setdefault("envvar", f"CVQA_{name.upper()}")
        super().__init__(names, **kwargs)
        self.group = group


class GroupedCommand(click.Command):
    """A command whose help lists its options under the headings of DESIGN's table."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {title: [] for title in ("Endpoint", *_TITLES.values(), "Display")}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                groups[getattr(param, "group", "Display")].append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)


def run_options() -> list[click.Option]:
    """Every option of a run, in the order of the help."""
    endpoint = [
        _endpoint(
            "--base-url", multiple=True, metavar="URL", help=f"Endpoint; again for replicas [{DEFAULT_BASE_URL}]."
        ),
        _endpoint("--model", metavar="NAME", help=f"Model to ask [{DEFAULT_MODEL}]."),
        _endpoint("--api-key-env", multiple=True, metavar="NAME", help="Variable of the key; HOST=NAME for one host."),
        _endpoint("--header", type=_Blanks(), multiple=True, metavar="'K: V'", help="Header to send; again for more."),
        _endpoint("--simulate", is_flag=True, help="Ask the embedded simulator: no key, no network, no cost."),
    ]
    return endpoint + [_option(group, each) for group in _TITLES for each in fields(group)]


def _endpoint(name: str, **kwargs: Any) -> click.Option:
    return GroupedOption(name, group="Endpoint", **kwargs)


def _option(group: type, option: Field[Any]) -> click.Option:
    kind = get_type_hints(group)[option.name]
    given: dict[str, Any] = {"help": option.metadata["help"], "group": _TITLES[group], "default": option.default}
    if kind is bool:
        return GroupedOption(flag(option.name), is_flag=True, **given)
    members = set(get_args(kind)) or {kind}
    if choices := [each for each in get_args(kind) if isinstance(each, str)]:
        given |= {"type": click.Choice(choices)}
    elif simple := next((each for each in (int, float, str) if each in members), None):
        given |= {"type": simple}
    else:
        given |= {"type": click.UNPROCESSED, "callback": _parse_json, "metavar": "JSON"}
    return GroupedOption(flag(option.name), show_default=option.default is not None, **given)


def chosen(values: Mapping[str, Any]) -> RunOptions:
    """The parsed command line as keywords of ``run_async()``: what was not given is left to the defaults."""
    known = RunOptions.__annotations__
    given = {name: value for name, value in values.items() if name in known and value not in (None, ())}
    return cast(RunOptions, given)


def load_config(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    """Make the TOML file's values the defaults of this command; raises UsageError for a name it does not know."""
    if value is None:
        return
    names = {each.name: each for each in ctx.command.params if each.name}
    table = _read_toml(Path(value))
    for name, given in table.items():
        if name not in names or name == "config":
            near = get_close_matches(name, names, n=1)
            raise UsageError(f"{value} sets {name!r}, which is no option" + (f"; {near[0]!r}?" if near else "."))
        if not isinstance(given, list) and getattr(names[name], "multiple", False):
            table[name] = [given]  # one of what may be several
        _check_given(names[name], name, table[name])
    ctx.meta[CONFIG] = value
    ctx.default_map = {**(ctx.default_map or {}), **table}


_KINDS = {"boolean": "bool", "integer": "int", "float": "float"}


def _check_given(option: click.Parameter, name: str, given: Any) -> None:
    """UsageError for a value of another kind than the option's: click would make 2 of 2.7, and 1 of true."""
    if option.type is click.UNPROCESSED:
        return
    for each in given if getattr(option, "multiple", False) else [given]:
        if not isinstance(each, str):  # texts are read as on the command line
            check_kind(name, each, _KINDS.get(option.type.name, "str"))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"--config {path} cannot be read: {error}.") from None


def add_options(options: Iterable[click.Option]) -> Callable[[click.Command], click.Command]:
    """Append ``options`` to a command's own parameters."""

    def extend(command: click.Command) -> click.Command:
        command.params.extend(options)
        return command

    return extend
