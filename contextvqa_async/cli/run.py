"""``cvqa-async INPUT OUTPUT``: options → settings → the line, watched by a display and stoppable by signals."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import anyio
import click

from contextvqa_async.cli.options import (
    HELP,
    GroupedCommand,
    GroupedOption,
    add_options,
    chosen,
    load_config,
    run_options,
)
from contextvqa_async.errors import CvqaError, UsageError
from contextvqa_async.items import Notice, Summary
from contextvqa_async.options import Settings
from contextvqa_async.pipeline import GRACE_SECONDS, Stop
from contextvqa_async.progress import Display, describe, open_display
from contextvqa_async.run import run_line

_SIGNALS = {signal.SIGINT: ("Ctrl-C", 130), signal.SIGTERM: ("SIGTERM", 143)}


def _display_options() -> list[click.Option]:
    return [
        GroupedOption(
            "--progress",
            type=click.Choice(["auto", "rich", "plain", "none"]),
            default="auto",
            show_default=True,
            help="How to show progress on stderr.",
        ),
        GroupedOption("-v", "--verbose", is_flag=True, help="Tell of each request that is tried again."),
        GroupedOption("--summary-json", metavar="PATH", help="Write the closing summary there, too."),
        GroupedOption(
            "--config",
            metavar="FILE.toml",
            is_eager=True,
            expose_value=False,
            callback=load_config,
            help="Read options from a TOML file; flags and CVQA_ variables win.",
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
    stands there already is not asked again.
    """
    if prompt_file is not None:
        values["prompt"] = _read_prompt(prompt_file, values.get("prompt"))
    settings = Settings.of(chosen(values))
    _allow_open_files(settings.limits.concurrency * (2 if settings.simulate else 1))
    display = open_display(progress)
    try:
        summary = anyio.run(_run, input, output, settings, display, verbose, backend_options=_loop())
    except* CvqaError as faults:  # a task group's way of raising one
        raise faults.exceptions[0] from None
    finally:
        display.close()
    click.echo(describe(summary), err=True)
    if summary_json:
        _write_summary(Path(summary_json), summary)
    return summary.exit_code


def _loop() -> dict[str, Any]:
    """uvloop where it is installed: a third less CPU a streamed token."""
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return {}
    return {"use_uvloop": True}


_OTHER_FILES = 128
"""Open files beside one socket a request: the input, the output, images being read, libraries."""


def _allow_open_files(sockets: int) -> None:
    """Raise this process's soft limit as far as it takes; UsageError where the system's hard limit is lower."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = sockets + _OTHER_FILES
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise UsageError(f"--concurrency needs {wanted:,} open files, and this system allows {hard:,} (ulimit -Hn).")
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _run(source: str, output: str, settings: Settings, display: Display, verbose: bool) -> Summary:
    """Run the line while signals are obeyed and the display ticks."""
    stop = Stop()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_tick, display)
        if sys.platform != "win32":
            await tasks.start(_obey_signals, stop, display)
        summary = await run_line(source, output, settings, on_event=display, stop=stop, verbose=verbose)
        tasks.cancel_scope.cancel()
    return summary


async def _tick(display: Display) -> None:
    while True:
        display.tick()
        await anyio.sleep(0.5)


async def _obey_signals(stop: Stop, display: Display, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(*_SIGNALS) as signals:
        task_status.started()
        async for number in signals:
            name, exit_code = _SIGNALS[signal.Signals(number)]
            if not stop.draining.is_set():
                display(
                    Notice(message=f"{name}: waiting for answers in flight, {GRACE_SECONDS:.0f} s at most; again: now.")
                )
            stop.request(name, exit_code)


def _read_prompt(path: str, prompt: str | None) -> str:
    if prompt is not None:
        raise UsageError("Give --prompt or --prompt-file, not both.")
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--prompt-file {path} cannot be read: {error}.") from None


def _write_summary(path: Path, summary: Summary) -> None:
    import orjson

    try:
        path.write_bytes(orjson.dumps(summary.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    except OSError as error:
        raise UsageError(f"--summary-json {path} cannot be written: {error}.") from None
