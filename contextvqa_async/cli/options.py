"""Settings' fields in, click options out: the help text and the default stand in config and nowhere else."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

import click

from contextvqa_async.config import DEFAULT_BASE_URL, DEFAULT_MODEL, OptionKind, check_kind, flag
from contextvqa_async.errors import UsageError
from contextvqa_async.settings import GROUPS, RunOptions

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 118}
"""Each command's context settings."""

CONFIG = "contextvqa_async.config"
"""Under this name a command's context keeps which TOML file was read."""

_TITLES = dict(zip(GROUPS, ("Generation", "Pace", "Records", "Output", "Cost"), strict=True))


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
    """An option that knows its kind, and under which heading of the help it stands; read from CVQA_<NAME> too."""

    def __init__(self, *names: str, group: str = "Display", kind: OptionKind = str, **kwargs: Any) -> None:
        name = max(names, key=len).lstrip("-").replace("-", "_")
        super().__init__(names, **{"envvar": f"CVQA_{name.upper()}", **_as_click(kind), **kwargs})
        self.group = group
        self.kind = kind


def _as_click(kind: OptionKind) -> dict[str, Any]:
    """How click reads a value of this kind."""
    if isinstance(kind, tuple):
        return {"type": click.Choice(kind)}
    if kind is bool:
        return {"is_flag": True}
    if kind is Mapping:
        return {"type": click.UNPROCESSED, "callback": _parse_json, "metavar": "JSON"}
    if kind is Path:
        return {"type": str, "metavar": "PATH"}
    return {"type": kind if kind in (int, float) else str}


class GroupedCommand(click.Command):
    """A command whose help lists its options under the headings of their groups."""

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
            "--base-url", multiple=True, metavar="URL", help=f"Endpoint; repeat it for replicas [{DEFAULT_BASE_URL}]."
        ),
        _endpoint("--model", metavar="NAME", help=f"Model to ask [{DEFAULT_MODEL}]."),
        _endpoint(
            "--api-key-env",
            multiple=True,
            metavar="NAME",
            help="Variable that holds the API key [CVQA_API_KEY, …]; HOST=NAME: for that host.",
        ),
        _endpoint(
            "--header", type=_Blanks(), multiple=True, metavar="'K: V'", help="HTTP header to send; may be repeated."
        ),
        _endpoint("--simulate", kind=bool, help="Ask the embedded simulator: no key, no network, no cost."),
    ]
    return endpoint + [_option(group, each) for group in _TITLES for each in fields(group)]


def _endpoint(name: str, **kwargs: Any) -> click.Option:
    return GroupedOption(name, group="Endpoint", **kwargs)


def _option(group: type, option: Field[Any]) -> click.Option:
    kind = option.metadata["kind"]
    return GroupedOption(
        flag(option.name),
        group=_TITLES[group],
        kind=kind,
        help=option.metadata["help"],
        default=option.default,
        show_default=kind is not bool and option.default is not None,
    )


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


def _check_given(option: click.Parameter, name: str, given: Any) -> None:
    """UsageError for a value of another kind than the option's: click would make 2 of 2.7, and 1 of true."""
    kind = getattr(option, "kind", str)
    if kind is Mapping:  # a table; what else there may be, the settings refuse
        return
    for each in given if getattr(option, "multiple", False) else [given]:
        if not isinstance(each, str):  # texts are read as on the command line
            check_kind(name, each, kind if kind in (bool, int, float) else str)


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
