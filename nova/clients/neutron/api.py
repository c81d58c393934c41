"""Neutron's API as the network client calls it: one method a request, errors already ours.

Calls with a context are made with the user's token, all others with our own credentials. The in-memory fake
implements the same methods, so that everything above this file runs unchanged in tests.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from nova import context as nova_context
from nova import errors
from nova.clients import session
from nova.common import clock
from nova.common.jsonutil import JsonObject

Context = nova_context.RequestContext | None

Filter = str | int | Iterable[str] | None
"""What a list of Neutron's is filtered by: one value, or any of several."""

_EXTENSIONS_FOR = 300.0
_CHUNK = 50
"""Ids in one query, so that URLs stay short."""


class Api(Protocol):
    """Ports, networks and what belongs to them, as plain documents of Neutron's v2.0 API."""

    def extensions(self) -> frozenset[str]:
        """Aliases of what this Neutron can do."""

    def networks(self, context: Context = None, **filters: Filter) -> list[JsonObject]:
        """Networks; ``id=[...]`` and other filters as Neutron has them."""

    def subnets(self, ids: Iterable[str]) -> list[JsonObject]:
        """Subnets by id."""

    def ports(self, context: Context = None, **filters: Filter) -> list[JsonObject]:
        """Ports, of every project where we ask for ourselves, oldest first."""

    def port(self, port_id: str, context: Context = None) -> JsonObject:
        """One port; `PortNotFound` where the caller sees none."""

    def create_port(self, body: JsonObject, context: Context = None) -> JsonObject:
        """Make a port."""

    def update_port(self, port_id: str, body: JsonObject) -> JsonObject:
        """Change a port; `PortNotFound` when it is gone."""

    def delete_port(self, port_id: str) -> None:
        """Delete a port; one that does not exist is deleted."""

    def floating_ips(self, port_ids: Sequence[str]) -> list[JsonObject]:
        """Floating addresses of ports."""

    def groups(self, context: Context, fields: Sequence[str] = ('id', 'name'),
               **filters: Filter) -> list[JsonObject]:
        """Security groups that the user sees: `fields` alone, since rules are most of such a document."""

    def port_room(self, context: nova_context.RequestContext) -> int | None:
        """How many ports more the user's project may have; None when there is no limit."""

    def auto_network(self, project_id: str, context: Context, *, dry_run: bool) -> str | None:
        """The network that Neutron makes for a project on its own: None when it cannot. A dry run only asks."""

    def bindings(self, port_id: str) -> list[JsonObject]:
        """Bindings of a port."""

    def add_binding(self, port_id: str, host: str, vnic_type: str, profile: JsonObject) -> None:
        """An inactive binding on another host; one that exists is right."""

    def activate_binding(self, port_id: str, host: str) -> None:
        """Make a binding the active one; one that is active is right."""

    def delete_binding(self, port_id: str, host: str) -> None:
        """Delete a binding; one that does not exist is deleted."""


_BY_TYPE: dict[str, type[errors.NovaError]] = {
    'IpAddressAlreadyAllocated': errors.network.FixedIpInUse, 'IpAddressInUse': errors.network.FixedIpInUse,
    'InvalidIpForNetwork': errors.network.FixedIpInvalid, 'InvalidIpForSubnet': errors.network.FixedIpInvalid,
    'MacAddressInUse': errors.network.PortInUse, 'OverQuota': errors.network.PortLimitExceeded,
    'PortInUse': errors.network.PortInUse, 'NetworkNotFound': errors.network.NetworkNotFound,
    'SecurityGroupNotFound': errors.network.SecurityGroupNotFound,
}


