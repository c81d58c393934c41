"""Fields with faces: schema, view, prefetch set and turning points follow from one line each."""

import types as python

import pytest

from nova.common import jsonschema
from nova.common.microversion import V
from nova.rest import legacy, openapi, schema, types, view
from nova.rest.field import ABSENT, Document, Field, Span, document
from nova.rest.resource import Body, make


class Volume(Document):
    id = Field(types.TEXT, show='2.1')
    delete_on_termination = Field(types.BOOLEAN, show='2.3')


class Server(Document):
    id = Field(types.TEXT, show='2.1', list='2.1')
    name = Field(types.NAME, create='2.1', show='2.1', list='2.1', required=('create',))
    description = Field(types.nullable(types.TEXT), create='2.19', show='2.19')
    tags = Field(types.array(types.TAG, high=2), create='2.52', show='2.26', needs=('tags',))
    host = Field(types.TEXT, key='OS-EXT-SRV-ATTR:host', rule='extended', show='2.1')
    fault = Field(types.TEXT, show='2.1', maybe=True, get=lambda s, look: s.fault or ABSENT)
    volumes = Field(types.array(Volume), show='2.1', needs=('volumes',))
    flavor = Field(show=[Span('2.1', '2.46', get=lambda s, look: {'id': s.flavor}),
                         Span('2.47', get=lambda s, look: {'vcpus': 1})])
    limit = Field(types.LIMIT, query='2.1')
    pattern = Field(types.single(types.TEXT), query='2.53')


SUBJECT = python.SimpleNamespace(id='u', name='n', description=None, tags=['a'], host='h', fault=None,
                                 flavor='f', volumes=[python.SimpleNamespace(id='v',
                                                                             delete_on_termination=True)])


def show(version: str, can=lambda rule: True) -> dict:
    return view.plan(Server, 'show', V(version)).bind(can)(SUBJECT, None)


def test_view_has_the_fields_of_its_version() -> None:
    assert 'tags' not in show('2.25') and show('2.26')['tags'] == ['a']
    assert show('2.46')['flavor'] == {'id': 'f'} and show('2.47')['flavor'] == {'vcpus': 1}
    assert 'fault' not in show('2.1')


def test_document_inside_a_document_is_pinned_with_it() -> None:
    assert show('2.2')['volumes'] == [{'id': 'v'}]
    assert show('2.3')['volumes'] == [{'id': 'v', 'delete_on_termination': True}]
    assert V('2.3') in Server.turning_points('show')


def test_rule_is_asked_once_and_hides_the_field() -> None:
    asked: list[str] = []
    render = view.plan(Server, 'show', V('2.1')).bind(lambda rule: bool(asked.append(rule)))
    assert 'OS-EXT-SRV-ATTR:host' not in render(SUBJECT, None)
    render(SUBJECT, None)
    assert asked == ['extended']


def test_prefetch_set_follows_the_version() -> None:
    assert view.plan(Server, 'show', V('2.25')).needs == {'volumes'}
    assert view.plan(Server, 'show', V('2.26')).needs == {'tags', 'volumes'}
    assert view.plan(Server, 'list', V('2.26')).needs == set()


def check(face: str, version: str, value: dict, relaxed: bool = False) -> None:
    schema.validator(Server, face, V(version), relaxed).check(value)


def test_schema_refuses_what_its_version_does_not_have() -> None:
    check('create', '2.52', {'name': 'x', 'tags': ['a']})
    with pytest.raises(jsonschema.Invalid):
        check('create', '2.51', {'name': 'x', 'tags': ['a']})
    with pytest.raises(jsonschema.Invalid):
        check('create', '2.52', {'tags': []})
    with pytest.raises(jsonschema.Invalid):
        check('create', '2.52', {'name': 'x', 'tags': ['a', 'b', 'c']})


def test_relaxed_mode_drops_unknown_keys() -> None:
    body = Body(Server, face='create', under='server')
    made = make('POST', '/servers', print, body=body)
    assert made.check_body({'server': {'name': 'x', 'nonsense': 1}}, V('2.1'), relaxed=True) == {
        'server': {'name': 'x'}}
    with pytest.raises(jsonschema.Invalid):
        made.check_body({'server': {'name': 'x', 'nonsense': 1}}, V('2.1'))


def test_prune_keeps_free_form_maps() -> None:
    strict = {'additionalProperties': False, 'properties': {'m': types.OBJECT}}
    assert legacy.prune({'m': {'a': 1}, 'n': 1}, strict) == {'m': {'a': 1}}


def test_query_values_are_lists_and_single_ones_come_once() -> None:
    check('query', '2.53', {'limit': ['1', '2'], 'pattern': ['a']})
    with pytest.raises(jsonschema.Invalid):
        check('query', '2.53', {'pattern': ['a', 'b']})
    with pytest.raises(jsonschema.Invalid):
        check('query', '2.53', {'limit': ['-1']})


def test_body_of_an_action_may_start_free() -> None:
    body = Body(null=True, since='2.56', host=Field(types.HOST))
    made = make('POST', '/servers/{server_id}/action', print, action='migrate', body=body)
    made.check_body({'migrate': 'whatever'}, V('2.55'))
    made.check_body({'migrate': None}, V('2.56'))
    made.check_body({'migrate': {'host': 'h'}}, V('2.56'))
    with pytest.raises(jsonschema.Invalid):
        made.check_body({'migrate': {'other': 'h'}}, V('2.56'))
    with pytest.raises(jsonschema.Invalid):
        made.check_body({'other': None}, V('2.56'))


def test_a_key_is_declared_once_a_face() -> None:
    with pytest.raises(ValueError, match='twice'):
        document('Bad', {'a': Field(show='2.1', key='x'), 'b': Field(show='2.1', key='x')})


def test_openapi_of_a_version_has_that_versions_fields() -> None:
    made = make('POST', '/servers', print, body=Body(Server, face='create', under='server'), since='2.19')
    built = openapi.build([made], V('2.52'), 'Compute')
    body = built['paths']['/servers']['post']['requestBody']['content']['application/json']['schema']
    assert set(body['properties']['server']['properties']) == {'name', 'description', 'tags'}
    assert openapi.build([made], V('2.18'), 'Compute')['paths'] == {}


@pytest.mark.parametrize(('kind', 'good', 'bad'), [
    (types.NAME, ['a', 'a b', 'ü'], ['', ' a', 'a ', 'a\x00', 'x' * 256]),
    (types.AZ_NAME, ['nova'], ['a:b']),
    (types.BOOLISH, [True, 'yes', '0', 'False'], [1, 'yEs', None]),
    (types.integer(0, 10), [0, '10'], ['11', -1, '', 'x', None]),
    (types.UUID, ['c0ffee00-0000-4000-8000-000000000000', 'c0ffee00000040008000000000000000'], ['x']),
    (types.BASE64, ['YQ==', 'YQ==\n'], ['a']),
    (types.HOSTNAME, ['ab', 'a-b'], ['a', '-ab', 'a.b']),
    (types.METADATA, [{'a': 'b'}], [{'a': 1}, {'': 'b'}, {'a/b': 'c'}]),
    (types.nullable(types.DISK_CONFIG), ['AUTO', None], ['auto']),
])
def test_types(kind: dict, good: list, bad: list) -> None:
    validator = jsonschema.Validator(dict(kind))
    assert [value for value in good if not validator.fits(value)] == []
    assert [value for value in bad if validator.fits(value)] == []
