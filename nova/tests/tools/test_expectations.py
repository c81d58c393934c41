"""tools/tempest: a result that is not the expected one fails the command, and nothing else does."""

import pathlib
import sys

import pytest
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / 'tools' / 'lib'))

from realcloud import expectations, tempest
from realcloud.expectations import Result

KNOWN = {'skip': [{'reason': 'there is no console', 'tests': [r'\.test_novnc\.']}],
         'fails': [{'reason': 'GET /os-agents is not served', 'tests': [r'\.AgentsTest\.', r'test_one$']}],
         'quick': ['flavors', 'volumes'], 'meanwhile': {'one_cell': ['moves']}, 'scenarios': [],
         'changes': [{'files': 'volume', 'tests': ['volumes', 'snapshots']},
                     {'files': 'image', 'tests': ['images']}]}
FAILED = 'Traceback (most recent call last):\n  File "x.py", line 1\nlib.exceptions.NotFound: Gone\nmore'


@pytest.fixture
def known(tmp_path):
    file = tmp_path / 'expected.yaml'
    file.write_text(yaml.safe_dump(KNOWN))
    return expectations.Expectations.load(file)


@pytest.mark.parametrize('results, good', [
    ([Result('a.test_two', 'success'), Result('a.AgentsTest.test[id-1]', 'fail', FAILED)], True),
    ([Result('setUpClass (a.AgentsTest.', 'fail', FAILED)], True),
    ([Result('a.test_two', 'skip', 'no such service')], True),
    ([Result('a.AgentsTest.test', 'skip', 'no such service')], True),
    ([Result('a.test_two', 'fail', FAILED)], False),
    ([Result('a.test_two', 'inprogress')], False),
    ([Result('a.test_one', 'success')], False),
    ([], False),
])
def test_only_what_is_expected_is_good(known, results, good):
    assert expectations.Summary(known, results).good is good


def test_summary_names_what_is_unexpected_and_why(known):
    lines = list(expectations.Summary(known, [
        Result('a.test_two[id-2]', 'fail', FAILED), Result('a.test_one', 'success'),
        Result('a.AgentsTest.test', 'fail', FAILED), Result('a.test_three', 'skip', 'no such service'),
    ]).lines())
    assert 'Failed unexpectedly: a.test_two\n    lib.exceptions.NotFound: Gone' in lines
    assert 'Passed although it is expected to fail: a.test_one' in lines
    assert '     1  GET /os-agents is not served' in lines and '     1  no such service' in lines
    assert lines[-1] == '1 passed, 2 failed (1 unexpectedly), 1 skipped'


def test_summary_counts_what_was_not_run_and_says_why(known):
    lines = list(expectations.Summary(known, [Result('a.test_two', 'success')], (
        'a.test_novnc.test_one', 'a.test_novnc.test_two')).lines())
    assert '     2  there is no console' in lines
    assert lines[-1] == '1 passed, 0 failed (0 unexpectedly), 0 skipped, 2 not run'


def test_each_entry_of_the_list_in_the_repository_has_a_reason():
    known = expectations.Expectations.load()
    for reason, tests in (*known.skip.entries, *known.fails.entries):
        assert reason and tests
    assert known.quick


def test_tests_about_what_changed_are_found_by_files(known):
    assert known.about(['nova/ops/detach_volume.py', 'nova/steps/volumes.py', 'README.rst']) == [
        'volumes', 'snapshots']
    assert known.about(['README.rst']) == []


def test_what_changed_is_tried_first_and_everything_once(known):
    tests = ['a.flavors', 'a.volumes', 'a.volumes.moves', 'a.snapshots', 'a.images']
    assert list(tempest.rounds(['volumes|snapshots', 'flavors|volumes'], tests, known)) == [
        (['a.volumes', 'a.snapshots'], ''), (['a.volumes.moves'], 'one_cell'), (['a.flavors'], '')]


def test_what_has_to_be_so_meanwhile_can_be_made_so():
    assert {name for name, _ in expectations.Expectations.load().meanwhile} == set(tempest.MEANWHILE)


def test_the_list_in_the_repository_knows_tests_about_what_is_there():
    known = expectations.Expectations.load()
    assert all(known.about([file]) for file in (
        'nova/ops/detach_volume.py', 'nova/ops/rescue.py', 'nova/clients/neutron/ports.py'))
