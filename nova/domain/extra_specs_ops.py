"""The little language in which an extra spec asks something of a host's value.

    =  number at least          ==  !=  >=  <=   numbers
    s==  s!=  s>=  s>  s<=  s<  text        <in>  text within        <all-in>  every word
    <or> a <or> b   one of                  anything else: equal as text
"""

import operator
from collections.abc import Callable

_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    '=': operator.ge, '==': operator.eq, '!=': operator.ne, '>=': operator.ge, '<=': operator.le}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    's==': operator.eq, 's!=': operator.ne, 's<': operator.lt, 's<=': operator.le, 's>': operator.gt,
    's>=': operator.ge}


def _number(have: str, op: str, words: list[str]) -> bool:
    try:
        return len(words) == 1 and _NUMBERS[op](float(have), float(words[0]))
    except ValueError:
        return False


def match(have: object, asked: str) -> bool:
    """Whether a value is as an extra spec asks."""
    text = str(have)
    op, *words = asked.split() or ['']
    if op in _NUMBERS:
        return _number(text, op, words)
    if op in _TEXTS:
        return len(words) == 1 and _TEXTS[op](text, words[0])
    if op == '<in>':
        return bool(words) and ' '.join(words) in text
    if op == '<all-in>':
        return bool(words) and all(word in text for word in words)
    if op == '<or>':
        return text in {word.strip() for word in asked.split('<or>') if word.strip()}
    return text == asked