class HttpApi:
    """`Api` over HTTP."""

    def __init__(self, service: session.Service) -> None:
        self._service = service
        self._extensions: tuple[frozenset[str], float] | None = None

    def _list(self, kind: str, context: Context = None, **filters: Filter) -> list[JsonObject]:
        ids = filters.pop('id', None)
        plain = [(key, str(one)) for key, value in filters.items()
                 for one in (value if isinstance(value, list) else [value])]
        if ids is None or isinstance(ids, str | int):
            return self._get(kind, plain, context)
        wanted, out = sorted(set(ids)), []
        for start in range(0, len(wanted), _CHUNK):
            out += self._get(kind, plain + [('id', one) for one in wanted[start:start + _CHUNK]], context)
        return out

    def _get(self, kind: str, params: list[tuple[str, str]], context: Context) -> list[JsonObject]:
        """One request for a list; servers that are made at the same time have networks in common."""
        path = f'/v2.0/{_url(kind)}'
        answer = (self._service.look(path, params) if context is None
                  else self._service.call('GET', path, params=params, context=context))
        return list(answer.json()[kind])

    def extensions(self) -> frozenset[str]:
        known = self._extensions
        if known is None or clock.monotonic() - known[1] > _EXTENSIONS_FOR:
            found = self._service.call('GET', '/v2.0/extensions').json()['extensions']
            known = self._extensions = (frozenset(one['alias'] for one in found), clock.monotonic())
        return known[0]

    def networks(self, context: Context = None, **filters: Filter) -> list[JsonObject]:
        return self._list('networks', context, **filters)

    def subnets(self, ids: Iterable[str]) -> list[JsonObject]:
        return self._list('subnets', id=ids)

    def ports(self, context: Context = None, **filters: Filter) -> list[JsonObject]:
        found = self._list('ports', context, **filters)
        return sorted(found, key=lambda port: (port.get('created_at') or '', port['id']))

    def port(self, port_id: str, context: Context = None) -> JsonObject:
        def missing(message: str) -> Exception:
            return errors.network.PortNotFound(port=port_id)
        return dict(self._service.call('GET', f'/v2.0/ports/{port_id}', context=context,
                                       on={404: missing}).json()['port'])

    def create_port(self, body: JsonObject, context: Context = None) -> JsonObject:
        answer = self._service.call('POST', '/v2.0/ports', body={'port': body}, context=context,
                                    allow=(400, 404, 409))
        if answer.status >= 400:
            raise self._error(answer, network=body['network_id'], **_addresses(body))
        return dict(answer.json()['port'])

    def update_port(self, port_id: str, body: JsonObject) -> JsonObject:
        answer = self._service.call('PUT', f'/v2.0/ports/{port_id}', body={'port': body}, allow=(400, 404, 409))
        if answer.status >= 400:
            raise self._error(answer, port=port_id, **_addresses(body))
        return dict(answer.json()['port'])

    @staticmethod
    def _error(answer: session.Answer, **facts: str) -> errors.NovaError:
        """Our error for a refused write of a port."""
        told: JsonObject = {'port': '(new)', 'network': '', 'address': '', 'group': '', **facts}
        if answer.code in _BY_TYPE:
            kind = _BY_TYPE[answer.code]
            if kind is errors.network.SecurityGroupNotFound:
                return kind(f'Security group not found: {answer.message}')
            return kind(**told)
        if answer.status == 404:
            return errors.network.PortNotFound(**told)
        if answer.status == 409:
            return errors.Conflict(f'The network service refuses the port: {answer.message}')
        return errors.Invalid(f'The network service refuses the port: {answer.message}')

    def delete_port(self, port_id: str) -> None:
        self._service.call('DELETE', f'/v2.0/ports/{port_id}', allow=(404,))

    def floating_ips(self, port_ids: Sequence[str]) -> list[JsonObject]:
        return self._list('floatingips', port_id=list(port_ids)) if port_ids else []

    def groups(self, context: Context, fields: Sequence[str] = ('id', 'name'),
               **filters: Filter) -> list[JsonObject]:
        return self._list('security_groups', context, fields=list(fields), **filters)

    def port_room(self, context: nova_context.RequestContext) -> int | None:
        answer = self._service.call('GET', f'/v2.0/quotas/{context.project_id}/details', allow=(404, 403))
        if answer.status >= 400:
            return None
        port = answer.json()['quota']['port']
        return None if port['limit'] < 0 else max(0, port['limit'] - port['used'] - port.get('reserved', 0))

    def auto_network(self, project_id: str, context: Context, *, dry_run: bool) -> str | None:
        params = [('fields', 'dry-run')] if dry_run else []
        answer = self._service.call('GET', f'/v2.0/auto-allocated-topology/{project_id}', params=params,
                                    context=context, allow=(400, 404, 409))
        return answer.json()['auto_allocated_topology']['id'] if answer.status < 400 else None

    def bindings(self, port_id: str) -> list[JsonObject]:
        answer = self._service.call('GET', f'/v2.0/ports/{port_id}/bindings', allow=(404,))
        return list(answer.json()['bindings']) if answer.status < 400 else []

    def add_binding(self, port_id: str, host: str, vnic_type: str, profile: JsonObject) -> None:
        def failed(message: str) -> Exception:
            return errors.network.PortBindingFailed(port=port_id)
        self._service.call('POST', f'/v2.0/ports/{port_id}/bindings',
                           body={'binding': {'host': host, 'vnic_type': vnic_type, 'profile': profile}},
                           allow=(409,),
                           on={500: failed, 400: failed,
                               404: lambda message: errors.network.PortNotFound(port=port_id)})

    def activate_binding(self, port_id: str, host: str) -> None:
        self._service.call('PUT', f'/v2.0/ports/{port_id}/bindings/{host}/activate', allow=(409,),
                           on={404: lambda message: errors.network.PortNotFound(port=port_id)})

    def delete_binding(self, port_id: str, host: str) -> None:
        self._service.call('DELETE', f'/v2.0/ports/{port_id}/bindings/{host}', allow=(404,))


def _url(kind: str) -> str:
    return kind.replace('_', '-')


def _addresses(body: JsonObject) -> dict[str, str]:
    found = [one.get('ip_address') for one in body.get('fixed_ips') or () if one.get('ip_address')]
    return {'address': ', '.join(found)} if found else {}
