"""Records as they are declared: one annotated line a field."""

import datetime
import enum
import json
import pathlib
import subprocess
import sys

import pytest

import nova
from nova import errors, objects, ops
from nova.objects import base, fields
from nova.objects.persistent import Persistent

ROOT = pathlib.Path(nova.__file__).parent.parent
RECORDED = json.loads((pathlib.Path(__file__).parent / 'recorded' / 'records.json').read_text())


class Colour(enum.StrEnum):
    RED = 'red'


class DeclaredPart(base.Record):
    text: str = ''


class Declared(base.Record):
    """Each kind of field."""

    name: str
    ident: fields.Uuid | None = None
    word: fields.Secret | None = None
    number: int = 0
    share: float = 1.0
    sure: bool = False
    when: datetime.datetime | None = None
    words: list[str] = []
    notes: dict[str, str] = {}
    said: fields.Json = {}
    routes: list[dict[str, str]] = []
    part: DeclaredPart | None = None
    parts: list[DeclaredPart] = []
    twins: list['Declared'] = []
    row: fields.Late[int] = fields.NOT_YET
    later: int = fields.since('1.1', 7)
    here: int = fields.apart(0)


def test_what_is_derived():
    kinds = {name: field.kind for name, field in Declared.fields.items()}
    assert kinds == {
        'name': 'text', 'ident': 'uuid', 'word': 'secret', 'number': 'number', 'share': 'float',
        'sure': 'truth', 'when': 'time', 'words': 'texts', 'notes': 'text by text', 'said': 'json',
        'routes': 'json', 'part': 'record', 'parts': 'records', 'twins': 'records', 'row': 'number',
        'later': 'number'}
    assert {name for name, field in Declared.fields.items() if field.nullable} == {
        'ident', 'word', 'when', 'part', 'row'}
    assert Declared.VERSION == '1.1'


def test_defaults_are_not_shared():
    one, other = Declared(name='a'), Declared(name='b')
    one.words.append('x')
    one.said['y'] = [1]
    assert other.words == [] and other.said == {} and Declared(name='c').words == []


def test_a_wire_form_brings_everything_back():
    made = Declared(name='a', ident='i', word='w', number=2, share=0.5, sure=True, words=['x'],
                    notes={'k': 'v'}, when=datetime.datetime(2026, 1, 2, 3, 4, 5, 6), said=[{'a': None}],
                    part=DeclaredPart(text='p'), parts=[DeclaredPart(text='q')], twins=[Declared(name='b')],
                    here=9)
    wire = json.loads(json.dumps(made.to_wire()))
    assert 'here' not in wire['nova_object.data'] and 'here' not in wire['nova_object.changes']
    back = Declared.from_wire(wire)
    assert back.to_wire() == wire and back.when == made.when and back.twins[0].name == 'b'
    assert made.copy().to_wire() == wire and made.copy().here == 9


@pytest.mark.parametrize('values', [
    {'name': None}, {'name': 5}, {'number': '5'}, {'number': 1.5}, {'sure': 1}, {'share': 'much'},
    {'words': 'ab'}, {'words': [1]}, {'notes': {'k': 1}}, {'when': 5}, {'part': {'text': 'p'}},
    {'parts': [Declared(name='x')]}, {'part': Declared(name='x')}], ids=str)
def test_values_of_other_types_are_refused(values):
    with pytest.raises(TypeError, match=next(iter(values))):
        Declared(**{'name': 'a', **values})
    one = Declared(name='a')
    for name, value in values.items():
        with pytest.raises(TypeError, match=name):
            setattr(one, name, value)


def test_what_is_refused_is_not_named():
    with pytest.raises(TypeError) as caught:
        Declared(name='a', word=b'hunter2')
    assert 'hunter2' not in str(caught.value)
    assert 'hunter2' not in repr(Declared(name='a', word='hunter2'))


def test_equal_values_of_other_types_become_the_fields_own():
    east = datetime.timezone(datetime.timedelta(hours=2))
    one = Declared(name=Colour.RED, share=2, words=('a', 'b'),
                   when=datetime.datetime(2026, 1, 1, 12, tzinfo=east))
    assert type(one.name) is str and type(one.share) is float and one.words == ['a', 'b']
    assert one.when == datetime.datetime(2026, 1, 1, 10)
    one.when = '2026-01-01T10:00:00Z'
    assert one.when == datetime.datetime(2026, 1, 1, 10)


