"""The opt-in suite against servers that nobody here wrote: `make test-servers` installs them and names their folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

BIN = os.environ.get("CVQA_TEST_SERVERS", "")
"""Where the servers' commands lie; without it nothing here is collected."""

collect_ignore_glob = [] if BIN else ["test_*.py"]

START_SECONDS = 120.0

LITELLM = """
model_list:
  - model_name: good
    litellm_params: {model: openai/good, api_key: none, mock_response: "An article, made up.\\nQ: What?\\nA: This."}
  - model_name: too-fast
    litellm_params: {model: openai/x, api_key: none, mock_response: litellm.RateLimitError}
  - model_name: broken
    litellm_params: {model: openai/x, api_key: none, mock_response: litellm.InternalServerError}
  - model_name: too-long
    litellm_params: {model: openai/x, api_key: none, mock_response: litellm.ContextWindowExceededError}
  - model_name: paced
    litellm_params: {model: openai/x, api_key: none, mock_response: "Paced.", rpm: 5}
router_settings:
  optional_pre_call_checks: ["enforce_model_rate_limits"]
  num_retries: 0
  disable_cooldowns: true
general_settings: {master_key: sk-test-1234}
"""

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 512; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  limit_req_zone $server_name zone=pace:1m rate=20r/s;
  server {{
    listen 127.0.0.1:{port}; client_max_body_size 1m; gzip on; gzip_types text/event-stream; gzip_proxied any;
    location /v1/ {{ proxy_pass {upstream}; proxy_buffering off; }}
    location /polite/v1/ {{ limit_req zone=pace burst=3 nodelay; limit_req_status 429; proxy_pass {upstream}/v1/; }}
    location /blunt/v1/ {{ limit_req zone=pace burst=3 nodelay; proxy_pass {upstream}/v1/; }}
    location /moved/v1/ {{ return 301 /v1/; }}
    location /gone/v1/ {{ proxy_pass http://127.0.0.1:9/v1/; }}
  }}
}}
"""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: Sequence[str], health: str, log: Path) -> Iterator[None]:
    """A server's process, from the first time it answers at ``health``."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=log.parent)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers(health):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"{command[0]} does not start: {log.read_text('utf-8')[-2000:]}")
                time.sleep(0.2)
            yield
        finally:
            process.terminate()
            process.wait(20)


def answers(url: str) -> bool:
    """Whether there is an HTTP server."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError as error:
        return hasattr(error, "code")


@pytest.fixture(scope="session")
def litellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """litellm's proxy with mock models; the base URL."""
    folder, port = tmp_path_factory.mktemp("litellm"), free_port()
    config = folder / "config.yaml"
    config.write_text(LITELLM, "utf-8")
    command = [f"{BIN}/litellm", "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    with running(command, f"http://127.0.0.1:{port}/health/liveliness", folder / "log"):
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture(scope="session")
def guidellm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """guidellm's mock of vLLM; the base URL."""
    folder, port = tmp_path_factory.mktemp("guidellm"), free_port()
    command = [f"{BIN}/guidellm", "mock-server", "--port", str(port), "--ttft-ms", "20", "--itl-ms", "2"]
    with running([*command, "--output-tokens", "40"], f"http://127.0.0.1:{port}/health", folder / "log"):
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory, guidellm: str) -> Iterator[str]:
    """nginx in front of it, with a rate limit; the address without a path."""
    binary = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if binary is None:
        pytest.skip("nginx is not installed")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    folder.chmod(0o777)
    upstream = guidellm.removesuffix("/v1")
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, upstream=upstream), "utf-8")
    with running([binary, "-p", str(folder), "-c", str(config)], f"http://127.0.0.1:{port}/", folder / "log"):
        yield f"http://127.0.0.1:{port}"
