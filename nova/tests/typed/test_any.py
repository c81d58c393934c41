"""Where mypy lets `Any` be written: nowhere, but for exceptions that are counted."""

import pathlib
import re
import tomllib

import nova

ROOT = pathlib.Path(nova.__file__).parent
FREE = {'nova.objects.fields'}  # its codecs take values of every type
EXCEPTIONS = {
    'clients/ours.py': 2,  # signatures of keystoneauth's
    'clients/session.py': 2,  # the same
    'clients/transport.py': 4,  # signatures of requests'
    'common/jsonutil.py': 2,  # JSON of a shape for which a schema, or who wrote it, vouches
    'common/web.py': 2,  # the same; a responder gets the fields of its path
    'domain/notifications/payloads.py': 1,  # fields of a subclass, which its constructor knows
    'objects/relations.py': 1,  # SQLAlchemy declares `Table` with it
    'placement/candidates/snapshot.py': 1,  # SQLAlchemy declares `Subquery` with it
    'placement/candidates/view.py': 1,  # an integer's width, which numpy declares with it
    'rest/field.py': 2,  # a view's getters, of whatever it shows; options that several fields have
    'scheduler/filters/json_filter.py': 1,  # operators compare whatever users wrote
    'steps/moves.py': 1,  # fields of a record that is handed in, which knows their types
    'task/action.py': 1,  # the state of the action's own flow
    'task/flow.py': 3,  # a step, or a flow, of whichever handle and state
}


def test_mypy_refuses_any_everywhere_else():
    config = tomllib.loads((ROOT.parent / 'pyproject.toml').read_text())['tool']['mypy']
    assert config['disallow_any_explicit'] and config['files'] == ['nova']
    free = [one for one in config['overrides'] if one.get('disallow_any_explicit') is False]
    assert {name for one in free for name in one['module']} == FREE


def test_exceptions_are_those_that_have_a_reason():
    found = {}
    for path in ROOT.rglob('*.py'):
        name = str(path.relative_to(ROOT))
        count = len(re.findall(r'type: ignore\[[^\]]*explicit-any', path.read_text()))
        if count and not name.startswith('tests/'):
            found[name] = count
    assert found == EXCEPTIONS
