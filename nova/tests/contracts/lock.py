"""What other releases rely on, and the file that remembers how it was.

Every contract is a kind, a name, a version and a text that says everything about it. `contracts.lock` keeps a
fingerprint of the text. A change of the text without a new version breaks nodes of the release before, so the
test refuses it; ``tools/contracts`` writes the file anew once the version is right.

Providers are the modules of `providers`: each has ``contracts() -> Iterable[Contract]``.
"""

import dataclasses
import hashlib
import importlib
import pathlib
import pkgutil
import sys
from collections.abc import Iterable

LOCK = pathlib.Path(__file__).resolve().parent.parent / 'contracts.lock'
PROVIDERS = pathlib.Path(__file__).resolve().parent / 'providers'


@dataclasses.dataclass(frozen=True, slots=True)
class Contract:
    """One thing that other nodes or clients rely on.

    Attributes:
        text: all about it that they rely on, in a stable form.
        remedy: how its version is raised.
    """

    kind: str
    name: str
    version: str
    text: str
    remedy: str

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.name

    @property
    def line(self) -> str:
        return f'{self.kind} {self.name} {self.version} {self.fingerprint}'

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def current() -> list[Contract]:
    """Every contract, in the order of the file."""
    found: list[Contract] = []
    for module in pkgutil.iter_modules([str(PROVIDERS)]):
        found += importlib.import_module(f'nova.tests.contracts.providers.{module.name}').contracts()
    return sorted(found, key=lambda contract: contract.key)


def differences(now: Iterable[Contract], lines: Iterable[str]) -> list[str]:
    """What is wrong with the file: one sentence for each contract that it does not describe."""
    locked: dict[tuple[str, str], tuple[str, str]] = {}
    for line in lines:
        kind, name, version, fingerprint = line.split()
        locked[kind, name] = version, fingerprint
    wrong = []
    for contract in now:
        version, fingerprint = locked.pop(contract.key, (None, None))
        what = f'{contract.kind} {contract.name}'
        if version is None:
            wrong.append(f'{what} is new: run tools/contracts')
        elif fingerprint != contract.fingerprint and version == contract.version:
            wrong.append(f'{what} changed and still has version {version}: {contract.remedy}, '
                         'then run tools/contracts')
        elif (version, fingerprint) != (contract.version, contract.fingerprint):
            wrong.append(f'{what} went from {version} to {contract.version}: run tools/contracts')
    return wrong + [f'{kind} {name} is gone: nodes that rely on it remain; if none does, run tools/contracts'
                    for kind, name in locked]


def read() -> list[str]:
    """Lines of the file."""
    return LOCK.read_text(encoding='utf-8').splitlines() if LOCK.exists() else []


def main(argv: list[str]) -> int:
    """``tools/contracts [--check]``: show what changed, and write it down unless only asked to check."""
    now = current()
    wrong = differences(now, read())
    sys.stdout.write(''.join(f'{line}\n' for line in wrong))
    if '--check' in argv:
        return 1 if wrong else 0
    LOCK.write_text(''.join(f'{contract.line}\n' for contract in now), encoding='utf-8')
    return 0
