"""Numbers as they stand in answers: signs, thousands, powers of ten, marks around them."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MINUS = "\u2212\u2013\ufe63\uff0d"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"
_LOWERED = str.maketrans(_RAISED, "0123456789-")
_APART = "\u00a0\u2009\u202f'’_"
"""What may stand between thousands, besides the mark of the language."""
_LARGEST_POWER = 308


def _pattern(thousands: str, decimal: str) -> re.Pattern[str]:
    apart, point = f"[{re.escape(thousands)}{_APART}]", re.escape(decimal)
    whole = rf"(?:\d{{1,3}}(?:{apart}\d{{3}})+(?!\d)|\d+)"
    signed = rf"[-+{_MINUS}]?\d+"
    return re.compile(
        rf"(?<![\w.^])(?<![^\W\d_]-)(?P<sign>[-+{_MINUS}]?)[$€£¥]?"
        rf"(?P<digits>{whole}(?:{point}\d+)?|{point}\d+)(?:e(?P<exponent>{signed})(?!\w))?"
        rf"(?:(?:\^|\*\*)[{{(]?(?P<power>{signed})[)}}]?|(?P<raised>(?<=10)[{_RAISED}]+)"
        rf"|\s*(?:×|x|\*|\\times|\\cdot|·)\s*10\s*"
        rf"(?:(?:\^|\*\*)\s*[{{(]?(?P<ten>{signed})[)}}]?|(?P<ten_raised>[{_RAISED}]+)))?",
        re.IGNORECASE,
    )


_POINT, _COMMA = _pattern(",", "."), _pattern(".", ",")


def numbers_in(text: str, *, decimal: str = ".") -> Iterator[float]:
    """The numbers of a text in their order; `decimal` is the mark before decimals, `.` or `,`.

    A number inside of a word (`GPT-4`, `x2`) is none; one with a unit behind it (`5km`, `3 %`) is.
    Powers (`2^10`, `6.02 × 10²³`) are worked out.
    """
    for found in (_COMMA if decimal == "," else _POINT).finditer(text):
        digits = "".join(c for c in found["digits"] if c.isdigit() or c == decimal)
        ten = _whole(found["exponent"]) + _whole(found["ten"] or found["ten_raised"])
        sign = "-" if found["sign"] not in ("", "+") else ""
        number = float(f"{digits.replace(decimal, '.')}e{ten}")
        raised = found["power"] or found["raised"]
        if raised:
            power = _whole(raised)
            if abs(power) > _LARGEST_POWER:
                continue
            try:
                number **= power
            except (OverflowError, ZeroDivisionError):
                continue
        yield -number if sign else number


def _whole(written: str | None) -> int:
    """A whole number of at most so many digits as matter."""
    return int(re.sub(f"[{_MINUS}]", "-", (written or "0").translate(_LOWERED))[:6])
