"""The command's help as it stands in the README: `python tests/help_in_readme.py` writes it there."""

from __future__ import annotations

from pathlib import Path

import click

from contextvqa_async.cli import cli

README = Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- help: written by `python tests/help_in_readme.py`, compared by the tests -->\n"
END = "<!-- end of help -->\n"


def rendered_help() -> str:
    """What ``cvqa-async --help`` prints on a terminal of 118 columns."""
    context = click.Context(cli, info_name="cvqa-async", terminal_width=118, max_content_width=118)
    formatter = click.HelpFormatter(width=118)
    cli.format_help(context, formatter)
    return formatter.getvalue().rstrip() + "\n"


def with_help(readme: str) -> str:
    """The README with today's help between its two marks."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}```text\n{rendered_help()}```\n{END}{after}"


if __name__ == "__main__":
    README.write_text(with_help(README.read_text("utf-8")), "utf-8")