def test_what_is_misspelt_or_left_out():
    with pytest.raises(TypeError, match='needs name'):
        Declared(number=1)
    with pytest.raises(TypeError, match="no field 'nmae'"):
        Declared(nmae='a')
    one = Declared(name='a')
    with pytest.raises(AttributeError, match="no field 'nmae'"):
        one.nmae = 'b'
    with pytest.raises(AttributeError, match="no field 'nmae'"):
        one.nmae  # noqa: B018  reading is what is tested


def test_a_part_is_what_is_known():
    part = Declared.part(number=3)
    assert part.number == 3 and part.known('number') and not part.known('words')
    with pytest.raises(objects.NotLoaded, match="prefetch 'words'"):
        part.words  # noqa: B018  reading is what is tested


def test_changes():
    one = Declared(name='a', parts=[DeclaredPart()])
    one.clean()
    one.here = 5
    assert one.changed() == set()
    one.parts[0].text = 'x'
    one.number = 4
    assert one.changed() == {'parts', 'number'}
    assert Declared.from_wire(one.to_wire()).changed() == {'parts', 'number'}
    assert base.at_rest(one).get('nova_object.changes') is None and one.changed() == {'parts', 'number'}


def test_another_record_than_the_wanted_one_is_refused():
    with pytest.raises(errors.Invalid, match='DeclaredPart came where Declared is wanted'):
        Declared.from_wire(DeclaredPart().to_wire())
    with pytest.raises(errors.Invalid, match='Not a record'):
        Declared.from_wire({'a': 1})


def test_declarations_that_say_nothing():
    with pytest.raises(TypeError, match='a field is a line'):
        type('DeclaredOld', (base.Record,), {'fields': {'a': 1}})
    with pytest.raises(TypeError, match=r'DeclaredSet\.a: nothing is known'):
        type('DeclaredSet', (base.Record,), {'__annotations__': {'a': set[str]}})
    with pytest.raises(TypeError, match='has no table'):
        type('DeclaredNowhere', (Persistent,), {})


def versions_in(wire):
    """The version of each record in what was written, by name."""
    if isinstance(wire, list):
        return {name: version for each in wire for name, version in versions_in(each).items()}
    if not isinstance(wire, dict):
        return {}
    found = versions_in(list(wire.values()))
    if 'nova_object.name' in wire:
        found[wire['nova_object.name']] = wire['nova_object.version']
    return found


@pytest.mark.parametrize('wire', RECORDED, ids=lambda wire: wire['nova_object.name'])
def test_what_was_written_before_is_read_and_written_alike(wire):
    """UPG-S4: recorded by the release that declared records with oslo.versionedobjects."""
    ops.load()
    assert base.Record.from_wire(wire).to_wire(versions_in(wire)) == wire


SNIPPET = '''
from nova import objects

def wrong(instance: objects.Instance, call: objects.StepCall) -> None:
    instance.hots
    instance.vcpus = 'two'
    instance.flavor.memory
    instance.nmae = 'a'
    objects.Flavor(flavorid='1', name='n', memory_mb=1)
    objects.Flavor(flavorid='1', name='n', memory_mb=1, vcpus=1, colour='red')
    call.state.kind
    instance.display_name.upper()

def right(instance: objects.Instance) -> int:
    made = objects.Flavor(flavorid='1', name='n', memory_mb=1, vcpus=1)
    instance.flavor = made
    return instance.id + made.id + instance.flavor.vcpus + len(objects.Instance.part(uuid='u').tags)
'''


def test_a_type_checker_knows_the_fields(tmp_path):
    file = tmp_path / 'snippet.py'
    file.write_text(SNIPPET)
    said = subprocess.run([sys.executable, '-m', 'mypy', '--no-error-summary', str(file)], cwd=ROOT,
                          capture_output=True, text=True, timeout=110)
    wrong = {int(line.split(':')[1]) for line in said.stdout.splitlines() if 'snippet.py' in line}
    assert wrong == set(range(5, 13)), said.stdout + said.stderr
