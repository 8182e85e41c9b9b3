"""Bytes → answer: framing, chunk shapes, and the fast path that must not be told from the slow one."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from server import DONE, chunk, completion, event, finish, good, usage

from contextvqa_async.client.inflate import Unreadable, decoder
from contextvqa_async.errors import Kind
from contextvqa_async.sse import Answer, Decoder, TooLong
from contextvqa_async.sse.template import learn


def read(data: bytes, size: int | None = None, *, fast: bool = True) -> Answer:
    """The answer in these bytes, fed in pieces of ``size``; ``fast`` False: without any template."""
    answer = Answer()
    incoming = Decoder(answer)
    if not fast:
        incoming._lessons = 0
    for start in range(0, len(data), size or len(data) or 1):
        incoming.feed(data[start : start + (size or len(data))])
    incoming.finish()
    return answer


def state(answer: Answer) -> tuple[object, ...]:
    """All that an answer holds."""
    reasoning = "".join(answer._reasoning)
    return (
        answer.text,
        reasoning,
        answer.finish,
        answer.usage,
        answer.done,
        answer.error,
        answer.refusal,
        answer.tools,
    )


BOTH = pytest.mark.parametrize("size", [None, 1, 2, 3, 7, 64, 300, 1000])


@BOTH
def test_f17_the_cut_of_the_bytes_never_matters(size: int | None) -> None:
    """One read or one byte a read give the same text (F-04, F-17)."""
    answer = read(good('A "quoted" 世界 \\ text\n— with 🎉 and tab\t.'), size)
    assert answer.text == 'A "quoted" 世界 \\ text\n— with 🎉 and tab\t.'
    assert (answer.finish, answer.done, answer.tokens("completion_tokens")) == ("stop", True, 5)


@BOTH
def test_f01_data_without_space(size: int | None) -> None:
    """The space after the colon is optional."""
    assert read(good("a b").replace(b"data: ", b"data:"), size).text == "a b"


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
@BOTH
def test_f02_any_line_end(size: int | None, end: bytes) -> None:
    """CRLF and CR alone, also where a read ends between CR and LF."""
    assert read(good("a b c d").replace(b"\n", end), size).text == "a b c d"


@BOTH
def test_f02_line_ends_may_be_mixed(size: int | None) -> None:
    """A proxy's comments end otherwise than the server's data."""
    data = b": PROCESSING\r\n\r\n" + chunk("a") + b": PROCESSING\r\n\r\n" + chunk("b") + chunk("c") + finish() + DONE
    assert read(data, size).text == "abc"


@BOTH
def test_f03_other_separators_are_text(size: int | None) -> None:
    """U+2028, U+0085 and a form feed are legal inside a JSON string, and end no line."""
    text = "a\u2028b\u0085c\x1cd\x0ce"
    data = good("x") + b""
    data = chunk(text).replace(b"\\u001c", b"\x1c").replace(b"\\f", b"\x0c") + chunk("!") + finish() + DONE
    assert read(data, size).text == text + "!"


@BOTH
def test_f04_bad_utf8_is_replaced(size: int | None) -> None:
    """It crashes nothing."""
    assert read(chunk("aXb").replace(b"X", b"\xff") + chunk("c") + finish(), size).text == "a\ufffdbc"


@BOTH
def test_f06_a_bom_is_stripped(size: int | None) -> None:
    """The first event behind it counts."""
    assert read(b"\xef\xbb\xbf" + good("a b"), size).text == "a b"


@BOTH
def test_f07_f08_f09_comments_pings_and_unknown_fields(size: int | None) -> None:
    """None of them is an answer, nor in the way of one."""
    noise = b': keep-alive\n\nevent: ping\ndata: {"type": "ping"}\n\ndata:\n\ndata: \n\nid: 1\nretry: 100\nfoo\n\n\n\n'
    assert (
        read(noise + chunk("a") + noise + chunk("b") + chunk("c") + noise + finish() + noise + DONE, size).text == "abc"
    )


def test_f08_noise_is_no_progress() -> None:
    """Pings, roles and comments do not move a deadline; text, reasoning and the end do."""
    incoming = Decoder(Answer())
    for noise in (
        b"\n",
        b": ping\n\n",
        b'data: {"type":"ping"}\n\n',
        chunk("", delta={"role": "assistant"}),
        chunk(""),
    ):
        assert not incoming.feed(noise)
    for payload in (chunk("a"), chunk("b"), chunk("c"), chunk(delta={"reasoning": "hm"}), finish()):
        assert incoming.feed(payload)
    assert not incoming.feed(chunk(""))
    assert not incoming.feed(DONE)


def test_f09_sglangs_named_event() -> None:
    """The name is ignored unless it is error."""
    answer = read(b'event: sglext_ids\ndata: {"id":"1","choices":[],"sglext":{}}\n\n' + good("a"))
    assert (answer.text, answer.error) == ("a", None)


@pytest.mark.parametrize(
    "done", [b"data: [DONE]", b"data:[DONE]", b"data: [DONE]\r\n\r\n", b"data: [DONE] \n\n", b"data: [DONE]\r"]
)
@BOTH
def test_f12_every_form_of_done(done: bytes, size: int | None) -> None:
    """With or without newline, space, CR."""
    assert read(chunk("a") + done, size).done


def test_f12_what_follows_done_is_ignored() -> None:
    """Even an error."""
    answer = read(good("a") + event({"error": "late"}) + chunk("b"))
    assert (answer.text, answer.error) == ("a", None)


def test_f13_a_cut_tail_is_dropped() -> None:
    """Half an event at the end is no event, and no error."""
    answer = read(chunk("a") + chunk("b")[:-20])
    assert (answer.text, answer.error, answer.finish) == ("a", None, None)


@BOTH
def test_f16_several_data_lines(size: int | None) -> None:
    """They join with a newline; without the blank line between events each line is tried alone."""
    one = chunk("a").replace(b',"model"', b',\ndata: "model"')
    two = chunk("b").replace(b"\n\n", b"\n") + chunk("c")
    assert read(one + two + finish(), size).text == "abc"


def test_f18_bounds() -> None:
    """An event of 5 MB is read; an endless one, or an endless body, is not held."""
    assert len(read(chunk("x" * 5_000_000), 65536).text) == 5_000_000
    for endless in (b"data: " + b"x" * 2**20, b"data: x\n" * 2**17):
        with pytest.raises(TooLong):
            feed_often(Decoder(Answer()), endless, 80)


def feed_often(incoming: Decoder, data: bytes, times: int) -> None:
    """The same bytes again and again."""
    for _ in range(times):
        incoming.feed(data)


@BOTH
def test_f14_a_json_body(size: int | None) -> None:
    """Whole, behind blank lines (F-20), and even one chunk a line."""
    assert read(b"\n\n\n" + json.dumps(completion("Hi")).encode(), size).text == "Hi"
    lines = b"".join(part[6:-1] for part in (chunk("a"), chunk("b"), finish()))
    assert read(lines, size).text == "ab"


def test_a_whole_body_is_its_own_end() -> None:
    """A completion without a finish reason is not truncated."""
    assert read(json.dumps(completion("Hi", finish=None)).encode()).fault("") is None


def choices(*found: object, **more: Any) -> bytes:
    """An event with these choices."""
    return event({"choices": list(found)} | more)


def test_c01_empty_choices() -> None:
    """Azure's first chunk, and usage-only ones."""
    azure = {"choices": [], "id": "", "model": "", "prompt_filter_results": [{"prompt_index": 0}]}
    answer = read(event(azure) + event(azure | {"choices": None}) + good("a"))
    assert (answer.text, answer.model) == ("a", "m")


