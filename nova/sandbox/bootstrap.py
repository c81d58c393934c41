"""What a new sandbox holds: domain, projects, users, roles, catalog, an image, networks, a volume type.

Idempotent: what is there stays as it is, except passwords and endpoint URLs, which are set as given.
"""

import dataclasses
import hashlib
import io
import pathlib
import secrets
from collections.abc import Mapping

from nova.common import units
from nova.sandbox import grants, image, netkinds, service, subnets, tokens, volume
from nova.sandbox.app import Sandbox
from nova.sandbox.store import Document, Kind, Rows

DOMAIN_ID = 'default'
PROJECTS = ('admin', 'service', 'demo')
ROLES = ('admin', 'manager', 'member', 'reader', 'service')
IMPLIED = (('admin', 'manager'), ('manager', 'member'), ('member', 'reader'))
GRANTS = (('admin', 'admin', 'admin'), ('admin', 'demo', 'admin'), ('nova', 'service', 'admin'),
          ('nova', 'service', 'service'), ('placement', 'service', 'admin'),
          ('placement', 'service', 'service'), ('demo', 'demo', 'member'))
"""User, project, role."""

USERS = ('admin', 'nova', 'placement', 'demo')
CATALOG = (
    ('identity', 'keystone', 'identity', '/v3'), ('compute', 'nova', 'compute', '/v2.1'),
    ('placement', 'placement', 'placement', ''), ('image', 'glance', 'image', ''),
    ('network', 'neutron', 'network', ''), ('volumev3', 'cinderv3', 'volume', '/v3/$(project_id)s'),
    ('block-storage', 'cinder', 'volume', '/v3'), ('shared-file-system', 'manila', 'share', '/v2'))
"""Service type, name, key of its base URL, path."""

IMAGE_NAME = 'tiny'
PRIVATE, PUBLIC = 'private', 'public'


@dataclasses.dataclass(frozen=True)
class Made:
    """Ids of what is there, by name."""

    projects: dict[str, str]
    users: dict[str, str]
    roles: dict[str, str]
    networks: dict[str, str]
    image: str


def bootstrap(sandbox: Sandbox, passwords: Mapping[str, str]) -> Made:
    """Fill a sandbox.

    Args:
        passwords: by user name, one for each of `USERS`; they are kept only as hashes.
    """
    hashes = {name: tokens.hash_password(passwords[name]) for name in USERS}
    kept = sandbox.store
    projects, users, roles = kept.write(lambda rows: _directory(rows, hashes))
    kept.write(lambda rows: _catalog(rows, sandbox))
    sandbox.directory.changed()
    networks = kept.write(lambda rows: _networks(rows, projects['admin']))
    kept.write(volume.default_types)
    return Made(projects, users, roles, networks, _image(sandbox, projects['admin']))


def _known(rows: Rows, kind: Kind, name: str) -> Document | None:
    return next(iter(rows.list(kind, name=name)), None)


def _ensure(rows: Rows, kind: Kind, name: str, **fields: object) -> str:
    found = _known(rows, kind, name) or rows.insert(kind, {
        'id': secrets.token_hex(16), 'name': name, 'enabled': True, 'options': {}, **fields})
    return found['id']


def _directory(rows: Rows, hashes: Mapping[str, str]) -> tuple[dict[str, str], ...]:
    if rows.get(tokens.DOMAIN, DOMAIN_ID) is None:
        rows.insert(tokens.DOMAIN, {'id': DOMAIN_ID, 'name': 'Default', 'enabled': True, 'options': {},
                                    'description': 'The default domain'})
    projects = {name: _ensure(rows, tokens.PROJECT, name, domain_id=DOMAIN_ID, parent_id=DOMAIN_ID,
                              is_domain=False, description='', tags=[]) for name in PROJECTS}
    roles = {name: _ensure(rows, tokens.ROLE, name, domain_id=None, description=None) for name in ROLES}
    users = {name: _ensure(rows, tokens.USER, name, domain_id=DOMAIN_ID, password_expires_at=None)
             for name in USERS}
    for name, ident in users.items():
        rows.update(tokens.USER, {**(rows.get(tokens.USER, ident) or {}), '_password': hashes[name]})
    for prior, implied in IMPLIED:
        grants.imply(rows, roles[prior], roles[implied])
    for user, project, role in GRANTS:
        grants.assign(rows, 'user', users[user], 'project', projects[project], roles[role])
    grants.assign(rows, 'user', users['admin'], 'system', tokens.SYSTEM, roles['admin'])
    grants.assign(rows, 'user', users['admin'], 'domain', DOMAIN_ID, roles['admin'])
    grants.assign(rows, 'user', users['nova'], 'system', tokens.SYSTEM, roles['reader'])
    return projects, users, roles


