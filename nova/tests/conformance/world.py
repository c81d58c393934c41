"""What routes are asked about: a server, a flavor, a volume, made when first needed and removed at the end."""

import functools
import itertools
import secrets
import time
from collections.abc import Callable
from typing import Any

from nova.tests.conformance import people

KEY = ('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f '
       'conformance')
NOBODY = '00000000-0000-4000-8000-000000000000'
"""A uuid that nothing has."""
SECONDS = 60.0
"""How long an operation may take."""


def name() -> str:
    return f'c-{secrets.token_hex(4)}'


class Unready(Exception):
    """Something that a route needs could not be made; says why."""


class World:
    """Things of the walked cloud, by way of its own API."""

    def __init__(self, everybody: people.People) -> None:
        self.people = everybody
        self.admin, self.member = everybody.of[people.ADMIN], everybody.of[people.MEMBER]
        self._undo: list[tuple[people.Person, str]] = []
        self._actor: str | None = None
        self.ports = itertools.count(1000)
        self.ask('PUT', f'/os-quota-sets/{self.member.project_id}', {'quota_set': {
            'instances': -1, 'cores': -1, 'ram': -1, 'server_groups': -1}})

    # Asking

    def ask(self, method: str, path: str, body: Any = None, version: str = '2.96',
            who: people.Person | None = None) -> Any:
        """A request that must succeed, to the compute API."""
        answer = (who or self.admin).compute(method, path, version, body)
        if answer.status_code >= 400:
            raise Unready(f'{method} {path} {body}: {answer.status_code} {answer.text[:300]}')
        return answer.json() if answer.content else None

    def other(self, service: str, method: str, path: str, body: Any = None) -> Any:
        """The same to another service, as the member."""
        answer = self.member.call(method, self.member.urls[service] + path, body)
        if answer.status_code >= 400:
            raise Unready(f'{method} {path} of {service}: {answer.status_code} {answer.text[:300]}')
        return answer.json() if answer.content else None

    def later(self, path: str, who: people.Person | None = None) -> None:
        """DELETE this at the end, if it is still there."""
        self._undo.append((who or self.admin, path))

    def close(self) -> None:
        for who, path in reversed(self._undo):
            if path.startswith('http'):
                who.call('DELETE', path)
                continue
            who.compute('DELETE', path, '2.96')
            if path.startswith('/servers/'):
                self.until(lambda path=path: self.admin.compute('GET', path, '2.96').status_code == 404, path)

    def until(self, done: Callable[[], Any], what: str) -> Any:
        over = time.monotonic() + SECONDS
        while True:
            found = done()
            if found:
                return found
            if time.monotonic() > over:
                raise Unready(f'{what}: not within {SECONDS:.0f} s')
            time.sleep(0.05)

    # What others have

    @functools.cached_property
    def image(self) -> str:
        return str(self.other('image', 'GET', '/v2/images?visibility=public')['images'][0]['id'])

    @functools.cached_property
    def network(self) -> str:
        found = self.other('network', 'GET', '/v2.0/networks')['networks']
        return str(next(one['id'] for one in found if not one.get('router:external')))

    @functools.cached_property
    def external(self) -> dict[str, Any]:
        found = self.other('network', 'GET', '/v2.0/networks')['networks']
        return dict(next(one for one in found if one.get('router:external')))

    def _volumes(self) -> str:
        return next(kind for kind in ('block-storage', 'volumev3') if kind in self.member.urls)

    def volume(self) -> str:
        """A new one of 1 GiB."""
        kind = self._volumes()
        base = self.member.urls[kind]
        path = '' if base.endswith(self.member.project_id) else f'/{self.member.project_id}'
        made = self.other(kind, 'POST', f'{path}/volumes', {'volume': {'size': 1, 'name': name()}})['volume']
        where = f'{path}/volumes/{made["id"]}'
        self._undo.insert(0, (self.member, base + where))
        self.until(lambda: self.other(kind, 'GET', where)['volume']['status'] == 'available', where)
        return str(made['id'])

    @functools.cached_property
    def shelf(self) -> str:
        """A volume that stays."""
        return self.volume()

    @functools.cached_property
    def floating(self) -> dict[str, Any]:
        return self.new_floating()

    def new_floating(self) -> dict[str, Any]:
        made = self.ask('POST', '/os-floating-ips', {'pool': self.external['name']}, '2.1', who=self.member)
        found = dict(made['floating_ip'])
        self._undo.insert(0, (self.member, f'{self.member.urls["network"]}/v2.0/floatingips/{found["id"]}'))
        return found

    @functools.cached_property
    def wall(self) -> str:
        """A security group that stays."""
        return self.new_security_group()

    def new_security_group(self) -> str:
        """The id of a new one."""
        made = self.other('network', 'POST', '/v2.0/security-groups',
                          {'security_group': {'name': name()}})['security_group']
        self._undo.insert(0, (self.member, f'{self.member.urls["network"]}/v2.0/security-groups/{made["id"]}'))
        return str(made['id'])

    def port(self) -> str:
        made = self.other('network', 'POST', '/v2.0/ports', {'port': {'network_id': self.network}})['port']
        self._undo.insert(0, (self.member, f'{self.member.urls["network"]}/v2.0/ports/{made["id"]}'))
        return str(made['id'])

    def security_group(self) -> str:
        """The name of a new one."""
        ident = self.new_security_group()
        found = self.other('network', 'GET', f'/v2.0/security-groups/{ident}')['security_group']
        return str(found['name'])

    # What compute has

    @functools.cached_property
    def flavor(self) -> str:
        return self.new_flavor()

    def new_flavor(self, disk: int = 1, **fields: Any) -> str:
        made = self.ask('POST', '/flavors', {'flavor': {
            'name': name(), 'ram': 64, 'vcpus': 1, 'disk': disk, **fields}})['flavor']
        self.later(f'/flavors/{made["id"]}')
        return str(made['id'])

    @functools.cached_property
    def larger(self) -> str:
        """A flavor to resize to."""
        return self.new_flavor(disk=2)

    def keypair(self) -> str:
        made = name()
        for who in self.people.of.values():
            self.ask('POST', '/os-keypairs', {'keypair': {'name': made, 'public_key': KEY}}, '2.1', who=who)
            self.later(f'/os-keypairs/{made}', who)
        return made

    def aggregate(self, *hosts: str) -> str:
        made = self.ask('POST', '/os-aggregates', {'aggregate': {'name': name()}})['aggregate']
        self.later(f'/os-aggregates/{made["id"]}')
        for host in hosts:
            self.ask('POST', f'/os-aggregates/{made["id"]}/action', {'add_host': {'host': host}})
            self._undo.append((self.admin, f'/os-aggregates/{made["id"]}/hosts/{host}'))
        return str(made['id'])

    @functools.cached_property
    def group(self) -> str:
        return self.new_group()

    def new_group(self) -> str:
        made = self.ask('POST', '/os-server-groups', {'server_group': {'name': name(), 'policy': 'affinity'}},
                        who=self.member)['server_group']
        self.later(f'/os-server-groups/{made["id"]}')
        return str(made['id'])

    @functools.cached_property
    def hosts(self) -> list[str]:
        found = self.ask('GET', '/os-services?binary=nova-compute')['services']
        return [one['host'] for one in found if one['state'] == 'up']

    @functools.cached_property
    def server(self) -> str:
        """An active server that nothing is done to."""
        return self.new_server()

    def new_server(self, wait: bool = True, **fields: Any) -> str:
        made = self.ask('POST', '/servers', {'server': {
            'name': name(), 'imageRef': self.image, 'flavorRef': self.flavor,
            'networks': [{'uuid': self.network}], **fields}}, who=self.member)['server']
        uuid = str(made['id'])
        self.later(f'/servers/{uuid}')
        if wait:
            self.rest(uuid)
        return uuid

    def show(self, uuid: str) -> dict[str, Any]:
        return dict(self.ask('GET', f'/servers/{uuid}')['server'])

    def rest(self, uuid: str) -> str:
        """Wait until no operation is in progress; answers the status."""
        def rests() -> Any:
            found = self.show(uuid)
            if found['status'] == 'ERROR':
                raise Unready(f'the server {uuid} is in ERROR: {found.get("fault")}')
            return found['OS-EXT-STS:task_state'] is None and found['status'] != 'BUILD' and found['status']
        return str(self.until(rests, f'an operation of {uuid}'))

    def act(self, uuid: str, action: str, body: Any = None) -> None:
        self.ask('POST', f'/servers/{uuid}/action', {action: body})
        self.rest(uuid)

    def actor(self, *before: tuple[str, Any]) -> str:
        """A server on which these actions have ended, for one more; it is not used again unless `spare`."""
        uuid, self._actor = self._actor or self.new_server(), None
        for action, body in before:
            self.act(uuid, action, body)
        return uuid

    def spare(self, uuid: str) -> None:
        """This server is active again: another action may have it."""
        self._actor = uuid

    def drop(self, uuid: str) -> None:
        """Delete a server that nobody needs any more, and do not wait."""
        self.admin.compute('DELETE', f'/servers/{uuid}', '2.96')