def test_c02_the_last_usage_wins_whole() -> None:
    """Null on all but the last, or cumulative in each: never summed."""
    counts = [{"prompt_tokens": 1, "completion_tokens": n} for n in range(4)]
    answer = read(b"".join(chunk("a", usage=count) for count in counts) + chunk("b", usage=None) + finish() + DONE)
    assert (answer.text, answer.tokens("completion_tokens")) == ("aaaab", 3)


@pytest.mark.parametrize(
    "end",
    [
        chunk(finish="stop", usage={"prompt_tokens": 7}),
        finish() + usage(7),
        chunk(finish="stop", x_groq={"usage": {"prompt_tokens": 7}}),
        choices({"index": 0, "delta": {}, "finish_reason": "stop", "usage": {"prompt_tokens": 7}}),
    ],
)
def test_c03_where_usage_sits(end: bytes) -> None:
    """Top level, its own chunk, x_groq, the choice."""
    assert read(chunk("a") + end + DONE).tokens("prompt_tokens") == 7


def test_c04_counts_are_read_defensively() -> None:
    """Strings, floats, nulls and missing objects."""
    counts = {"prompt_tokens": "12", "completion_tokens": 3.0, "total_tokens": None, "completion_tokens_details": None}
    answer = read(chunk("a", usage=counts | {"reasoning_tokens": 2}))
    assert (answer.tokens("prompt_tokens"), answer.tokens("completion_tokens"), answer.reasoning_tokens) == (12, 3, 2)
    assert answer.tokens("total_tokens") is None
    odd = read(chunk("a", usage={"prompt_tokens": "many", "completion_tokens": True, "x": -1, "y": "inf"}))
    assert [odd.tokens(key) for key in ("prompt_tokens", "completion_tokens", "x", "y")] == [None] * 4


