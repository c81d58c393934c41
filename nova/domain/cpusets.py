"""Sets of CPUs as options and libvirt write them: ``0-3,^2,8``."""

import re

from nova import errors

_PART = re.compile(r'(?P<taken>\^?)(?P<first>\d+)(-(?P<last>\d+))?')


def parse(text: str) -> set[int]:
    """
    Raises:
        errors.Invalid: that is no set of CPUs.
    """
    found: set[int] = set()
    taken: set[int] = set()
    for part in filter(None, (word.strip() for word in text.split(','))):
        shape = _PART.fullmatch(part)
        if shape is None:
            raise errors.Invalid(f'{text!r} is not a set of CPUs: it is written as 0-3,^2,8')
        first = int(shape['first'])
        (taken if shape['taken'] else found).update(range(first, int(shape['last'] or first) + 1))
    return found - taken
