"""No lock is held while something is asked of a database, a neighbour, a bus or a file: one that hangs would
stop everybody who wants the lock (7.13, 16.2).

The source is read: below each ``with`` of a lock, and in the methods of the same class that are called there,
no call may reach out.
"""

import ast
import pathlib

import nova

ROOT = pathlib.Path(nova.__file__).parent
APART = ('tests', 'sandbox')

REACHES = frozenset({
    'read', 'write', 'ping', 'execute', 'call', 'cast', 'ask', 'select', 'claim', 'drop', 'request', 'result',
    'sleep', 'read_bytes', 'read_text', 'write_bytes', 'write_text', 'replace'})
"""Names of methods that ask somebody or something outside of the process."""

ALLOWED = {
    ('common/dbkit.py', 'write'): 'the queue of SQLite\'s writers is the lock itself',
    ('placement/candidates/snapshot.py', 'state'): 'one renewal for all who wait for nothing else',
    ('clients/fake/base.py', '*'): 'a neighbour in memory',
    ('virt/fake/faults.py', '*'): 'what tests hand to the fake hypervisor is a file',
    ('virt/fake/guests.py', '*'): 'guests in memory',
    ('virt/fake/shelf.py', '*'): 'what the fake hypervisor keeps is files of its own',
}


def is_lock(node):
    text = ast.unparse(node).lower()
    return 'lock' in text or text.endswith(('_guard', '_changed', '_idle'))


def walked(nodes):
    """Every node below, but for functions that are only made there."""
    for node in nodes:
        if not isinstance(node, (ast.Lambda, ast.FunctionDef)):
            yield node
            yield from walked(ast.iter_child_nodes(node))


def outside(body, methods, seen=()):
    """Calls in `body` that reach out, also by way of methods of the same class; as text."""
    for node in walked(body):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, owner = node.func.attr, ast.unparse(node.func.value)
        if owner == 'self' and name in methods and name not in seen:
            for found in outside(methods[name].body, methods, (*seen, name)):
                yield f'self.{name} > {found}'
        elif name in REACHES and owner not in ('dataclasses', 'text', 'self._state') and not owner.endswith(
                ("'", '"', 'str', 'name')):
            yield f'{owner}.{name}'


def offences(path):
    name = str(path.relative_to(ROOT))
    for kind in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)):
        methods = {node.name: node for node in kind.body if isinstance(node, ast.FunctionDef)}
        for method in methods.values():
            if (name, '*') in ALLOWED or (name, method.name) in ALLOWED:
                continue
            for held in (node for node in ast.walk(method) if isinstance(node, ast.With)):
                if any(is_lock(item.context_expr) for item in held.items):
                    for call in outside(held.body, methods):
                        yield f'{name}:{held.lineno} {kind.name}.{method.name}: {call}'


def test_no_lock_is_held_while_somebody_is_asked():
    found = [offence for path in sorted(ROOT.rglob('*.py')) if path.relative_to(ROOT).parts[0] not in APART
             for offence in offences(path)]
    assert not found, '\n'.join(found)


def test_what_it_would_say(tmp_path, monkeypatch):
    monkeypatch.setattr('nova.tests.contracts.test_locks.ROOT', tmp_path)
    file = tmp_path / 'a.py'
    file.write_text('class A:\n'
                    '    def one(self):\n        with self._lock:\n            return self._look()\n'
                    '    def _look(self):\n        with self._db.read() as conn:\n            return conn\n')
    assert list(offences(file)) == ['a.py:3 A.one: self._look > self._db.read']