def test_c05_null_deltas() -> None:
    """Null, missing, or not an object."""
    odd = [{"index": 0, "delta": None}, {"index": 0}, {"index": 0, "delta": []}, None, "x"]
    answer = read(
        b"".join(choices(each) for each in odd) + chunk("a") + choices({"delta": None, "finish_reason": "stop"})
    )
    assert (answer.text, answer.finish) == ("a", "stop")


def test_c06_a_message_counts_only_without_deltas() -> None:
    """Otherwise the text would double."""
    both = {"index": 0, "delta": {"content": "a"}, "message": {"content": "a"}}
    assert read(choices(both) + choices(both | {"finish_reason": "stop"})).text == "aa"
    assert read(choices({"message": {"content": "whole"}, "finish_reason": "stop"})).text == "whole"


def test_c08_content_as_parts() -> None:
    """Text goes to the text, thinking to the reasoning."""
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "The user"}]}]
    data = chunk(delta={"content": thought}) + chunk(delta={"content": [{"type": "text", "text": "4"}]}) + finish()
    answer = read(data)
    assert (answer.text, "".join(answer._reasoning)) == ("4", "The user")


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
@BOTH
def test_c09_reasoning_is_kept_apart(key: str, size: int | None) -> None:
    """Its key is one of two, and null or missing otherwise (C-07, C-23)."""
    thoughts = [chunk(delta={"role": None, "content": None, key: word}) for word in ("We ", "think ", "so")]
    texts = [chunk(delta={"content": word, key: None}) for word in ("a", "b", "c")]
    answer = read(b"".join((*thoughts, *texts, finish())), size)
    assert (answer.text, "".join(answer._reasoning), answer.thought) == ("abc", "We think so", True)


@pytest.mark.parametrize("text", ["<think>hm\n</think>\n\nArticle", "hm</think>Article", "\n<think>hm</think>Article"])
def test_c09_thoughts_inside_the_text(text: str) -> None:
    """Also where a template had opened them already."""
    assert read(chunk(text) + finish()).text == "Article"


def test_c09_a_mention_of_thoughts_is_text() -> None:
    """Also beside reasoning that came apart."""
    text = "Its thoughts end in the tag </think> and are shown.\n\nQ1: Which tag?\nA1: </think>\n"
    assert read(chunk(text) + finish()).text == text
    answer = read(chunk(delta={"reasoning_content": "hm"}) + chunk("It ends.\n</think>\n\nSo.") + finish())
    assert (answer.text, "".join(answer._reasoning)) == ("It ends.\n</think>\n\nSo.", "hm")


@pytest.mark.parametrize("text", ["◁think▷hm◁/think▷Article", "[THINK]hm[/THINK]\nArticle", "hm◁/think▷Article"])
def test_c09_thoughts_in_the_marks_of_other_families(text: str) -> None:
    """They are reasoning too."""
    answer = read(chunk(text) + finish())
    assert (answer.text, "".join(answer._reasoning)) == ("Article", "hm")


