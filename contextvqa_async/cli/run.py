"""``cvqa-async INPUT OUTPUT``: options → settings → a run → its summary and exit code."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from contextvqa_async.cli.options import (
    CONFIG,
    HELP,
    GroupedCommand,
    GroupedOption,
    add_options,
    chosen,
    load_config,
    run_options,
)
from contextvqa_async.config import flag
from contextvqa_async.errors import UsageError
from contextvqa_async.settings import Settings

if TYPE_CHECKING:
    from contextvqa_async.items import Summary


def _display_options() -> list[click.Option]:
    return [
        GroupedOption(
            "--progress",
            kind=("auto", "rich", "plain", "none"),
            default="auto",
            show_default=True,
            help="How to show progress on stderr; auto: rich in a terminal.",
        ),
        GroupedOption("-v", "--verbose", kind=bool, help="Show each request that is tried again, and why."),
        GroupedOption("--summary-json", metavar="PATH", help="Write the closing summary to this file, too."),
        GroupedOption(
            "--config",
            metavar="FILE.toml",
            is_eager=True,
            expose_value=False,
            callback=load_config,
            help="Read options from a TOML file; flags, and variables as CVQA_MODEL, win.",
        ),
    ]


def _prompt_file() -> click.Option:
    return GroupedOption("--prompt-file", group="Generation", metavar="PATH", help="Read --prompt from a file.")


@add_options([*run_options(), _prompt_file(), *_display_options()])
@click.command("run", cls=GroupedCommand, context_settings=HELP)
@click.argument("input")
@click.argument("output")
def command(
    input: str,  # noqa: A002 - the argument's name in the help
    output: str,
    progress: str,
    verbose: bool,
    summary_json: str | None,
    prompt_file: str | None,
    **values: Any,
) -> int:
    """Ask a vision-language model about each record of INPUT; append articles and pairs to OUTPUT.

    INPUT is a JSONL file, a JSON array, a folder of images, or - for JSONL on stdin. OUTPUT is a JSONL file: what
    stands there already is not asked again, so the same command goes on after any stop. With --simulate, it needs no
    key and costs nothing.
    """
    if prompt_file is not None and _outranks("prompt_file", "prompt"):
        values["prompt"] = _read_prompt(prompt_file)
    settings = Settings.of(chosen(values))
    _check_summary(summary_json)
    with _collector_off():
        from contextvqa_async.cli.process import check_files, run_in_loop
        from contextvqa_async.display import open_display
        from contextvqa_async.summary_text import describe

    read = {"--prompt-file": prompt_file, "--config": click.get_current_context().meta.get(CONFIG)}
    check_files(input, output, settings, read=read, written={"--summary-json": summary_json})

    with open_display(progress) as display:
        summary = run_in_loop(input, output, settings, display=display, verbose=verbose)
        if summary_json:
            _write_summary(Path(summary_json), summary)
        display.conclude(describe(summary))
    return summary.exit_code


@contextmanager
def _collector_off() -> Iterator[None]:
    """Imports make objects that last: the garbage collector's walks over them, the last one at exit, cost 90 ms."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _outranks(name: str, other: str) -> bool:
    """Whether an option was given where it wins over ``other``: flags, then variables, then the TOML file."""
    ranks = [ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP]
    sources = [click.get_current_context().get_parameter_source(each) for each in (name, other)]
    own, others = (ranks.index(source) if source in ranks else len(ranks) for source in sources)
    if own == others:
        raise UsageError(f"Give {flag(other)} or {flag(name)}, not both.")
    return own < others


def _read_prompt(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--prompt-file {path} cannot be read: {error}.") from None


def _check_summary(path: str | None) -> None:
    """A run of hours should not end in telling that its summary has no place."""
    if path and not Path(path).parent.is_dir():
        raise UsageError(f"--summary-json {path} cannot be written: its folder does not exist.")
    if path and Path(path).is_dir():
        raise UsageError(f"--summary-json {path} cannot be written: it is a folder.")


def _write_summary(path: Path, summary: Summary) -> None:
    try:
        path.write_text(json.dumps(summary.as_dict(), indent=2) + "\n")  # ASCII: paths need not be UTF-8
    except OSError as error:
        raise UsageError(f"--summary-json {path} cannot be written: {error}.") from None
