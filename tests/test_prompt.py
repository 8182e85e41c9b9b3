"""The messages of a request: what stands where, and that no text can break out of its place."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contextvqa_async.errors import Kind, RecordError
from contextvqa_async.items import Image, Record, Turn
from contextvqa_async.prompt import DEFAULT_PROMPT, build_messages
from contextvqa_async.refiner import refine

PNG = Image(media_type="image/png", base64=b"iVBORw==")
WEB = Image(url='http://x/"y".png')


def messages(*turns: tuple[str, str], images: tuple[Image, ...] = (), system: str = "") -> list[dict[str, Any]]:
    """Build, and read back."""
    record = Record(id=1, fields={}, turns=tuple(Turn(role=role, text=text) for role, text in turns))
    pieces = build_messages(record, images, system_prompt=system, prompt="Ask.")
    built: list[dict[str, Any]] = orjson.loads(b"".join(pieces))
    return built


def user(text: str) -> dict[str, Any]:
    """A text-only turn."""
    return {"role": "user", "content": text}


def test_a_record_without_a_conversation_asks_the_prompt() -> None:
    """The system prompt stands first, the images before the text."""
    assert messages(images=(PNG, WEB), system="Be kind.") == [
        {"role": "system", "content": "Be kind."},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}},
                {"type": "image_url", "image_url": {"url": 'http://x/"y".png'}},
                {"type": "text", "text": "Ask."},
            ],
        },
    ]


def test_a_text_only_record_is_plain_text() -> None:
    """No parts where there is no image: every server takes a string."""
    assert messages(("user", "Hi")) == [user("Hi")]


def test_images_go_into_the_last_user_turn() -> None:
    """Earlier turns stay plain."""
    first, answered, last = messages(("user", "One"), ("assistant", "1"), ("user", "Two"), images=(PNG,))
    assert (first, answered) == (user("One"), {"role": "assistant", "content": "1"})
    assert [part["type"] for part in last["content"]] == ["image_url", "text"]
    assert last["content"][1]["text"] == "Two"


@pytest.mark.parametrize("system", ["", "  ", "\n"])
def test_an_empty_system_prompt_sends_none(system: str) -> None:
    """Some templates refuse a system turn; '' leaves it out."""
    assert messages(("user", "Hi"), system=system) == [user("Hi")]


def test_a_records_own_system_turn_wins() -> None:
    """Wherever it stands, and also where it is empty."""
    own = messages(("user", "Hi"), ("system", "Mine."), ("system", "Also."), system="Yours.")
    assert own == [{"role": "system", "content": "Mine.\n\nAlso."}, user("Hi")]
    assert messages(("system", ""), ("user", "Hi"), system="Yours.") == [user("Hi")]


def test_the_answer_that_training_data_holds_is_dropped() -> None:
    """The model is to write it."""
    assert messages(("user", "Hi"), ("assistant", "A"), ("assistant", "B")) == [user("Hi")]


@pytest.mark.parametrize("turns", [(), (("system", "S"),), (("assistant", "A"),), (("user", ""),), (("user", " \n"),)])
def test_a_conversation_that_asks_nothing_asks_the_prompt(turns: tuple[tuple[str, str], ...]) -> None:
    """Without a user's words there is still a question."""
    assert messages(*turns)[-1] == user("Ask.")


def test_turns_of_one_role_are_joined() -> None:
    """Strict templates want user and assistant in turn."""
    assert messages(("user", "A"), ("user", "B"), ("assistant", "C"), ("user", "D")) == [
        user("A\n\nB"),
        {"role": "assistant", "content": "C"},
        user("D"),
    ]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<image>\nWhat?", "What?"),
        ("What?\n<image>", "What?"),
        ("<image><image>What?", "What?"),
        ("<image>", "Ask."),
        ("What is <b>this</b>?", "What is <b>this</b>?"),
    ],
)
def test_llavas_image_marks_are_taken_out(text: str, left: str) -> None:
    """Where there are images; a text-only record may talk about the word."""
    assert messages(("user", text), images=(PNG,))[0]["content"][-1]["text"] == left
    assert messages(("user", text))[0]["content"] == text


def test_half_a_surrogate_pair_is_the_records_fault() -> None:
    """It cannot be written as UTF-8."""
    with pytest.raises(RecordError, match="surrogate") as caught:
        messages(("user", "\ud800"))
    assert caught.value.kind is Kind.BAD_RECORD


@given(
    texts=st.lists(st.text() | st.sampled_from(['"}]}', "data:image/png;base64,", "\\", "\0"]), min_size=1, max_size=4),
    system=st.text(),
    url=st.text(min_size=1),
)
def test_no_text_breaks_out_of_its_place(texts: list[str], system: str, url: str) -> None:
    """Whatever texts hold, the messages read back are the texts that went in."""
    built = messages(*(("user", text) for text in texts), images=(PNG, Image(url=url)), system=system)
    *before, last = built
    assert [turn["role"] for turn in before] == ["system"] * bool(system.strip())
    assert all(turn["content"] == system for turn in before)
    png, web, text = last["content"]
    assert png["image_url"]["url"] == "data:image/png;base64,iVBORw=="
    assert web["image_url"]["url"] == url
    joined = "\n\n".join(texts)
    if "<image>" not in joined:
        assert text["text"] == (joined if joined.strip() else "Ask.")


def test_the_layout_that_the_default_prompt_asks_for_is_read_without_doubt() -> None:
    """A model that obeys is refined without a warning, into what it meant."""
    layout = DEFAULT_PROMPT[DEFAULT_PROMPT.index("Article: <") :]
    filled = layout.replace("<the article, in one paragraph or several>", "Pine is a wood.\n\nIt is soft.")
    for label, text in (("Q1: <question>", "Q1: Which wood is it?"), ("A1: <answer>", "A1: pine")):
        filled = filled.replace(label, text)
    for label, text in (("Q2: <question>", "Q2: How does it feel?"), ("A2: <answer>", "A2: soft")):
        filled = filled.replace(label, text)
    refined = refine(filled)
    assert refined.context == "Pine is a wood. It is soft."
    assert [(pair.question, pair.answer) for pair in refined.qas] == [
        ("Which wood is it?", "pine"),
        ("How does it feel?", "soft"),
    ]
    assert refined.warnings == ()
