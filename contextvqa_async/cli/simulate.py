"""``cvqa-async simulate``: serve the simulated model, for this and other clients to try."""

from __future__ import annotations

import anyio
import click

from contextvqa_async.cli.options import HELP
from contextvqa_async.errors import UsageError
from contextvqa_async.simulator import SimulatorOptions, serve


@click.command("simulate", context_settings=HELP)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0: any free one.")
@click.option("--speed", default=1.0, show_default=True, help="How many times faster than a real model; inf: at once.")
@click.option("--concurrency-limit", type=click.IntRange(1), help="Answer 429 above this many requests at once.")
@click.option("--rpm", type=click.IntRange(1), help="Answer 429 above this many requests a minute.")
@click.option(
    "--error-rate", default=0.0, show_default=True, type=click.FloatRange(0, 1), help="Share of requests that fail."
)
def command(
    host: str, port: int, speed: float, concurrency_limit: int | None, rpm: int | None, error_rate: float
) -> int:
    """Serve a simulated vision-language model, OpenAI-compatible; every answer says that it is simulated."""
    options = SimulatorOptions(speed=speed, concurrency_limit=concurrency_limit, rpm=rpm, error_rate=error_rate)
    try:
        anyio.run(serve, options, host, port, _tell)
    except OSError as error:
        raise UsageError(f"{host}:{port} cannot be listened on: {error.strerror or error}.") from None
    except KeyboardInterrupt:
        return 130
    return 0


def _tell(base_url: str) -> None:
    click.echo(f"Simulated model at {base_url} (Ctrl-C ends it). Try:\n")
    click.echo(f"  cvqa-async examples/records.jsonl out.jsonl --base-url {base_url}")
