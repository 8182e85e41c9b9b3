"""Refusals of every provider → what they mean: the tables of wire quirks 3.1 and 3.2."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contextvqa_async.errors import Kind
from contextvqa_async.faults import Fault, Verdict, classify, obey_should_retry, read_error, request_id

ALIYUN = "dashscope.aliyuncs.com"
DOOM, OWN, RATE, FULL, AGAIN = Verdict.FATAL, Verdict.RECORD, Verdict.RATE, Verdict.OVERLOAD, Verdict.TRANSIENT


def fault(status: int | None, body: object, *, host: str = "h", wait: float | None = None) -> Fault:
    """What such a refusal means."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return classify(read_error(data), status=status, host=host, wait=wait)


def told(message: str = "m", **more: object) -> dict[str, object]:
    """An error in OpenAI's shape."""
    return {"error": {"message": message, **more}}


OVER_QUOTA = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "slow_down", "requests", "tokens", None])
def test_e01_openai_too_fast(code: str | None) -> None:
    """A 429 waits, also where its words mention the billing page."""
    message = "Rate limit reached. Add a payment method at https://platform.openai.com/account/billing."
    assert fault(429, told(message, code=code)).verdict is RATE


@pytest.mark.parametrize(
    "code",
    [
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_not_active",
    ],
)
def test_e01_openai_no_money(code: str) -> None:
    """A 429 that no wait mends stops the run."""
    found = fault(429, told(OVER_QUOTA, code=code, type=code))
    assert (found.kind, found.verdict) == (Kind.QUOTA, DOOM)


@pytest.mark.parametrize(
    "code",
    ["Throttling", "Throttling.RateQuota", "limit_requests", "Throttling.BurstRate", "limit_burst_rate",
     "Throttling.AllocationQuota", "insufficient_quota"],
)  # fmt: skip
def test_e01_dashscope_too_fast(code: str) -> None:
    """Also where it says what OpenAI says of money (E-02)."""
    assert fault(429, told(OVER_QUOTA, code=code), host=ALIYUN).verdict is RATE


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (429, "Throttling.AllocationQuota", "Free allocated quota exceeded."),
        (429, "CommodityNotPurchased", "m"),
        (429, "PrepaidBillOverdue", "m"),
        (429, "PostpaidBillOverdue", "m"),
        (403, "AllocationQuota.FreeTierOnly", "The free tier of the model has been exhausted."),
        (400, "Arrearage", "Access denied, please make sure your account is in good standing."),
    ],
)
def test_e01_dashscope_no_money(status: int, code: str, message: str) -> None:
    """These stop the run."""
    found = fault(status, {"code": code, "message": message, "request_id": "r"}, host=ALIYUN)
    assert (found.kind, found.verdict, found.request_id) == (Kind.QUOTA, DOOM, "r")


def test_e02_a_wait_hint_says_that_waiting_helps() -> None:
    """The same words with one are a matter of pace."""
    assert fault(429, told(OVER_QUOTA, code="insufficient_quota"), wait=20.0).verdict is RATE
    assert fault(429, told(OVER_QUOTA), wait=20.0).verdict is RATE
    assert fault(429, told(OVER_QUOTA)).kind is Kind.QUOTA


def test_e01_google() -> None:
    """One code for a minute's limit, a day's, and none at all."""

    def google(message: str) -> list[object]:
        return [told(message, code=429, status="RESOURCE_EXHAUSTED")]

    assert fault(429, google("Please retry in 55.57s"), wait=55.57).verdict is RATE
    assert fault(429, google("Quota exceeded for metric: requests, limit: 0"), wait=55.0).kind is Kind.QUOTA
    assert fault(429, google("quotaId: GenerateRequestsPerDayPerProject"), wait=55.0).kind is Kind.QUOTA


