"""One flat set of options, sorted into the stations' settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from os import PathLike
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from contextvqa_async.config import RetryFailed, flag
from contextvqa_async.errors import UsageError
from contextvqa_async.settings import GROUPS, RunOptions, Settings, parse_headers

ENDPOINT_OPTIONS = {"base_url", "model", "api_key", "api_key_env", "header", "simulate"}


def test_every_setting_is_an_option_and_nothing_else_is() -> None:
    """The typed keywords and the classes that check them name the same things."""
    assert set(RunOptions.__annotations__) == ENDPOINT_OPTIONS | {
        option.name for group in GROUPS for option in fields(group)
    }


KINDS = {
    bool: bool,
    int: int,
    float: float,
    str: str,
    Path: str | PathLike[str],
    Mapping: Mapping[str, Any],
    get_args(RetryFailed): RetryFailed,
}


@pytest.mark.parametrize("group", GROUPS)
def test_the_kind_that_is_checked_is_the_annotated_one(group: type) -> None:
    """And None is allowed just where it is the default."""
    annotated = get_type_hints(group)
    for option in fields(group):
        kind = KINDS[option.metadata["kind"]]
        assert annotated[option.name] == (kind | None if option.default is None else kind), option.name


def test_options_reach_the_station_that_reads_them() -> None:
    """One from each group."""
    settings = Settings.of(
        {
            "base_url": "http://localhost:1/v1",
            "seed": 7,
            "concurrency": 3,
            "limit": 9,
            "overwrite": True,
            "price_in": 1,
        },
        environ={},
    )
    assert (settings.generation.seed, settings.limits.concurrency, settings.reading.limit) == (7, 3, 9)
    assert settings.saving.overwrite
    assert settings.cost.price_in == 1


def test_dataflows_example_is_the_default() -> None:
    """Its endpoint, its model, its key variable."""
    (endpoint,) = Settings.of({}, environ={"DF_API_KEY": "k"}).endpoints
    assert (endpoint.host, endpoint.model, endpoint.api_key) == ("dashscope.aliyuncs.com", "qwen3-vl-8b-instruct", "k")


def test_replicas_each_get_their_own_hosts_key() -> None:
    """HOST=NAME names a variable for one host; the rest keep theirs."""
    settings = Settings.of(
        {"base_url": ["https://a.example/v1", "https://b.example/v1"], "api_key_env": ["b.example=B_KEY", "A_KEY"]},
        environ={"A_KEY": "a", "B_KEY": "b"},
    )
    assert [endpoint.api_key for endpoint in settings.endpoints] == ["a", "b"]


def test_a_header_of_ones_own_replaces_the_key() -> None:
    """Who sends an Authorization header needs no variable."""
    (endpoint,) = Settings.of(
        {"base_url": "https://h/v1", "header": ["Authorization: Token x", "X-Title: a: b"]}, environ={}
    ).endpoints
    assert endpoint.auth_headers == {"Authorization": "Token x", "X-Title": "a: b"}


def test_the_simulator_needs_no_key() -> None:
    """Nothing leaves the machine."""
    assert Settings.of({"simulate": True}, environ={}).simulate


@pytest.mark.parametrize("options", [{"concurency": 3}, {"base_url": ["http://h", "http://h"], "api_key": "k"}])
def test_unknown_or_doubled_options_are_refused(options: RunOptions) -> None:
    """A misspelt keyword never passes in silence."""
    with pytest.raises(UsageError, match=r"concurency|twice"):
        Settings.of(options, environ={})


def test_a_header_needs_a_colon_and_its_value_is_not_repeated() -> None:
    """What was meant as a secret is not printed back."""
    with pytest.raises(UsageError) as told:
        parse_headers(["Authorization Bearer sk-1"])
    assert "sk-1" not in str(told.value)


@pytest.mark.parametrize("name", ["header", "base_url", "api_key", "api_key_env", "simulate", "failed", "image_root"])
@pytest.mark.parametrize("value", [5, b"text", [5], {1: "a"}, object()])
def test_a_value_of_another_kind_is_told_by_its_options_name(name: str, value: Any) -> None:
    """One sentence instead of a TypeError from within; and a key of the wrong kind is not printed."""
    given: Any = {"base_url": "http://localhost/v1", name: value}
    with pytest.raises(UsageError, match=flag(name)) as told:
        Settings.of(given, environ={})
    assert name != "api_key" or repr(value) not in str(told.value)


def test_paths_may_be_paths_and_texts_may_come_one_by_one() -> None:
    """What is allowed stays allowed."""
    settings = Settings.of(
        {
            "base_url": iter(["http://localhost/v1", "http://127.0.0.1/v1"]),  # type: ignore[typeddict-item]
            "header": {"X-A": "b"},
            "failed": Path("f"),
            "image_root": Path("i"),
        },
        environ={},
    )
    assert [endpoint.headers for endpoint in settings.endpoints] == [{"X-A": "b"}] * 2


@pytest.mark.parametrize("prompt", ["", "  \n"])
def test_an_empty_prompt_is_not_the_default_one(prompt: str) -> None:
    """Who empties it by accident should hear of it before paying."""
    with pytest.raises(UsageError, match="--prompt"):
        Settings.of({"prompt": prompt, "simulate": True}, environ={})
