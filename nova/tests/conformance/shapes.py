"""Whether JSON fits a table of facts: unknown keys, missing keys, types."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nova.common.microversion import V
from nova.tests.conformance import facts

_LEAVES = {'any', 'links', 'next-link'}
_DIGITS = re.compile(r'-?\d+')


class Node:
    """A field of a table and what is inside it."""

    def __init__(self) -> None:
        self.spec: facts.Spec | None = None
        self.inside: dict[str, Node] = {}

    @property
    def is_leaf(self) -> bool:
        """Whether its content is not told."""
        return not self.inside or bool(self.spec and _LEAVES & set(self.spec.types))

    def of(self, key: str) -> 'Node | None':
        found = self.inside.get(key)
        return found or next((node for name, node in self.inside.items() if facts.free(name)), None)


def parts(path: str) -> list[str]:
    return re.findall(r'\[\]|[^.\[\]]+', path)


def tree(table: Mapping[str, facts.Spec]) -> Node:
    root = Node()
    for path, spec in table.items():
        node = root
        for part in parts(path) if path != '$' else ():
            node = node.inside.setdefault(part, Node())
        node.spec = spec
    return root


def misfits(value: Any, table: facts.Table | None, version: V) -> list[str]:
    """What is wrong with an answer's body at a version; a line each."""
    if table is None:
        return []
    return sorted(set(_misfits(value, tree(facts.at(table, version)), '')))


def _misfits(value: Any, node: Node, path: str) -> Iterator[str]:
    if node.spec is not None and not _is_of(value, node.spec):
        yield f'{path}: {type(value).__name__} is not {"|".join(node.spec.types)}'
        return
    if node.is_leaf:
        return
    if isinstance(value, list):
        for item in value:
            yield from _misfits(item, node.inside.get('[]', Node()), f'{path}[]')
    elif isinstance(value, dict):
        for name, inner in node.inside.items():
            if name not in value and inner.spec and inner.spec.mark == facts.ALWAYS and not facts.free(name):
                yield f'{path}.{name}: missing'.lstrip('.')
        for key, item in value.items():
            inside = node.of(key)
            where = f'{path}.{key}'.lstrip('.')
            if inside is None:
                yield f'{where}: unknown key'
            else:
                yield from _misfits(item, inside, where)


def _is_of(value: Any, spec: facts.Spec) -> bool:
    return any(_fits(value, kind) for kind in spec.types)


def _fits(value: Any, kind: str) -> bool:
    if kind == 'any':
        return True
    if value is None:
        return kind == 'null'
    if isinstance(value, bool):
        return kind in ('bool', 'boolish')
    if isinstance(value, str):
        return kind in ('str', 'boolish') or (kind == 'intish' and _DIGITS.fullmatch(value) is not None)
    if isinstance(value, int):
        return kind in ('int', 'num', 'intish')
    if isinstance(value, float):
        return kind == 'num'
    if isinstance(value, dict):
        return kind == 'obj'
    return kind in ('arr', 'links', 'next-link') or kind.startswith('arr of')