@pytest.mark.parametrize(
    ("status", "body", "kind", "verdict"),
    [
        (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "m"}}, Kind.RATE, RATE),
        (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "m",
               "details": {"error_code": "enforced_spend_limit_reached"}}}, Kind.QUOTA, DOOM),
        (402, {"type": "error", "error": {"type": "billing_error", "message": "m"}}, Kind.QUOTA, DOOM),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, Kind.SERVER, FULL),
        (429, told(type="rate_limit_reached_error"), Kind.RATE, RATE),
        (429, told(type="engine_overloaded_error"), Kind.RATE, RATE),
        (429, told(type="exceeded_current_quota_error"), Kind.QUOTA, DOOM),
        (429, told(code="RateLimitExceeded.EndpointTPMExceeded"), Kind.RATE, RATE),
        (429, told(code="ModelAccountRpmRateLimitExceeded"), Kind.RATE, RATE),
        (429, told(code="ServerOverloaded"), Kind.RATE, RATE),
        (429, told(code="QuotaExceeded"), Kind.QUOTA, DOOM),
        (429, told(code="SetLimitExceeded"), Kind.QUOTA, DOOM),
        (403, told(code="AccountOverdueError"), Kind.QUOTA, DOOM),
        (429, told(code="1302"), Kind.RATE, RATE),
        (429, told(code="1113"), Kind.QUOTA, DOOM),
        (429, told(code="1121"), Kind.QUOTA, DOOM),
        (429, told(code="1304"), Kind.QUOTA, DOOM),
        (402, told("Insufficient Balance"), Kind.QUOTA, DOOM),
        (403, told("Budget limit exceeded (monthly limit)", code=403), Kind.QUOTA, DOOM),
        (429, "", Kind.RATE, RATE),
    ],
)  # fmt: skip
def test_e01_other_providers(status: int, body: object, kind: Kind, verdict: Verdict) -> None:
    """Anthropic, Moonshot, Volcengine, Zhipu, DeepSeek, OpenRouter."""
    found = fault(status, body)
    assert (found.kind, found.verdict) == (kind, verdict)


def test_e06_402_with_a_wait_is_a_pace() -> None:
    """OpenRouter's in-flight budget."""
    assert fault(402, told(), wait=3.0).verdict is RATE


def test_e03_a_request_larger_than_the_limit() -> None:
    """No wait makes it pass; a limit that is merely used up does."""
    assert fault(429, told("Limit 30000, Requested 42288. Please try again in 2s"), wait=2.0).kind is Kind.TOO_LARGE
    assert fault(429, told("Request too large for m: Limit: 30,000, Requested: 42,288")).verdict is OWN
    assert fault(429, told("Limit 30000, Used 28039, Requested 3906."), wait=3.89).verdict is RATE


@pytest.mark.parametrize(
    "message",
    [
        "Timeout while downloading https://x/y.png.",
        "Download the media resource timed out during the data inspection process.",
    ],
)
def test_e04_i14_a_fetch_that_failed_is_asked_again(message: str) -> None:
    """A 400, but not the record's fault; a few times."""
    found = fault(400, told(message, code="invalid_image_url"))
    assert (found.verdict, found.tries) == (AGAIN, 3)


def test_e05_keys() -> None:
    """401 and a plain 403 are the key's, by_code or not."""
    assert fault(401, told(code="invalid_api_key")).verdict is DOOM
    assert fault(401, {"detail": "Unauthorized"}).kind is Kind.CREDENTIAL
    found = fault(403, told("Forbidden"))
    assert (found.kind, found.verdict, found.by_code) == (Kind.CREDENTIAL, DOOM, False)
    assert fault(400, {"code": "InvalidApiKey", "message": "m"}, host=ALIYUN).kind is Kind.CREDENTIAL


def test_e05_403_that_are_not_the_keys() -> None:
    """Moderation, length, a WAF's page, no money."""
    assert fault(403, told('Your input was flagged for "violence"', code=403)).kind is Kind.FILTERED
    assert fault(403, told("The prompt is too long: 9000 tokens")).kind is Kind.TOO_LARGE
    page = "<html><title>Attention Required! | Cloudflare</title><style>p{}</style></html>"
    assert fault(403, page).verdict is FULL
    assert fault(403, {"code": 30001, "message": "Sorry, your account balance is insufficient"}).kind is Kind.QUOTA


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, told("The model `x` does not exist or you do not have access to it.", code="model_not_found")),
        (404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404}),
        (404, {"error": {"message": 'model "x" not found, try pulling it first', "type": "api_error"}}),
        (400, told("x is not a valid model ID", code=400)),
        (400, {"code": 20012, "message": "Model does not exist. Please check it carefully.", "data": None}),
        (404, {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}),
        (400, told("litellm.BadRequestError: Invalid model name passed in model=x")),
        (404, told("Not found the model x or Permission denied", type="resource_not_found_error")),
        (403, told("Project does not have access to model x", code="model_not_found")),
    ],
)
def test_e07_an_unknown_model_stops_the_run(status: int, body: object) -> None:
    """However it is said."""
    found = fault(status, body)
    assert (found.kind, found.verdict) == (Kind.MODEL, DOOM)


