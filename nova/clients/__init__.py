"""Adapters to the neighbours: images, networks, volumes, shares, keys, placement.

They are built once a process, and handed in.
"""

import dataclasses
from collections.abc import Mapping

import requests
from oslo_config import cfg

from nova import errors, keymgr
from nova.clients import cinder, glance, keystone, limits, manila, passing, protocols, session, trust
from nova.clients.neutron import api as neutron_api
from nova.clients.neutron import client as neutron
from nova.clients.placement import client as placement
from nova.common import clock
from nova.common.jsonutil import JsonObject

__all__ = ['Clients', 'build']


@dataclasses.dataclass(slots=True)
class Clients:
    """Every neighbour, real or fake, and the word of users that is needed there."""

    identity: protocols.IdentityClient
    limits: protocols.LimitsClient
    image: protocols.ImageClient
    network: protocols.NetworkClient
    volume: protocols.VolumeClient
    share: protocols.ShareClient
    keys: protocols.KeyClient
    placement: protocols.PlacementClient
    trust: trust.Trust
    passing: Mapping[str, protocols.PassingClient]
    """``network`` and ``volume`` for whom the API passes on to them."""


def volume_endpoint(conf: cfg.ConfigOpts) -> JsonObject:
    """Where Cinder is, in [cinder]'s own words."""
    kind, name, interface = (conf.cinder.catalog_info.split(':') + ['', ''])[:3]
    return {'service_type': kind, 'service_name': name or None,
            'region_name': conf.cinder.os_region_name or conf.cinder.region_name,
            'interface': interface.removesuffix('URL') or None,
            'endpoint_override': conf.cinder.endpoint_template}


def build(conf: cfg.ConfigOpts, pool: requests.Session | None = None) -> Clients:
    """Clients of the neighbours that the configuration names. Nothing is asked of them yet.

    Args:
        pool: requests session to use instead of one per neighbour; tests mount applications on it.
    """
    volume = session.build(conf, 'cinder', errors.block.VolumeServiceFailed, errors.block.VolumeServiceAway,
                           microversion_type='volume', pool=pool, endpoint=volume_endpoint(conf),
                           retries=conf.cinder.http_retries)
    network = session.build(conf, 'neutron', errors.network.NetworkServiceFailed,
                            errors.network.NetworkServiceAway, pool=pool, retries=conf.neutron.http_retries)
    image = session.build(conf, 'glance', errors.image.ImageServiceFailed, errors.image.ImageServiceAway,
                          pool=pool, retries=conf.glance.num_retries)
    share = session.build(conf, 'manila', errors.share.ShareServiceFailed, errors.share.ShareServiceAway,
                          pool=pool)
    identity = session.build(conf, 'keystone', errors.identity.IdentityServiceFailed,
                             errors.identity.IdentityServiceAway, pool=pool, version='3')
    return Clients(
        identity=keystone.Client(identity),
        limits=build_limits(conf, 'oslo_limit', pool),
        image=glance.Client(image),
        network=neutron.Client(neutron_api.HttpApi(network), conf.neutron.ovs_bridge),
        volume=cinder.Client(volume), share=manila.Client(share), keys=keymgr.Keys(conf),
        placement=build_placement(conf, pool),
        trust=trust.Trust(session.credentials(conf, 'neutron') or session.credentials(conf, 'cinder')),
        passing={'network': passing.Passing(network), 'volume': passing.Passing(volume, microversion='3.44')})


def build_limits(conf: cfg.ConfigOpts, group: str, pool: requests.Session | None = None) -> limits.Client:
    """A client of unified limits, with the credentials of a section."""
    return limits.Client(session.build(conf, group, errors.identity.LimitsFailed, errors.identity.LimitsAway,
                                       pool=pool, version='3'), conf)


def build_placement(conf: cfg.ConfigOpts, pool: requests.Session | None = None) -> placement.Client:
    """The Placement client alone, for services that need no other neighbour."""
    service = session.build(conf, 'placement', errors.placement.PlacementFailed, errors.placement.PlacementAway,
                            microversion_type='placement', pool=pool)
    return placement.Client(service, conf.compute.resource_provider_association_refresh or clock.NEVER)
