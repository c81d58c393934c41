"""Keystone's unified limits.

What oslo.limit would ask is asked with its options, but through our own session: oslo.limit reads a global
configuration, keeps one connection a process, and asks four times for each check. What was read is kept for
``[quota] unified_limits_cache_seconds``.
"""

import dataclasses
import logging
from collections.abc import Iterable, Mapping

from oslo_config import cfg

from nova import errors
from nova.clients import session
from nova.common import clock, threads
from nova.common.jsonutil import JsonObject
from nova.objects.quota.unified import Known

LOG = logging.getLogger(__name__)

_MODEL = 'flat'
_MOST = 10_000
"""Projects whose limits are kept."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Whose limits they are: a service's, in a region or in none."""

    service_id: str
    region_id: str | None

    def query(self, **more: str) -> list[tuple[str, str]]:
        region = {'region_id': self.region_id} if self.region_id else {}
        return list({'service_id': self.service_id, **region, **more}.items())

    def body(self, **more: str | int) -> dict[str, str | int]:
        region: dict[str, str | int] = {'region_id': self.region_id} if self.region_id else {}
        return {'service_id': self.service_id, **region, **more}


class Client:
    """`protocols.LimitsClient` over HTTP.

    Args:
        service: identity.
        conf: its ``[oslo_limit]`` says whose limits are meant.
    """

    def __init__(self, service: session.Service, conf: cfg.ConfigOpts) -> None:
        self._service, self._conf = service, conf
        self._lock = threads.lock()
        self._place: Place | None = None
        self._kept: dict[str | None, tuple[float, Mapping[str, int]]] = {}

    def known(self, project_id: str) -> Known:
        """See `LimitsClient.known`."""
        return Known(self._current(None), self._current(project_id))

    def place(self) -> Place:
        """Whose limits are meant; it is looked up once.

        Raises:
            LimitsFailed: it cannot be found, or Keystone has another model of limits.
        """
        if self._place is None:
            self._check_model()
            self._place = self._find_place()
        return self._place

    def registered(self, place: Place) -> dict[str, int]:
        """Limits of all projects, as Keystone has them now."""
        found = self._get('/registered_limits', place.query())['registered_limits']
        return {one['resource_name']: int(one['default_limit']) for one in found}

    def of_project(self, place: Place, project_id: str) -> dict[str, int]:
        """Limits of a project's own, as Keystone has them now."""
        found = self._get('/limits', place.query(project_id=project_id))['limits']
        return {one['resource_name']: int(one['resource_limit']) for one in found
                if one['project_id'] == project_id}

    def register(self, place: Place, limits: Mapping[str, int]) -> None:
        """Set limits of all projects that are not set yet; all of them or none."""
        self._create('registered_limits', (
            place.body(resource_name=name, default_limit=limit) for name, limit in limits.items()))

    def set_project(self, place: Place, project_id: str, limits: Mapping[str, int]) -> None:
        """Set limits of a project that are not set yet; all of them or none."""
        self._create('limits', (
            place.body(project_id=project_id, resource_name=name, resource_limit=limit)
            for name, limit in limits.items()))

    def _create(self, key: str, bodies: Iterable[dict[str, str | int]]) -> None:
        if wanted := list(bodies):
            self._service.call('POST', f'/{key}', body={key: wanted})

    def _current(self, project_id: str | None) -> Mapping[str, int]:
        """Limits of a project's own, or (None) those of all, not older than they may be."""
        with self._lock:
            when, found = self._kept.get(project_id, (0.0, None))
        if found is not None and clock.monotonic() - when < self._conf.quota.unified_limits_cache_seconds:
            return found
        asked, place = clock.monotonic(), self.place()
        fresh = self.registered(place) if project_id is None else self.of_project(place, project_id)
        with self._lock:
            self._kept.pop(project_id, None)
            self._kept[project_id] = asked, fresh
            while len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
        return fresh

    # Whose limits

    def _check_model(self) -> None:
        model = self._get('/limits/model', [])['model']['name']
        if model != _MODEL:
            LOG.error('Keystone has the model %s of limits ([unified_limit] enforcement_model); only %s is '
                      'understood.', model, _MODEL)
            raise errors.identity.LimitsFailed()

    def _find_place(self) -> Place:
        section = self._conf.oslo_limit
        if section.endpoint_id:
            found = self._get(f'/endpoints/{section.endpoint_id}', [])['endpoint']
            return Place(found['service_id'], found.get('region_id'))
        named = {'type': section.endpoint_service_type, 'name': section.endpoint_service_name}
        services = self._get('/services', [(key, value) for key, value in named.items() if value])['services']
        if len(services) != 1:
            LOG.error('%d services are of type %s with name %s; set [oslo_limit] endpoint_id to the id of the '
                      'Compute endpoint.', len(services), named['type'], named['name'])
            raise errors.identity.LimitsFailed()
        place = Place(services[0]['id'], section.endpoint_region_name)
        interface = section.endpoint_interface.removesuffix('URL')
        if not self._get('/endpoints', place.query(interface=interface))['endpoints']:
            LOG.error('Service %s has no %s endpoint in region %s; set [oslo_limit] endpoint_id to the id of '
                      'the Compute endpoint.', services[0]['name'], interface, place.region_id)
            raise errors.identity.LimitsFailed()
        return place

    def _get(self, path: str, query: list[tuple[str, str]]) -> JsonObject:
        def missing(message: str) -> errors.NovaError:
            LOG.error('Keystone does not know %s (%s); check [oslo_limit].', path, message)
            return errors.identity.LimitsFailed()
        return self._service.call('GET', path, params=query, on={404: missing}).json()
