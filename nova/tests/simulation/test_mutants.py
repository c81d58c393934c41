"""Faults that are put into the product are found: the simulator sees what it is there for."""

import dataclasses
import os
import shutil
import subprocess
import sys

import pytest

from nova.tests.simulation import mutants

SOON = 'a lost wake-up is not noticed'
"""One that is found within a second or two."""


def test_every_fault_can_be_put_in(tmp_path):
    """What they replace is there once, so that the study does not go stale."""
    for fault in mutants.FAULTS:
        path = tmp_path / fault.file
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(mutants.TREE / fault.file, path)
        fault.apply(tmp_path)
        assert fault.wrong in path.read_text()
    with pytest.raises(LookupError, match='exactly once'):
        dataclasses.replace(fault, right='what nobody has written').apply(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_faults_are_found():
    lines = list(mutants.study((), ('even*8',), 60.0))
    assert len(lines) == sum(not fault.shown for fault in mutants.FAULTS) + 2
    assert not [line for line in lines if '>' in line]


@pytest.mark.slow
@pytest.mark.parametrize('fault', [each for each in mutants.FAULTS if each.shown], ids=lambda fault: fault.name)
def test_what_costs_time_alone_is_shown_by_a_test(fault):
    with mutants.put_in(fault) as root:
        told = subprocess.run(
            [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '--reruns', '0',
             f'nova/tests/{fault.shown}'], cwd=root, env={**os.environ, 'PYTHONPATH': str(root)}, check=False,
            stdout=subprocess.PIPE, text=True)
    assert told.returncode == 1 and 'FAILED' in told.stdout, told.stdout


@pytest.mark.timeout(600)
def test_one_is_found_at_once():
    fault, = (each for each in mutants.FAULTS if each.name == SOON)
    seen, = mutants.search(fault, ['small*8'], 30.0, most=1)
    assert seen.failed == 1 and 'not quiet after' in seen.why
