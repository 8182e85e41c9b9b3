"""What of an answer is its model's thinking, and what only speaks of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contextvqa_async.thoughts import split_thoughts

DRAFT = "An owl. Q1: What is it? A1: A draft."
ANSWER = "Article: The owl.\n\nQ1: What is it?\nA1: An owl."
CLOSING = ["</think>", "</thinking>", "</seed:think>", "◁/think▷", "[/THINK]", "<unused95>"]
HARMONY = "<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<think>\n", "\n</think>\n\n"),
        ("\n<think>", "</think>"),
        ("<thinking>", "</thinking> "),
        ("<thought>\n", "\n</thought>\n"),
        ("<seed:think>", "</seed:think>"),
        ("◁think▷", "◁/think▷"),
        ("[THINK]", "[/THINK]"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<unused94>thought\n", "<unused95>"),
        HARMONY,
        ("<|start|>assistant" + HARMONY[0], HARMONY[1]),
        (HARMONY[0] + "First.<|end|><|start|>assistant<|channel|>commentary<|message|>", HARMONY[1]),
        ("<think>hm</think><think>", "</think>\n"),
        ("hm\n</think>\n<think>", "</think>"),
        ("<think>\n\n</think>\n\n<think>", "</think>"),
    ],
)
@pytest.mark.parametrize("apart", [True, False])
def test_a_leading_thought_is_no_part_of_the_answer(opening: str, closing: str, apart: bool) -> None:
    """Each family has its marks; several thoughts may follow each other."""
    if apart and opening.startswith("hm"):
        return
    thoughts, answer = split_thoughts(opening + DRAFT + closing + ANSWER, apart=apart)
    assert (answer, DRAFT in thoughts) == (ANSWER, True)


@pytest.mark.parametrize("mark", CLOSING)
@pytest.mark.parametrize("around", ["\n{}\n\n", "{}", "{}\n", " \n  {}\n", " {}\n\n", "\n**Done.**{}**", "\n{} "])
def test_a_thought_that_the_template_opened_ends_at_its_mark(mark: str, around: str) -> None:
    """Only its closing mark comes (C-09)."""
    between = around.format(mark)
    thoughts, answer = split_thoughts(f"{DRAFT}{between}{ANSWER}")
    assert thoughts.startswith(DRAFT)
    assert answer.strip("*") == ANSWER
    assert split_thoughts(f"草稿。{mark}文章：猫头鹰。") == ("草稿。", "文章：猫头鹰。")


@pytest.mark.parametrize("mark", CLOSING)
@pytest.mark.parametrize(
    "article",
    [
        "The tag {} ends a thought.\n\nQ1: Which?\nA1: {}\n",
        "A thought ends with {}, a tag.",
        "A thought ends with {}.",
        'They call it "{}" here.',
        "'{}' ends it.",
        "Its tag (`{}`) ends it.",
        "`{}` ends a thought.",
        "It writes `thought{}answer` then.",
        "An example:\n\n```\nthought\n{}\nanswer\n```\n",
        "Q1: Which tag?\nA1: {}\nQ2: Who?\nA2: Users.",
        "- {}\n- and others",
        "**{}** is bold.",
        "Thoughts stand between <think> and\n{}\nQ1: Where?",
        "思考以标签{}结尾。",
        "The tag of its thoughts is {}",
    ],
)
def test_a_mark_that_is_mentioned_ends_no_thought(mark: str, article: str) -> None:
    """An answer about such marks is kept whole."""
    text = "Article: A model of 2025.\n" + article.format(mark, mark)
    assert split_thoughts(text) == ("", text)
    assert split_thoughts("<think>hm</think>" + text) == ("hm", text)


def test_no_template_opened_a_thought_where_reasoning_came_apart() -> None:
    """A closing mark is text then, but one that leads: the end of an empty thought, which a server let through."""
    assert split_thoughts("Hm.\n</think>\n\nThe owl.", apart=True) == ("", "Hm.\n</think>\n\nThe owl.")
    assert split_thoughts("\n</think>\n\nThe owl.", apart=True) == ("\n", "The owl.")


def test_a_thought_without_end_is_all_thought() -> None:
    """The tokens were spent before an answer began."""
    assert split_thoughts("<think>hm and so") == ("hm and so", "")


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "◁/think▷", "hm", " ", "\n", "`", "<|end|>", "A."])).map("".join)
)
def test_nothing_is_added(text: str) -> None:
    """The answer is the text's end, and what stands before it is thoughts, marks and blanks."""
    thoughts, answer = split_thoughts(text)
    assert text.endswith(answer)
    assert len(thoughts) + len(answer) <= len(text)
