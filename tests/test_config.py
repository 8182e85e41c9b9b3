"""Settings: every wrong value is told by its option's name; no key goes to a host it was not made for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contextvqa_async.config import Cost, Endpoint, Generation, Limits, Reading, Saving, find_api_key
from contextvqa_async.errors import UsageError

DASHSCOPE = "https://dashscope.aliyuncs.com/compatible-mode/v1"


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://h/v1", "http://h/v1/chat/completions"),
        ("http://h:8000/v1/", "http://h:8000/v1/chat/completions"),
        ("https://h/api/paas/v4", "https://h/api/paas/v4/chat/completions"),
        ("https://h", "https://h/chat/completions"),
        ("https://h/v1/chat/completions", "https://h/v1/chat/completions"),
        (
            "https://r.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
            "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
        ),
        ("https://h/v1/chat/completions?a=b", "https://h/v1/chat/completions?a=b"),
        ("  http://[::1]:80/v1 ", "http://[::1]:80/v1/chat/completions"),
    ],
)
def test_every_documented_form_of_a_base_url_leads_to_chat_completions(base_url: str, url: str) -> None:
    """The path is completed once, and the query stays."""
    assert Endpoint(base_url=base_url).url == url


@pytest.mark.parametrize(
    "base_url",
    ["", "ftp://h/v1", "h/v1", "http://", "http://h:port/v1", "http://[::1/v1", "http://a b/v1", "http://a..b/v1"],
)
def test_what_is_no_http_address_is_refused(base_url: str) -> None:
    """The message names the option."""
    with pytest.raises(UsageError, match="--base-url"):
        Endpoint(base_url=base_url)


def test_azure_gets_its_own_key_header_and_others_a_bearer() -> None:
    """And no key means no header at all."""
    assert Endpoint(base_url="https://r.openai.azure.com/openai/v1", api_key="k").auth_headers == {"api-key": "k"}
    assert Endpoint(base_url="https://h/v1", api_key="k").auth_headers == {"Authorization": "Bearer k"}
    assert Endpoint(base_url="https://h/v1").auth_headers == {}


def test_a_key_is_in_no_repr() -> None:
    """Whatever prints an endpoint prints no secret."""
    endpoint = Endpoint(base_url="https://user:pw@h/v1?sig=s", api_key="sk-secret", headers={"X": "topsecret"})
    assert "secret" not in repr(endpoint)
    assert endpoint.label == "https://h"


@pytest.mark.parametrize("key", ["sk-\n1", "sk-é", "a\x00b"])
def test_a_key_that_no_header_can_carry_is_told_at_the_start(key: str) -> None:
    """It would fail in each request."""
    with pytest.raises(UsageError, match="header"):
        Endpoint(base_url="https://h", api_key=key)


def test_keys_go_only_to_the_hosts_they_were_made_for() -> None:
    """The general variables serve every host, the providers' own only their hosts."""
    env = {"OPENAI_API_KEY": "o", "DASHSCOPE_API_KEY": "d"}
    assert find_api_key("https://api.openai.com/v1", env) == "o"
    assert find_api_key(DASHSCOPE, env) == "d"
    assert find_api_key("https://api.openai.com/v1", env | {"DF_API_KEY": "df"}) == "df"
    assert find_api_key("https://api.openai.com/v1", env | {"DF_API_KEY": "df", "CVQA_API_KEY": "c"}) == "c"
    for host in ("https://api.openai.com.evil.example/v1", "https://evil-aliyuncs.com/v1", "https://h/v1"):
        with pytest.raises(UsageError, match=r"CVQA_API_KEY.*--simulate"):
            find_api_key(host, env)


def test_a_named_variable_is_the_only_one_looked_at() -> None:
    """--api-key-env NAME that is unset is an error, even on this machine."""
    assert find_api_key("https://h/v1", {"MINE": " k \n", "CVQA_API_KEY": "c"}, "MINE") == "k"
    with pytest.raises(UsageError, match="MINE"):
        find_api_key("http://localhost/v1", {"CVQA_API_KEY": "c"}, "MINE")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.8.9.1", "a.localhost"])
