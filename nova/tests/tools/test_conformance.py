"""The walker sees what does not fit: unknown and missing keys, wrong types, a record that is not right."""

import pytest

from nova.common.microversion import V
from nova.tests.conformance import facts, report, shapes, walk


def route(name: str) -> facts.Route:
    return next(one for one in facts.load().routes if one.name == name)


FLAVORS = {'flavors': [{'id': '1', 'name': 'one', 'links': [], 'description': None}]}


def test_an_answer_that_fits() -> None:
    assert shapes.misfits(FLAVORS, route('GET /flavors').resp, V('2.55')) == []


@pytest.mark.parametrize(('version', 'item', 'said'), [
    ('2.54', {}, 'flavors[].description: unknown key'),
    ('2.55', {'id': 1}, 'flavors[].id: int is not str'),
    ('2.55', {'flavour': 1}, 'flavors[].flavour: unknown key'),
    ('2.55', {'description': True}, 'flavors[].description: bool is not str|null')])
def test_an_answer_that_does_not_fit(version: str, item: dict[str, object], said: str) -> None:
    body = {'flavors': [{**FLAVORS['flavors'][0], **item}]}
    assert shapes.misfits(body, route('GET /flavors').resp, V(version)) == [said]


def test_a_key_that_is_missing() -> None:
    assert shapes.misfits({'flavors': [{}]}, route('GET /flavors').resp, V('2.1')) == [
        'flavors[].id: missing', 'flavors[].links: missing', 'flavors[].name: missing']


def test_keys_of_the_user_may_be_any() -> None:
    specs = route('GET /flavors/{flavor_id}/os-extra_specs').resp
    assert shapes.misfits({'extra_specs': {'hw:anything': 'x'}}, specs, V('2.1')) == []


def test_points() -> None:
    """A route that changes at a version is asked there, and nowhere outside its life."""
    assert route('GET /flavors').points() == [V('2.1'), V('2.55'), V('2.75'), V('2.102')]
    assert route('GET /os-hypervisors/{id}/servers').points()[-1] <= V('2.52')


def test_aliases_live_their_own_life() -> None:
    alias = route('GET /os-volumes_boot/{id}')
    assert (alias.until, alias.resp) == (V('2.102'), route('GET /servers/{id}').resp)


def test_the_record_is_kept_honest() -> None:
    served = walk.Verdict(route('GET /flavors'), walk.SERVED)
    absent = walk.Verdict(route('GET /limits'), walk.MISSING)
    assert report.dishonest([served, absent], {'GET /limits': 12}) == []
    assert report.dishonest([served, absent], {'GET /flavors': 12}) == [
        'GET /flavors: is served; take it off missing.yaml',
        'GET /limits: is missing, and missing.yaml does not say so']
