"""Are a flavor's extra specs ones that mean something (2.86)?

A known one must have a legal value. A name in a namespace of ours that is not known is a mistake. Names without
a namespace, and in namespaces that are not ours, are the operator's own and mean what filters make of them.
"""

import functools
import re
from collections.abc import Mapping

from nova import errors
from nova.domain.spec_catalog import GROUP, Spec, catalog


@functools.cache
def _known() -> tuple[dict[str, Spec], list[tuple[re.Pattern[str], Spec]], list[re.Pattern[str]]]:
    """Known specs by name, those with parameters by pattern, and the namespaces."""
    plain = {spec.name: spec for spec in catalog() if '{' not in spec.name}
    shaped = [(re.compile(spec.pattern), spec) for spec in catalog() if '{' in spec.name]
    spaces = {re.escape(spec.name.partition(':')[0]).replace(r'\{group\}', GROUP)
              for spec in catalog() if ':' in spec.name}
    return plain, shaped, [re.compile(space) for space in sorted(spaces)]


def check(name: str, value: str) -> None:
    """Check one extra spec.

    Raises:
        errors.Invalid: it is wrong; the text says how.
    """
    plain, shaped, spaces = _known()
    spec = plain.get(name) or next((spec for pattern, spec in shaped if pattern.fullmatch(name)), None)
    if spec is not None:
        if wrong := spec.kind.wrong(value):
            raise errors.Invalid(f"Validation failed; '{value}' is not a valid value of extra spec '{name}': "
                                 f'{wrong}.')
        return
    space, colon, _ = name.partition(':')
    if colon and any(pattern.fullmatch(space) for pattern in spaces):
        raise errors.Invalid(f"Validation failed; extra spec '{name}' does not appear to be a valid extra "
                             'spec.')


def check_all(specs: Mapping[str, str]) -> None:
    """Check extra specs.

    Raises:
        errors.Invalid: the first that is wrong.
    """
    for name, value in sorted(specs.items()):
        check(name, value)