def test_this_machine_needs_no_key(host: str) -> None:
    """A local server is asked without any header."""
    assert find_api_key(f"http://{host}:8000/v1", {}) is None


@pytest.mark.parametrize(
    ("group", "wrong"),
    [
        (Limits, {"concurrency": 0}),
        (Limits, {"concurrency": 100_000}),
        (Limits, {"rpm": 0}),
        (Limits, {"timeout": float("nan")}),
        (Limits, {"stall_timeout": -1}),
        (Limits, {"max_attempts": True}),
        (Generation, {"temperature": -0.1}),
        (Generation, {"top_p": 0}),
        (Generation, {"extra_body": ["a"]}),
        (Generation, {"extra_body": {"messages": []}}),
        (Reading, {"limit": -1}),
        (Saving, {"retry_failed": "some"}),
        (Cost, {"max_cost": 1.0}),
    ],
)
def test_a_wrong_value_is_told_by_its_options_name(group: Any, wrong: dict[str, Any]) -> None:
    """Each sentence holds the flag that the user wrote."""
    (name,) = wrong
    with pytest.raises(UsageError, match="--" + name.replace("_", "-")):
        group(**wrong)


def test_the_failed_file_stands_beside_the_output() -> None:
    """``out.jsonl`` → ``out.failed.jsonl``."""
    assert Saving().failed_path(Path("a/out.jsonl")) == Path("a/out.failed.jsonl")
    assert Saving(failed="f").failed_path(Path("a/out.jsonl")) == Path("f")


def test_cost_is_counted_per_million_tokens() -> None:
    """No price, no cost."""
    assert Cost(price_in=2.0, price_out=8.0).of(500_000, 250_000) == 3.0
    assert Cost(price_in=2.0).of(500_000, 250_000) == 1.0
    assert Cost().of(1, 1) is None


@pytest.mark.parametrize(
    ("group", "given"),
    [
        (Reading, {"limit": 2.5}),
        (Reading, {"limit": True}),
        (Limits, {"concurrency": 2.5}),
        (Limits, {"timeout": None}),
        (Generation, {"seed": 2**63}),
        (Generation, {"max_tokens": 2**63}),
        (Generation, {"no_stream": "no"}),
        (Generation, {"system_prompt": None}),
        (Generation, {"prompt": "half \ud800"}),
        (Generation, {"extra_body": {"seed": 2**64}}),
        (Generation, {"extra_body": {"stop": "\udfff"}}),
        (Saving, {"overwrite": "no"}),
    ],
)
def test_a_value_of_another_kind_is_told_by_its_options_name(group: type, given: dict[str, Any]) -> None:
    """Half a limit is never reached, "no" is true, and what no request can carry would fail every record."""
    (name,) = given
    with pytest.raises(UsageError, match="--" + name.replace("_", "-")):
        group(**given)


@pytest.mark.parametrize(
    "keys",
    [
        {"answer_key": "x", "output_key": "x"},
        {"id_key": "vqa"},
        {"answer_key": "id"},
        {"output_key": "generation"},
        {"id_key": "generation"},
    ],
)
def test_no_key_of_a_row_overwrites_another(keys: dict[str, Any]) -> None:
    """The raw answer, which was paid for, would be gone."""
    with pytest.raises(UsageError, match="--answer-key"):
        Reading(**keys)


@pytest.mark.parametrize("name", ["", "A B", "A:", "Ä", "Content-Length", "transfer-encoding"])
def test_a_header_that_no_request_can_carry_is_told_at_the_start(name: str) -> None:
    """Otherwise each record would be refused for it."""
    with pytest.raises(UsageError, match="header"):
        Endpoint(base_url="http://h/v1", headers={name: "x"})


def test_an_ipv6_endpoint_is_told_as_it_is_typed() -> None:
    """Without the brackets its port could not be told from its address."""
    assert Endpoint(base_url="http://[::1]:8000/v1").label == "http://[::1]:8000"