def test_e07_a_bare_404_is_not_yet_the_runs_end() -> None:
    """It may be one record's; the client counts them."""
    for body in (
        {"detail": "Not Found"},
        "404 page not found",
        {"error": {"code": "404", "message": "Resource not found"}},
    ):
        assert (fault(404, body).kind, fault(404, body).verdict) == (Kind.NOT_FOUND, OWN)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(400, OWN), (408, FULL), (409, AGAIN), (413, OWN), (418, OWN), (422, OWN), (424, AGAIN), (425, AGAIN), (430, OWN),
     (434, OWN), (435, OWN), (446, OWN), (498, AGAIN), (499, AGAIN), (500, AGAIN), (501, OWN), (502, FULL), (503, FULL),
     (504, FULL), (520, FULL), (524, FULL), (529, FULL), (530, AGAIN), (599, AGAIN)],
)  # fmt: skip
def test_e08_to_e19_the_bare_status(status: int, verdict: Verdict) -> None:
    """What is left where no code and no word tells more."""
    for body in ("", told("Something"), "<html>error</html>"):
        assert fault(status, body).verdict is verdict


def test_e12_groqs_flex_capacity_is_a_pace() -> None:
    """498 with its code."""
    assert fault(498, told(code="capacity_exceeded")).verdict is RATE


@pytest.mark.parametrize("message", ["list index out of range", "Role must be in [user, assistant]"])
def test_e15_a_callers_fault_reported_as_500(message: str) -> None:
    """Asked again once only."""
    assert fault(500, told(message)).tries == 2


@pytest.mark.parametrize(
    "message",
    [
        "Total image size is 50.56MB, which exceeds the allowed limit of 50MB.",
        "Exceeded limit on max bytes per data-uri item : 10485760",
        "Multimodal file size is too large",
        "String value length (20054016) exceeds the maximum allowed (20000000)",
        "The input token count exceeds the maximum number of tokens allowed 1048576.",
        "Too many images were provided, we currently limit the number of images per conversation to 60",
        "image file size exceeds limit 32 MB",
        "Please make sure your payload is below 26214400 bytes in size",
        "At most 1 image(s) may be provided in one prompt.",
        "Image count 3 exceeds limit 2 per request.",
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context length is 4096",
    ],
)
def test_i01_too_large(message: str) -> None:
    """As often a 400 as a 413."""
    assert (fault(400, told(message)).kind, fault(400, told(message)).verdict) == (Kind.TOO_LARGE, OWN)


@pytest.mark.parametrize(
    "message",
    [
        "The image length and width do not meet the model restrictions. [height:1 or width:1 must be larger than 10]",
        "absolute aspect ratio must be smaller than 200, got 250.0",
        "The image was specified using the image/jpeg media type, but the image appears to be a image/png image",
        "invalid image input",
        "You uploaded an unsupported image. Please make sure your image is valid.",
        "Failed to load image or audio file",
        "Could not process image",
        "Failed to decode the image during the data inspection.",
        "cannot identify image file <_io.BytesIO object>",
        "base64 string of provided image cannot be decoded",
        "The image size is not supported for the data inspection.",
    ],
)
def test_i02_to_i08_bad_images(message: str) -> None:
    """The record's own, by word or by code."""
    assert (fault(400, told(message)).kind, fault(400, told(message)).verdict) == (Kind.BAD_IMAGE, OWN)
    assert fault(400, told(code="image_parse_error")).kind is Kind.BAD_IMAGE


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "At most 0 image(s) may be provided in one prompt."),
        (400, "This model does not support image input"),
        (400, "m does not support images."),
        (400, "m does not support image"),
        (500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"),
        (404, "No endpoints found that support image input"),
        (400, "unknown variant `image_url`, expected `text`"),
        (400, "m is not a multimodal model"),
    ],
)
def test_i09_a_text_only_model_stops_the_run(status: int, message: str) -> None:
    """After the first."""
    assert (fault(status, told(message)).kind, fault(status, told(message)).verdict) == (Kind.MODEL, DOOM)


