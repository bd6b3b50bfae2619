"""A text that comes in pieces."""

from jan_jupyter.growing import MANY, Text


def test_a_text_is_its_pieces() -> None:
    text = Text()
    assert str(text) == ""
    pieces = [f"{n} \ud800\r\n" for n in range(3 * MANY)]
    for number, piece in enumerate(pieces, 1):
        text.add(piece)
        assert str(text) == "".join(pieces[:number])
