"""Narrow what Placement is asked by what we know of the request: fewer candidates, the same answer.

A prefilter is ``fn(conf, spec, request, view)``: it changes `request` in place. It raises `Hopeless` when no
host can do.
"""

from collections.abc import Callable

from oslo_config import cfg

from nova import errors, objects
from nova.domain import image_traits, placement_request
from nova.domain import tpm as tpms
from nova.scheduler import wanted
from nova.scheduler.hosts import View

DISABLED = 'COMPUTE_STATUS_DISABLED'

Prefilter = Callable[[cfg.ConfigOpts, objects.RequestSpec, placement_request.ResourceRequest, View], None]


class Hopeless(Exception):
    """No host can do; the text says why, for the project to read."""


def status(conf: cfg.ConfigOpts, spec: objects.RequestSpec, request: placement_request.ResourceRequest,
           view: View) -> None:
    """Leave out disabled hosts."""
    request.root_forbidden.add(DISABLED)


def zone(conf: cfg.ConfigOpts, spec: objects.RequestSpec, request: placement_request.ResourceRequest,
         view: View) -> None:
    """Leave out hosts of other availability zones; the default zone has the hosts that no aggregate gives
    another.

    Raises:
        Hopeless: no such zone.
    """
    name = spec.availability_zone
    if not name or spec.force_hosts or spec.force_nodes:
        return
    mine = frozenset(one.uuid for one in view.aggregates if one.zone == name)
    if name == conf.default_availability_zone:
        request.main.not_member_of.update(one.uuid for one in view.aggregates if one.zone not in (None, name))
    elif not mine:
        raise Hopeless('The requested availability zone is not available')
    else:
        request.main.member_of.append(mine)


def tenant(conf: cfg.ConfigOpts, spec: objects.RequestSpec, request: placement_request.ResourceRequest,
           view: View) -> None:
    """Leave out hosts outside of the aggregates that name the project, where any do.

    Raises:
        Hopeless: aggregates are required, and none names the project.
    """
    if not conf.scheduler.limit_tenants_to_placement_aggregate:
        return
    mine = frozenset(one.uuid for one in view.aggregates if any(
        key.startswith('filter_tenant_id') and spec.project_id in [word.strip() for word in value.split(',')]
        for key, value in one.metadata.items()))
    if mine:
        request.main.member_of.append(mine)
    elif conf.scheduler.placement_aggregate_required_for_tenants:
        raise Hopeless('No host aggregate is for this project')


def isolated_aggregates(conf: cfg.ConfigOpts, spec: objects.RequestSpec,
                        request: placement_request.ResourceRequest, view: View) -> None:
    """Leave out aggregates that require traits which the request does not require."""
    if not conf.scheduler.enable_isolated_aggregate_filtering:
        return
    have = request.main.required | request.root_required
    for one in view.aggregates:
        needs = {key.removeprefix('trait:') for key, value in one.metadata.items()
                 if key.startswith('trait:') and value == 'required'}
        if needs - have:
            request.main.not_member_of.add(one.uuid)


def image_type(conf: cfg.ConfigOpts, spec: objects.RequestSpec, request: placement_request.ResourceRequest,
               view: View) -> None:
    """Leave out hosts whose driver does not read the image's disk format."""
    if not conf.scheduler.query_placement_for_image_type_support or spec.is_bfv or spec.image is None:
        return
    _require(request, image_traits.of_format(spec.image.disk_format))


def image_properties(conf: cfg.ConfigOpts, spec: objects.RequestSpec,
                     request: placement_request.ResourceRequest, view: View) -> None:
    """Leave out hosts without the device models that the image names."""
    if not conf.scheduler.image_metadata_prefilter:
        return
    for name, value in wanted.properties(spec).items():
        _require(request, image_traits.of_property(name, value))


def _require(request: placement_request.ResourceRequest, trait: str | None) -> None:
    if trait is not None:
        request.root_required.add(trait)


def tpm(conf: cfg.ConfigOpts, spec: objects.RequestSpec, request: placement_request.ResourceRequest,
        view: View) -> None:
    """Leave out hosts without the emulated TPM that is asked for.

    Raises:
        Hopeless: there is no such TPM.
    """
    try:
        asked = tpms.of_parts(spec.flavor, spec.image)
    except errors.Invalid as error:
        raise Hopeless(error.message) from error
    if asked is not None:
        request.root_required.update(tpms.traits(asked))


def destination(conf: cfg.ConfigOpts, spec: objects.RequestSpec, request: placement_request.ResourceRequest,
                view: View) -> None:
    """Leave out all but the node that is meant, where one is, and all but the aggregates that are asked for.

    Raises:
        Hopeless: no such host.
    """
    target = spec.requested_destination
    for words in target.aggregates if target is not None else ():
        request.main.member_of.append(frozenset(word for word in words.split(',') if word))
    if target is not None:
        request.main.not_member_of.update(target.forbidden_aggregates)
    hosts, nodes = set(spec.force_hosts), set(spec.force_nodes)
    if not hosts and not nodes and target is not None:
        hosts = {target.host} if target.host else set()
        nodes = {target.node} if target.node else set()
    if not hosts and not nodes:
        return
    found = [one for one in view.nodes.values()
             if (not hosts or one.host in hosts) and (not nodes or one.nodename in nodes)]
    if not found:
        raise Hopeless('The requested host is not available')
    if len(found) == 1:
        request.main.in_tree = found[0].uuid


ALL: tuple[Prefilter, ...] = (
    status, zone, tenant, isolated_aggregates, image_type, image_properties, tpm, destination)


def apply(conf: cfg.ConfigOpts, spec: objects.RequestSpec, request: placement_request.ResourceRequest,
          view: View) -> None:
    """Run every prefilter.

    Raises:
        Hopeless: one of them knows that no host can do.
    """
    for prefilter in ALL:
        prefilter(conf, spec, request, view)