def test_c09_a_thought_without_end_is_no_text() -> None:
    """All of it was reasoning."""
    answer = read(chunk("<think>hm and so") + finish("length"))
    assert answer.text == ""
    assert (fault := answer.fault("")) is not None
    assert fault.kind is Kind.LENGTH


def test_c11_c12_text_in_the_finish_chunk_and_a_second_finish() -> None:
    """Text is read first; the first reason wins, and what comes between still counts."""
    answer = read(chunk("a", "stop") + chunk("", "length") + usage())
    assert (answer.text, answer.finish, answer.tokens("prompt_tokens")) == ("a", "stop", 10)


@pytest.mark.parametrize("reason", ["null", "None", "none", "", " NULL ", "undefined", None, False])
@pytest.mark.parametrize("made", [good, lambda text: event({"choices": [{"message": {"content": text}}]})])
@BOTH
def test_a_reason_that_says_none_is_none(reason: object, made: Any, size: int | None) -> None:
    """Spelt out in each chunk it ends nothing: the stream is not complete before its end, and truncated without."""
    begun = b"".join(chunk(word, reason) for word in ("a", "b", "c"))  # type: ignore[arg-type]
    answer = read(begun, size)
    assert (answer.text, answer.complete, answer.finish_reason) == ("abc", False, None)
    assert (fault := answer.fault("")) is not None
    assert fault.kind is Kind.TRUNCATED
    assert read(begun + finish(), size).fault("") is None
    assert read(begun + DONE, size).warnings() == ("no_finish_reason",)


@pytest.mark.parametrize("text", [{"content": "b"}, {"reasoning_content": "b"}, {"content": [{"text": "b"}]}])
@BOTH
def test_text_after_a_finish_reason_takes_it_back(text: dict[str, Any], size: int | None) -> None:
    """Only [DONE], or the end of a body of known length, tells then that it is all there."""
    each = chunk("a", "stop") + chunk(delta=text, finish="stop")
    assert not read(each, size).complete
    for whole in (chunk("a", "stop") + chunk(delta=text), each, chunk("a") + finish() + chunk(delta=text) + finish()):
        assert (fault := read(whole, size).fault("")) is not None
        assert fault.kind is Kind.TRUNCATED
        assert read(whole + DONE, size).fault("") is None
    assert read(each + chunk("c", "length") + DONE, size).finish_reason == "length"


def test_text_after_a_finish_reason_and_the_announced_end() -> None:
    """The end of the message's own framing is as good as [DONE]."""
    answer = Answer()
    incoming = Decoder(answer)
    incoming.feed(chunk("a", "stop") + chunk("b", "stop"))
    answer.ended = True
    incoming.finish()
    assert (answer.text, answer.fault("")) == ("ab", None)


def messages(*texts: Any) -> bytes:
    """A stream whose chunks carry messages, the last with the finish reason."""
    parts = [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": None} for text in texts]
    parts[-1]["finish_reason"] = "stop"  # type: ignore[assignment]
    return b"".join(map(choices, parts)) + DONE


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        (["Q1: a", "\nA1", ": b"], "Q1: a\nA1: b"),
        (["1", "18", "74 and ", "more"], "11874 and more"),
        (["", "a", "", "b", None, "c"], "abc"),
        ([[{"text": "a"}], [{"text": "b"}]], "ab"),
        (["ab", "c"], "abc"),
        (["a", "ab", "abc"], "abc"),
        (["", "a", "a", "ab "], "ab "),
        (["a ", "a b ", "a b c ", "a b c"], "a b c"),
        (["abc"], "abc"),
        (["abc", "abc"], "abc"),
        (["abc", ""], "abc"),
    ],
)
@BOTH
def test_c06_messages_in_place_of_deltas(texts: list[Any], text: str, size: int | None) -> None:
    """Pieces are joined; where each goes on from the one before, the last is the whole."""
    answer = read(messages(*texts), size)
    assert (answer.text, answer.fault("")) == (text, None)


