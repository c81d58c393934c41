"""What the operator says to guests: a file for all of them, and services that are asked about each."""

import json
import logging
import pathlib

import requests
from oslo_config import cfg

from nova import errors, objects
from nova.common.jsonutil import JsonObject

LOG = logging.getLogger(__name__)

STATIC, DYNAMIC = 'StaticJSON', 'DynamicJSON'


class Vendordata:
    """The operator's word, as the configuration has it.

    Args:
        session: asks the services; tests hand in their own.

    Raises:
        Invalid: the file is no JSON object.
    """

    def __init__(self, conf: cfg.ConfigOpts, session: requests.Session | None = None) -> None:
        self._conf = conf.api
        self._session = session or requests.Session()
        path = conf.api.vendordata_jsonfile_path
        self._static = _read(path) if STATIC in conf.api.vendordata_providers else {}
        self._targets = dict(_target(word) for word in conf.api.vendordata_dynamic_targets)

    def static(self) -> JsonObject:
        return self._static

    def dynamic(self, instance: objects.Instance) -> JsonObject:
        """What each service answers, by its name; a service that fails says nothing.

        Raises:
            Unavailable: one fails, and that is to be fatal.
        """
        if DYNAMIC not in self._conf.vendordata_providers:
            return {}
        about = {'project-id': instance.project_id, 'instance-id': instance.uuid,
                 'image-id': instance.image_ref,
                 'user-data': instance.user_data, 'hostname': instance.hostname,
                 'metadata': dict(instance.metadata), 'boot-roles': ''}
        return {name: self._ask(name, url, about) for name, url in self._targets.items()}

    def _ask(self, name: str, url: str, about: JsonObject) -> object:
        verify = self._conf.vendordata_dynamic_ssl_certfile or True
        patience = (self._conf.vendordata_dynamic_connect_timeout, self._conf.vendordata_dynamic_read_timeout)
        try:
            answer = self._session.post(url, json=about, timeout=patience, verify=verify)
            answer.raise_for_status()
            return answer.json()
        except (requests.RequestException, ValueError) as error:
            LOG.warning('Vendordata of %s cannot be had from %s: %s', name, url, error)
            if self._conf.vendordata_dynamic_failure_fatal:
                raise errors.Unavailable(f'Vendordata of {name} cannot be had.') from error
            return {}


def _target(word: str) -> tuple[str, str]:
    name, at, url = word.partition('@')
    return (name, url) if at else ('', word)


def _read(path: str | None) -> JsonObject:
    if not path:
        return {}
    try:
        found = json.loads(pathlib.Path(path).read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise errors.Invalid(f'[api] vendordata_jsonfile_path: {path} cannot be read: {error}') from None
    if not isinstance(found, dict):
        raise errors.Invalid(f'[api] vendordata_jsonfile_path: {path} has no JSON object.')
    return found
