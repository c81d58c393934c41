"""A question that the user asks of hosts, as JSON in the hint ``query``."""

import operator
from collections.abc import Callable

from nova.common import jsonutil
from nova.scheduler.filters import BaseHostFilter
from nova.scheduler.host_state import HostState, Wanted


def _chain(test: Callable[..., bool]) -> Callable[[list[object]], bool]:  # type: ignore[explicit-any]
    """The first argument compared with each other."""
    def compare(args: list[object]) -> bool:
        try:
            return len(args) > 1 and all(test(args[0], other) for other in args[1:])
        except TypeError:
            return False
    return compare


_OPS: dict[str, Callable[[list[object]], object]] = {
    '=': _chain(operator.eq), '<': _chain(operator.lt), '>': _chain(operator.gt), '<=': _chain(operator.le),
    '>=': _chain(operator.ge), 'in': lambda args: len(args) > 1 and args[0] in args[1:],
    'not': lambda args: [not arg for arg in args], 'or': any, 'and': all,
}


def _value(host: HostState, word: str) -> object:
    """``$free_ram_mb``, ``$stats.key``: a fact of the host; other words are themselves."""
    if not word.startswith('$'):
        return word
    path = word[1:].split('.')
    found: object = getattr(host, path[0], None)
    for step in path[1:]:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def evaluate(host: HostState, query: object) -> object:
    """The value of a query; what is no operation is itself.

    Raises:
        ValueError: an operation that does not exist.
    """
    if isinstance(query, str):
        return _value(host, query)
    if not isinstance(query, list) or not query:
        return query
    if query[0] not in _OPS:
        raise ValueError(f'unknown operation {query[0]!r}')
    return _OPS[query[0]]([evaluate(host, part) for part in query[1:]])


class JsonFilter(BaseHostFilter):
    """Passes hosts for which the hint's query is true; a query that cannot be read passes none."""

    def host_passes(self, host_state: HostState, spec_obj: Wanted) -> bool:
        text = spec_obj.first_hint('query')
        if not text:
            return True
        try:
            result = evaluate(host_state, jsonutil.loads(text))
        except ValueError:
            return False
        return any(result) if isinstance(result, list) else bool(result)
