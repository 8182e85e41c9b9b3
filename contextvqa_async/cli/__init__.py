"""The command line: words in, an exit code out. One file a command; what they share is in options.py.

Rule: stdout is for data, stderr for people; every error of this package ends here, as one sentence and a code.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence

import click

from contextvqa_async import __version__
from contextvqa_async.cli.options import HELP
from contextvqa_async.errors import CvqaError, RunError

COMMANDS = {
    "run": "ask a model about each record (the default command)",
    "refine": "read saved raw answers again, without asking any model",
    "status": "show what an output holds",
    "verify": "check that every input record ended exactly once",
    "merge": "join outputs of one input",
    "simulate": "serve the simulated vision-language model",
}
"""Each command and what it does; its code is in the file of its name, loaded only when it is called."""

EXIT_STOPPED = 3


class _Commands(click.Group):
    """A first word that is a command's name is that command; anything else are the words of ``run``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*COMMANDS, "--help", "-h", "--version"):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        run = self.get_command(ctx, "run")
        assert run is not None  # noqa: S101 - it stands in the table above
        run.format_help(click.Context(run, info_name=ctx.info_name, **HELP), formatter)
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        formatter.write_text("'cvqa-async COMMAND --help' tells more of each, and --version which version this is.")
        formatter.write_text("Exit codes: 0 all done, 1 some failed, 2 wrong usage, 3 stopped by itself, 130 Ctrl-C.")


@click.group(cls=_Commands, context_settings=HELP)
@click.version_option(__version__, prog_name="cvqa-async")
def cli() -> None:
    """Context-based VQA data from images."""


def _take_standard_files() -> None:
    """Where a caller closed stdin, stdout or stderr, open nothing in its place.

    The output would get its number, and whoever writes to number 2 would write into the rows.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one


def _spell_out_what_cannot_be_shown() -> None:
    """Write ``\\u4e2d`` where a terminal's encoding has no such character, as Python does on stderr.

    Ids and paths may hold any character, and half a report is none.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 all done, 1 some failed, 2 wrong usage, 3 stopped, 128 and more: by a signal."""
    _take_standard_files()
    _spell_out_what_cannot_be_shown()
    try:
        code = cli.main(args=args, prog_name="cvqa-async", standalone_mode=False)
    except click.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except CvqaError as error:
        click.echo(f"Error: {error}", err=True)
        code = EXIT_STOPPED if isinstance(error, RunError) else 2
    except BrokenPipeError:
        sys.stderr.close()
        code = 1
    except OSError as error:  # errors of other files are reported where they are used: this is standard output's
        click.echo(f"Error: Standard output: {error.strerror or error}.", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is left of it is not to fail once more
        code = EXIT_STOPPED
    sys.exit(code if isinstance(code, int) else 0)
