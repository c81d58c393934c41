"""The reference that is made from the OpenAPI document."""

import re

from docutils import nodes
from docutils.core import publish_doctree

from nova.api import app
from nova.common.jsonutil import JsonObject
from nova.rest import openapi, reference
from nova.schema import history


def document() -> JsonObject:
    return openapi.build(app.operations(), history.MAX, 'Compute')


def test_everything_that_is_served_is_told() -> None:
    text = '\n'.join(reference.lines(document()))
    for operation in app.operations():
        if operation.holds(history.MAX):
            path = re.sub(r'{([^}:]+)(?::[^}]*)?}', r'{\1}', operation.path)
            assert f'**{operation.method} {path}**' in text
            assert operation.action is None or f'Action ``{operation.action}``' in text
            assert operation.rule is None or f'``{operation.rule.name}``' in text


def test_it_is_restructuredtext() -> None:
    """Nothing that a description says breaks the page."""
    tree = publish_doctree('\n'.join(reference.lines(document())), settings_overrides={'report_level': 5})
    assert [node.astext() for node in tree.findall(nodes.system_message)] == []


def test_what_is_told_of_a_key() -> None:
    kind = {'type': 'object', 'required': ['a'], 'properties': {
        'a': {'type': ['string', 'null'], 'description': 'Of * and |'},
        'b': {'type': 'array', 'items': {'type': 'object', 'properties': {'c': {'enum': ['x', 1]}}}}}}
    operation = {'summary': 'Do it.', 'parameters': [], 'responses': {'200': {}, 'default': {}},
                 'requestBody': {'content': {'application/json': {'schema': kind}}}}
    told = [line for line in reference.lines({'paths': {'/x': {'put': operation}}}) if line.strip()]
    assert told == ['x', '-', '**PUT /x**', '  Do it.', '  Answers 200.', '  Body:',
                    '  * ``a`` (string or null, required) Of \\* and \\|', '  * ``b`` (list of object)',
                    '    * ``c`` (one of ``x``, ``1``)']
