"""Contracts with other releases."""

import pytest

from nova import errors
from nova.objects import base, fields
from nova.tests.contracts import lock
from nova.tests.contracts.lock import Contract


def test_nothing_changed_without_a_new_version():
    """The file names what has to be done, see `nova.tests.contracts.lock`."""
    assert lock.differences(lock.current(), lock.read()) == []


def test_a_change_without_a_new_version_is_refused():
    was = Contract('record', 'Thing', '1.0', 'a: Text', 'mark new fields')
    assert lock.differences([was], [was.line]) == []
    changed = Contract('record', 'Thing', '1.0', 'a: Text\nb: Text', 'mark new fields')
    assert 'still has version 1.0: mark new fields' in lock.differences([changed], [was.line])[0]
    raised = Contract('record', 'Thing', '1.1', 'a: Text\nb: Text', 'mark new fields')
    assert 'went from 1.0 to 1.1' in lock.differences([raised], [was.line])[0]
    assert 'is gone' in lock.differences([], [was.line])[0]
    assert 'is new' in lock.differences([was], [])[0]


class ContractPart(base.Record):

    old: str
    fresh: str | None = fields.since('1.2', None)


class ContractWhole(base.Record):

    name: str
    parts: list[ContractPart]
    note: str | None = fields.since('1.1', 'none given')


def test_versions_are_those_of_the_newest_fields():
    assert (ContractPart.VERSION, ContractWhole.VERSION) == ('1.2', '1.1')


def test_older_readers_get_what_they_know():
    """UPG-S4: fields that came later are dropped, in child records too."""
    whole = ContractWhole(name='n', parts=[ContractPart(old='o', fresh='f')], note='x')
    wire = whole.to_wire({'ContractWhole': '1.0', 'ContractPart': '1.1'})
    assert wire['nova_object.version'] == '1.0'
    assert set(wire['nova_object.data']) == {'name', 'parts'}
    assert wire['nova_object.changes'] == ['name', 'parts']
    part = wire['nova_object.data']['parts'][0]
    assert (part['nova_object.version'], part['nova_object.data']) == ('1.1', {'old': 'o'})
    back = base.Record.from_wire(wire)
    assert back.note == 'none given' and back.parts[0].fresh is None


def test_newer_senders_are_refused():
    wire = ContractPart(old='o').to_wire()
    with pytest.raises(errors.Invalid, match='ContractPart 1.3'):
        base.Record.from_wire({**wire, 'nova_object.version': '1.3'})
    with pytest.raises(errors.Invalid):
        base.Record.from_wire({**wire, 'nova_object.name': 'Unheard'})


def test_a_name_is_given_once():
    with pytest.raises(ValueError, match='declared twice'):
        type('ContractPart', (base.Record,), {})