@pytest.mark.parametrize(
    "message",
    [
        "This model does not support image format webp",
        "The file is not an image",
        "images larger than 5 MB are not supported",
    ],
)
def test_i09_an_image_that_is_not_supported_is_not_a_text_only_model(message: str) -> None:
    """Only its record fails."""
    assert fault(400, told(message)).verdict is OWN


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "data_inspection_failed"), (400, "DataInspectionFailed"), (400, "InputImageRiskDetection"), (400, "1301"),
     (400, "InputImageSensitiveContentDetected"), (400, "content_filter"), (400, "new_sensitive")],
)  # fmt: skip
def test_i11_moderation(status: int, code: str) -> None:
    """The record's own, terminal."""
    assert (fault(status, told(code=code)).kind, fault(status, told(code=code)).verdict) == (Kind.FILTERED, OWN)


def test_i11_moderation_in_azures_inner_error_and_in_words() -> None:
    """Where the code is deeper, or missing."""
    azure = told("The response was filtered", code="x", innererror={"code": "ResponsibleAIPolicyViolation"})
    assert fault(400, azure).kind is Kind.FILTERED
    assert fault(400, told("Content Exists Risk")).kind is Kind.FILTERED


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": {"message": "m", "type": "t", "param": None, "code": "c"}}, "m", "c"),
        ({"error": {"message": "m", "code": 429, "metadata": {"provider_name": "p"}}}, "m", "429"),
        (
            {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}},
            "Loading model",
            "unavailable_error",
        ),
        (
            {"object": "error", "message": "m", "type": "BadRequestError", "param": None, "code": 400},
            "m",
            "BadRequestError",
        ),
        (
            {
                "object": "error",
                "message": {
                    "detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]
                },
                "type": "invalid_request_error",
                "code": None,
            },
            "body.stream_options: Extra inputs",
            "extra_forbidden",
        ),
        ({"detail": [{"loc": ["body", "messages"], "msg": "Field required"}]}, "body.messages: Field required", None),
        ({"detail": "Not Found"}, "Not Found", None),
        ({"detail": {"error": {"message": "m", "code": "c"}}}, "m", "c"),
        ({"error": "Model is overloaded", "error_type": "overloaded"}, "Model is overloaded", "overloaded"),
        ({"error": "m"}, "m", None),
        ({"code": "c", "error": "m"}, "m", "c"),
        (
            [{"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": []}}],
            "m",
            "RESOURCE_EXHAUSTED",
        ),
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r"},
            "Overloaded",
            "overloaded_error",
        ),
        ({"code": 20012, "message": "Model does not exist.", "data": None}, "Model does not exist.", "20012"),
        ({"code": "InvalidApiKey", "message": "m", "request_id": "r"}, "m", "InvalidApiKey"),
        ({"message": "m", "type": "t", "param": "p", "code": "c"}, "m", "c"),
        (
            {"error": {"message": '{\n "error": {\n "code": 429, "message": "inner", "status": "X"}}', "code": 429}},
            "inner",
            "X",
        ),
        ({"errors": [{"code": 1000, "message": "m"}]}, "m", "1000"),
        ("<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway", None),
        ("Bad Gateway", "Bad Gateway", None),
        ("", "", None),
    ],
)
def test_every_shape_yields_message_and_code(body: object, message: str, code: str | None) -> None:
    """Section 3.2."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    found = read_error(data)
    assert (found.message, found.code) == (message, code)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "type", "detail", "loc", "param", "errors", "status", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([None, 200, 400, 401, 404, 429, 500]))
def test_nothing_breaks_the_reading(value: object, status: int | None) -> None:
    """Any JSON, any status: a Fault with a message that is a string."""
    found = classify(read_error(value), status=status)
    assert isinstance(found.message, str)
    assert isinstance(classify(read_error(json.dumps(value).encode()), status=status), Fault)


@given(st.binary(max_size=50))
def test_no_bytes_break_the_reading(body: bytes) -> None:
    """Nor any bytes."""
    assert isinstance(read_error(body).message, str)


def test_e34_x_should_retry() -> None:
    """False always holds; true never against a code."""
    assert obey_should_retry(fault(503, ""), "false").tries == 1
    assert obey_should_retry(fault(400, ""), "true").verdict is AGAIN
    assert obey_should_retry(fault(400, told(code="content_filter")), "true").verdict is OWN
    assert obey_should_retry(fault(500, ""), "").tries is None


def test_e35_request_ids() -> None:
    """The first three found."""
    headers = {"cf-ray": "4", "x-request-id": "1", "request-id": "3", "apim-request-id": "2", "other": "x"}
    assert request_id(headers) == "1, 2, 3"
    assert request_id({}) is None