def test_c06_a_message_that_repeats_the_deltas() -> None:
    """It is left out, also behind the finish reason."""
    whole = choices({"index": 0, "message": {"content": "ab"}, "finish_reason": None})
    answer = read(chunk("a") + chunk("b") + finish() + whole)
    assert (answer.text, answer.finish_reason, answer.fault("")) == ("ab", "stop", None)


def test_c14_only_choice_0() -> None:
    """Others are left out, and told; without an index the first is meant."""
    one, two = ({"index": n, "delta": {"content": str(n)}, "finish_reason": None} for n in (0, 1))
    answer = read(
        choices(one, two) + choices(two) + choices(two, one) + choices({"delta": {"content": "x"}}) + finish()
    )
    assert (answer.text, answer.warnings()) == ("00x", ("several_choices",))


def test_c20_words_for_the_end() -> None:
    """Every provider's word in ours; unknown ones stay, with a warning."""
    words = {"end_turn": "stop", "COMPLETE": "stop", "MAX_TOKENS": "length", "model_length": "length", "odd": "odd"}
    for word, ours in words.items():
        answer = read(chunk("a", word))
        assert (answer.finish_reason, answer.fault("")) == (ours, None)
    assert answer.warnings() == ("unknown_finish_reason",)


def test_surrogates_cut_apart_are_joined() -> None:
    """Half a pair an event; one that stays alone is replaced."""
    halves = [chunk("X").replace(b"X", half) for half in (rb"\ud83d", rb"\ude00", rb"\ud83d")]
    assert read(chunk("a") + b"".join(halves) + finish()).text == "a😀\ufffd"


def test_nothing_breaks_the_reading() -> None:
    """Numbers, strings, deep nesting, wrong types everywhere."""
    odd = [
        b"1",
        b'"x"',
        b"null",
        b"[]",
        b"[[]]",
        b"{}",
        b"[" * 3000 + b"]" * 3000,
        b'{"choices":{}}',
        b'{"choices":[[]]}',
    ]
    odd += [b'{"choices":[{"index":"0","delta":{"content":5}}]}', b'{"choices":[{"finish_reason":7}]}', b'{"usage":5}']
    deep = b'{"type":"thinking","thinking":[' * 500 + b"]}" * 500
    odd += [b'{"error":' + b"[" * 900 + b"]" * 900 + b"}", b'{"choices":[{"delta":{"content":[' + deep + b"]}}]}"]
    for value in odd:
        read(b"data: " + value + b"\n\n").fault("")
        read(value).fault("")


# The fast path.

EVENTS = st.one_of(
    st.builds(chunk, st.text(max_size=8)),
    st.builds(chunk, st.text(alphabet='"\\{}\n\u2028é/', max_size=8)),
    st.builds(lambda text: chunk(delta={"content": None, "reasoning_content": text}), st.text(max_size=4)),
    st.builds(lambda text: chunk(delta={"reasoning": text}), st.text(max_size=4)),
    st.builds(lambda text: chunk(text, usage={"prompt_tokens": len(text)}), st.text(max_size=4)),
    st.builds(lambda text: chunk(text, obfuscation="x" * len(text)), st.text(max_size=4)),
    st.builds(lambda text: chunk(text, content="decoy", metadata={"content": text}), st.text(max_size=4)),
    st.builds(lambda text: event({"content": text, "choices": [{"delta": {"content": text}}]}), st.text(max_size=4)),
    st.builds(
        lambda text: choices({"finish_reason": None, "delta": {"content": text, "refusal": None}}), st.text(max_size=4)
    ),
    st.builds(lambda text: choices({"index": 1, "delta": {"content": text}}), st.text(max_size=4)),
    st.builds(
        lambda text: choices({"index": 0, "delta": {"content": text}}, {"index": 1, "delta": {"content": "no"}}),
        st.text(max_size=4),
    ),
    st.builds(
        lambda text: event({"choices": [{"delta": {"content": text}}], "error": None, "created": 1}),
        st.text(max_size=4),
    ),
    st.builds(
        lambda text: json.dumps({"choices": [{"delta": {"content": text}}]}).encode().join((b"data:", b"\n\n")),
        st.text(max_size=4),
    ),
    st.builds(
        lambda text: (
            b"data: "
            + json.dumps({"choices": [{"delta": {"content": text}}]}, indent=1).replace("\n", " ").encode()
            + b"\n\n"
        ),
        st.text(max_size=4),
    ),
    st.sampled_from([finish(), usage(), b": ping\n\n", b"event: message\n", b"\n", b"data:\n\n", chunk("", "length")]),
    st.sampled_from([chunk("a").replace(b"a", b"\\"), chunk("a")[:-3] + b"\n\n", chunk("a").replace(b"\n\n", b"\n")]),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(EVENTS, st.integers(1, 4)), max_size=12),
    st.integers(1, 400),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_the_fast_path_cannot_be_told_from_the_slow_one(parts: list[tuple[bytes, int]], size: int, end: bytes) -> None:
    """Whatever the events, their order, their cut and their line ends."""
    data = b"".join(part * times for part, times in parts).replace(b"\n", end)
    assert state(read(data, size)) == state(read(data, fast=False)) == state(read(data))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=30), st.integers(1, 700), st.booleans())
