"""``provider.yaml``: inventories and traits that an operator gives to a host's providers.

Files of ``[compute] provider_config_location``, such as::

    meta: {schema_version: '1.0'}
    providers:
    - identification: {uuid: $COMPUTE_NODE}
      inventories:
        additional:
        - CUSTOM_LICENCES: {total: 10}
      traits:
        additional: [CUSTOM_QUIET]

They are read when the service starts, which a file that is wrong prevents.
"""

import dataclasses
import logging
import pathlib
from collections.abc import Iterable, Iterator, Mapping

import yaml

from nova import errors
from nova.common import jsonschema
from nova.common.jsonutil import JsonObject
from nova.domain import provider_tree

LOG = logging.getLogger(__name__)

NODE = '$COMPUTE_NODE'
"""As uuid: every node of the host that no other entry names."""

_CUSTOM = '^CUSTOM_[A-Z0-9_]{1,248}$'
_AMOUNT = {'type': 'integer', 'minimum': 0, 'maximum': 0x7FFFFFFF}
_INVENTORY = {'type': 'object', 'additionalProperties': False, 'required': ['total'], 'properties': {
    'total': {**_AMOUNT, 'minimum': 1}, 'reserved': _AMOUNT, 'min_unit': {**_AMOUNT, 'minimum': 1},
    'max_unit': {**_AMOUNT, 'minimum': 1}, 'step_size': {**_AMOUNT, 'minimum': 1},
    'allocation_ratio': {'type': 'number', 'exclusiveMinimum': 0}}}
_SCHEMA = {
    'type': 'object', 'required': ['meta', 'providers'], 'additionalProperties': False, 'properties': {
        'meta': {'type': 'object', 'required': ['schema_version'], 'properties': {
            'schema_version': {'type': 'string', 'pattern': r'^1\.\d+$'}}},
        'providers': {'type': 'array', 'items': {
            'type': 'object', 'required': ['identification'], 'additionalProperties': False, 'properties': {
                'identification': {
                    'type': 'object', 'minProperties': 1, 'maxProperties': 1, 'additionalProperties': False,
                    'properties': {'uuid': {'type': 'string'}, 'name': {'type': 'string', 'minLength': 1}}},
                'inventories': {'type': 'object', 'additionalProperties': False, 'properties': {
                    'additional': {'type': 'array', 'items': {
                        'type': 'object', 'additionalProperties': False,
                        'patternProperties': {_CUSTOM: _INVENTORY}}}}},
                'traits': {'type': 'object', 'additionalProperties': False, 'properties': {
                    'additional': {'type': 'array', 'items': {'type': 'string', 'pattern': _CUSTOM}}}}}}}}}


@dataclasses.dataclass(frozen=True)
class Entry:
    """What is given to one provider, which is named by its uuid or its name."""

    key: str
    inventory: Mapping[str, JsonObject]
    traits: frozenset[str]


def load(directory: str) -> list[Entry]:
    """What all files of a directory say; nothing where there is none.

    Raises:
        errors.Invalid: a file cannot be read or is wrong; it says which and where.
    """
    folder = pathlib.Path(directory)
    files = sorted([*folder.glob('*.yaml'), *folder.glob('*.yml')]) if folder.is_dir() else []
    found: dict[str, Entry] = {}
    for file in files:
        for entry in _read(file):
            if entry.key in found:
                raise errors.Invalid(f'{file}: provider {entry.key} is described twice.')
            found[entry.key] = entry
    return list(found.values())


def _read(file: pathlib.Path) -> Iterator[Entry]:
    try:
        said = yaml.safe_load(file.read_text(encoding='utf-8'))
        jsonschema.Validator(_SCHEMA).check(said)
    except (OSError, yaml.YAMLError, jsonschema.Invalid) as error:
        raise errors.Invalid(f'{file} is no description of providers: {error}') from None
    for one in said['providers']:
        inventory: dict[str, JsonObject] = {}
        for row in one.get('inventories', {}).get('additional', ()):
            twice = set(row) & set(inventory)
            if twice:
                raise errors.Invalid(f'{file}: {", ".join(sorted(twice))} is given twice.')
            inventory.update(row)
        yield Entry(next(iter(one['identification'].values())), inventory,
                    frozenset(one.get('traits', {}).get('additional', ())))


def apply(entries: Iterable[Entry], tree: provider_tree.ProviderTree) -> None:
    """Add what is given to the providers of a tree.

    An entry for the node itself comes before one for every node. What the driver has already is not replaced.
    """
    every = list(entries)
    named = {entry.key for entry in every}
    for entry in every:
        for provider in tree:
            general = entry.key == NODE and provider is tree.root and not named & {provider.uuid, provider.name}
            if general or entry.key in (provider.uuid, provider.name):
                _give(entry, provider)


def _give(entry: Entry, provider: provider_tree.Provider) -> None:
    for name, values in entry.inventory.items():
        if name in provider.inventory:
            LOG.error('The driver reports %s of provider %s itself; no file changes it', name, provider.name)
            continue
        total = values['total']
        provider.inventory[name] = {'max_unit': total, **values}
    provider.traits |= entry.traits
