"""How the two vendors say no: status, words and code of each kind of error."""

from typing import Any, NamedTuple

OPENAI = "openai"
ANTHROPIC = "anthropic"


class Said(NamedTuple):
    """One kind of error: status, message, and what each vendor calls it."""

    status: int
    openai: str
    openai_type: str
    openai_code: str | None
    anthropic: str
    anthropic_type: str


BAD = "invalid_request_error"
KINDS: dict[str, Said] = {
    "rate_limit": Said(
        429,
        "Rate limit reached for {model} in organization org-test on requests per min (RPM): "
        "Limit 500, Used 500, Requested 1. Please try again in 120ms.",
        "requests",
        "rate_limit_exceeded",
        "This request would exceed your organization's rate limit of 50 requests per minute.",
        "rate_limit_error",
    ),
    "no_quota": Said(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
        "insufficient_quota",
        "Your credit balance is too low to access the Anthropic API.",
        "rate_limit_error",
    ),
    "no_credit_402": Said(
        402,
        "Insufficient credits. Add more credits to go on.",
        "billing_error",
        None,
        "Your credit balance is too low to access the Anthropic API.",
        "billing_error",
    ),
    "error_500": Said(
        500,
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
        None,
        "Internal server error",
        "api_error",
    ),
    "overloaded_503": Said(
        503,
        "The engine is currently overloaded, please try again later.",
        "server_error",
        "overloaded",
        "Overloaded",
        "overloaded_error",
    ),
    "overloaded_529": Said(
        529,
        "The engine is currently overloaded, please try again later.",
        "server_error",
        "overloaded",
        "Overloaded",
        "overloaded_error",
    ),
    "wrong_key": Said(
        401,
        "Incorrect API key provided: {masked}. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
        BAD,
        "invalid_api_key",
        "invalid x-api-key",
        "authentication_error",
    ),
    "leak_key": Said(
        401,
        "Incorrect API key provided: {key}.",
        BAD,
        "invalid_api_key",
        "invalid x-api-key: {key}",
        "authentication_error",
    ),
    "no_model": Said(
        404,
        "The model `{model}` does not exist or you do not have access to it.",
        BAD,
        "model_not_found",
        "model: {model}",
        "not_found_error",
    ),
    "no_thing": Said(
        404, "No such {what}: {id}", BAD, None, "{what} {id} not found", "not_found_error"
    ),
    "not_there_404": Said(404, "No such File object.", BAD, None, "Not found.", "not_found_error"),
    "queue_full": Said(
        429,
        "The queue is full.",
        BAD,
        None,
        "The requests of all open batches would be more than the queue takes.",
        "rate_limit_error",
    ),
    "bad_path": Said(
        404, "Unknown request URL: {what}", BAD, "unknown_url", "Not Found", "not_found_error"
    ),
    "context": Said(
        400,
        "This model's maximum context length is {limit} tokens. However, you requested {total} "
        "tokens ({tokens} in the messages, {more} in the completion). Please reduce the length "
        "of the messages or completion.",
        BAD,
        "context_length_exceeded",
        "prompt is too long: {tokens} tokens > {limit} maximum",
        BAD,
    ),
    "context_with_reply": Said(
        400,
        "This model's maximum context length is {limit} tokens. However, you requested {total} "
        "tokens ({tokens} in the messages, {more} in the completion). Please reduce the length "
        "of the messages or completion.",
        BAD,
        "context_length_exceeded",
        "input length and `max_tokens` exceed context limit: {tokens} + {more} > {limit}, "
        "decrease input length or `max_tokens` and try again",
        BAD,
    ),
    "bad_schema": Said(
        400,
        "Invalid schema for response_format 'reply': In context=(), 'additionalProperties' is "
        "required to be supplied and to be false.",
        BAD,
        None,
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be "
        "explicitly set to false",
        BAD,
    ),
    "malformed": Said(400, "{what}", BAD, None, "{what}", BAD),
}


def error(vendor: str, kind: str, **facts: object) -> tuple[int, dict[str, Any]]:
    """The status and the body of an error, in the words of the vendor."""
    said = KINDS[kind]
    facts.setdefault("model", "the model")
    facts.setdefault("key", "")
    if vendor == ANTHROPIC:
        told = {"type": said.anthropic_type, "message": said.anthropic.format(**facts)}
        return said.status, {"type": "error", "error": told, "request_id": "req_test"}
    param = {"bad_schema": "response_format", "context": "messages"}.get(kind)
    return said.status, {
        "error": {
            "message": said.openai.format(**facts),
            "type": said.openai_type,
            "param": param,
            "code": said.openai_code,
        }
    }


def masked(key: str) -> str:
    """The ends of a key, as OpenAI shows it."""
    return f"{key[:3]}{'*' * 8}{key[-4:]}" if len(key) > 8 else "*" * len(key)