def test_any_text_comes_through(words: list[str], size: int, ascii_only: bool) -> None:
    """Every string that JSON can carry, escaped or not."""
    dump = {"ensure_ascii": ascii_only}
    data = b"".join(
        b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": word}}]}, **dump).encode() + b"\n\n"  # type: ignore[arg-type]
        for word in words
    )
    text = "".join(words)
    if "</think" not in text and "<think" not in text:
        assert read(data, size).text == text


def test_a_template_is_learnt_where_the_text_is_and_nowhere_else() -> None:
    """Decoys before and behind it; and no template from an event that does more."""
    line = chunk("text", content="decoy", metadata={"content": "x"}).rstrip()
    template = learn(line, b"\n")
    assert template is not None
    assert template.cut_line(line) == "text"
    assert template.cut_line(line.replace(b'"text"', b'"a\\"b"')) == 'a"b'
    assert template.cut_line(line.replace(b'"text"', b'"a","b":"c"')) is None
    for more in (
        chunk("a", "stop"),
        chunk("a", usage={"x": 1}),
        chunk("a", error="x"),
        choices({"index": 1, "delta": {"content": "a"}}),
    ):
        assert learn(more.rstrip(), b"\n") is None


def test_the_fast_path_is_taken() -> None:
    """A usual stream is parsed a few times only, however long it is."""
    answer = Answer()
    calls = []
    take = answer.take

    class Counting(Answer):
        __slots__ = ()

        def take(self, chunk: object) -> bool:
            calls.append(chunk)
            return super().take(chunk)

    counting = Counting()
    incoming = Decoder(counting)
    data = good(" ".join(f"wörd{n} \\n" for n in range(1000)))
    for start in range(0, len(data), 16384):
        incoming.feed(data[start : start + 16384])
    assert len(calls) < 10
    assert take is not None


# Compression (F-19).


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(b"hello world")),
        ("x-gzip", gzip.compress(b"hello ") + gzip.compress(b"world")),
        ("deflate", zlib.compress(b"hello world")),
        ("deflate", zlib.compress(b"hello world")[2:-4]),
        ("gzip", b"hello world"),
    ],
)
def test_f19_compressed_bodies(encoding: str, data: bytes, size: int) -> None:
    """Decoded though not asked for: members in a row, both deflates, and plain text under a wrong header."""
    undo = decoder(encoding)
    assert undo is not None
    assert b"".join(undo(data[start : start + size]) for start in range(0, len(data), size)) == b"hello world"


def test_f19_what_cannot_be_decoded_is_told() -> None:
    """Another encoding, and broken data."""
    assert decoder("identity") is None
    with pytest.raises(Unreadable, match="br"):
        decoder("br")
    with pytest.raises(Unreadable, match="broken"):
        (decoder("gzip") or bytes)(gzip.compress(b"x" * 1000)[:10] + b"\xff" * 100)


def test_h13_a_compression_bomb() -> None:
    """It is not unpacked."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(200)) + packer.flush()
    with pytest.raises(Unreadable, match="64 MB"):
        (decoder("gzip") or bytes)(bomb)
