"""``out.run.json`` beside the output: what the rows were made with, so that no other settings are mixed in unseen.

Comes in: the fingerprint of this run's settings. Goes out: nothing, or a UsageError that names each difference.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from contextvqa_async.config import Reading
from contextvqa_async.errors import UsageError
from contextvqa_async.jsonl import dumps
from contextvqa_async.sink.outfile import replace

_SHOWN = 60


def sidecar_path(output: Path) -> Path:
    """``out.jsonl`` → ``out.run.json`` beside it; ``out.ndjson`` → ``out.ndjson-run.json``: no two share one."""
    plain = output.suffix == ".jsonl"
    return output.with_name(f"{output.stem}.run.json" if plain else f"{output.name}-run.json")


def find_sidecar(output: Path) -> Path:
    """Where the output's sidecar stands: earlier versions gave all outputs of one stem the name of the ``.jsonl``'s."""
    own, shared = sidecar_path(output), output.with_name(f"{output.stem}.run.json")
    taken = own.exists() or output.with_suffix(".jsonl").exists()
    if taken or not output.exists() or not output.stat().st_size:
        return own
    try:
        return shared if read_sidecar(shared) is not None else own
    except UsageError:
        return own


@dataclass(slots=True)
class Sidecar:
    """The file's content.

    ``earlier``: other settings that were allowed in; ``replacing``: a run with --retry-empty is writing, or was when it
    crashed, so that rows without pairs give way to those behind ``replacing_from``, the output's size when that run
    began (None: unknown, as in sidecars of earlier versions). ``failed``: the failed files that were named by hand, as
    they are found from the sidecar's folder.
    """

    fingerprint: Mapping[str, Any] = field(default_factory=dict)
    earlier: list[Mapping[str, Any]] = field(default_factory=list)
    replacing: bool = False
    replacing_from: int | None = None
    running: Mapping[str, Any] | None = None
    failed: list[str] = field(default_factory=list)

    @property
    def id_key(self) -> str:
        """The key under which the rows carry their ids."""
        return str(self.fingerprint.get("id_key", "id"))

    def write(self, path: Path) -> None:
        """Make this the file's content, durably."""
        replace(
            path,
            dumps(
                {
                    "fingerprint": self.fingerprint,
                    "earlier": self.earlier,
                    "replacing": self.replacing,
                    "replacing_from": self.replacing_from,
                    "running": self.running,
                    "failed": self.failed,
                }
            )
            + b"\n",
        )


def read_sidecar(path: Path) -> Sidecar | None:
    """The sidecar at ``path``, or None where there is none; UsageError where it is no sidecar."""
    try:
        content = orjson.loads(path.read_bytes())
        return Sidecar(
            fingerprint=dict(content["fingerprint"]),
            earlier=[dict(settings) for settings in content["earlier"]],
            replacing=bool(content["replacing"]),
            replacing_from=None if content.get("replacing_from") is None else int(content["replacing_from"]),
            running=None if content["running"] is None else dict(content["running"]),
            failed=[str(path) for path in content.get("failed", [])],
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"{path} cannot be read; remove it to go on with the rows as they are (their settings are then unknown)."
        ) from None


def sidecar_of(output: Path) -> Sidecar | None:
    """The sidecar of the output at this real path, or None where it has none; UsageError where it cannot be read."""
    return read_sidecar(find_sidecar(output))


def reading_of(settings: Mapping[str, Any]) -> Reading:
    """How rows that were made with these settings are read: the keys of their ids, answers and pairs."""
    plain = Reading()
    return Reading(
        id_key=str(settings.get("id_key", plain.id_key)),
        answer_key=str(settings.get("answer_key", plain.answer_key)),
        output_key=str(settings.get("output_key", plain.output_key)),
    )


def this_run() -> dict[str, Any]:
    """Who is running, for whoever finds the output locked."""
    return {
        "pid": os.getpid(),
        "host": platform.node(),
        "since": datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
    }


def check_same(old: Sidecar, new: Mapping[str, Any], output: Path) -> None:
    """UsageError where the rows were made with other settings than ``new``, saying which and how."""
    if new in (old.fingerprint, *old.earlier):
        return
    raise UsageError(
        f"{output} was made with other settings: {'; '.join(differences(old.fingerprint, new))}. "
        "Choose another output, or --overwrite, or --allow-mixed."
    )


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Each setting that differs, as ``name: old → new``."""
    return [
        f"{name}: {_shown(old.get(name), new.get(name))} → {_shown(new.get(name), old.get(name))}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _shown(value: Any, other: Any) -> str:
    """The value, or of a long text the part where it first differs."""
    if not isinstance(value, str) or len(value) <= _SHOWN:
        return dumps({"": value}).decode()[4:-1] if value is not None else "none"
    at = next((i for i, (a, b) in enumerate(zip(value, str(other), strict=False)) if a != b), 0)
    start = max(0, at - _SHOWN // 3)
    part = value[start : start + _SHOWN]
    return f"{'…' if start else ''}{part!r}{'…' if start + _SHOWN < len(value) else ''}"