def _catalog(rows: Rows, sandbox: Sandbox) -> None:
    if rows.get(tokens.REGION, sandbox.region) is None:
        rows.insert(tokens.REGION, {'id': sandbox.region, 'description': '', 'parent_region_id': None})
    for kind, name, key, path in CATALOG:
        try:
            url = sandbox.url(key).rstrip('/') + path
        except KeyError:
            continue
        known = next((item for item in rows.list(tokens.SERVICE) if item['type'] == kind), None)
        ident = known['id'] if known else _ensure(rows, tokens.SERVICE, name, type=kind, description='')
        for interface in ('public', 'internal', 'admin'):
            there = next((item for item in rows.list(tokens.ENDPOINT, parent=ident)
                          if item['interface'] == interface and item['region_id'] == sandbox.region), None)
            if there is not None:
                rows.update(tokens.ENDPOINT, {**there, 'url': url})
            else:
                rows.insert(tokens.ENDPOINT, {
                    'id': secrets.token_hex(16), 'service_id': ident, 'interface': interface, 'url': url,
                    'region_id': sandbox.region, 'enabled': True})


def _networks(rows: Rows, project: str) -> dict[str, str]:
    caller = service.Caller('', project, frozenset({'admin'}), {})
    made = {}
    for name, cidr, fields in ((PRIVATE, '10.0.0.0/16', {'shared': True}),
                               (PUBLIC, '172.24.4.0/24', {'router:external': True, 'is_default': True})):
        found = _known(rows, netkinds.NETWORK, name)
        if found is None:
            found = subnets.create_network(rows, caller, project, {'name': name, **fields})
            subnets.create_subnet(rows, caller, project, {
                'name': f'{name}-subnet', 'network_id': found['id'], 'cidr': cidr, 'ip_version': 4,
                'enable_dhcp': name == PRIVATE})
        made[name] = found['id']
    return made


def add_image(sandbox: Sandbox, project: str, file: pathlib.Path) -> str:
    """A public image of a file, called as the file without its ending, which says its format; its id.

    Raises:
        OSError: the file cannot be read.
    """
    name, ending = file.stem, file.suffix.removeprefix('.')
    found = next(iter(sandbox.store.list(image.IMAGE, name=name)), None)
    if found is None:
        found = sandbox.images.create(project, {
            'name': name, 'visibility': 'public', 'container_format': 'bare',
            'disk_format': 'qcow2' if ending == 'qcow2' else 'raw'})
    if found['status'] == 'queued':
        with file.open('rb') as stream:
            sandbox.images.upload(found['id'], stream)
    return str(found['id'])


def _image(sandbox: Sandbox, project: str) -> str:
    """A tiny raw image: bytes that look like nothing, the same in every sandbox."""
    found = next(iter(sandbox.store.list(image.IMAGE, name=IMAGE_NAME)), None)
    if found is None:
        found = sandbox.images.create(project, {
            'name': IMAGE_NAME, 'visibility': 'public', 'disk_format': 'raw', 'container_format': 'bare'})
    if found['status'] == 'queued':
        block = hashlib.shake_256(IMAGE_NAME.encode()).digest(units.Ki)
        sandbox.images.upload(found['id'], io.BytesIO(block * 64))
    return found['id']
