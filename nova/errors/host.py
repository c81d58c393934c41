"""Hosts, services, cells and aggregates."""

from nova.errors import base


class HostNotFound(base.NotFound):
    template = 'Host {host} could not be found.'


class HostDown(base.Conflict):
    template = 'The compute service of host {host} is down'


class HostAway(base.Unavailable):
    """Somebody waits for its answer; which host it is, is an operator's fact."""

    template = 'The host of instance {server} does not answer at this time.'


class HostMappingNotFound(base.NotFound):
    template = "Host '{host}' is not mapped to any cell"


class ServiceNotFound(base.NotFound):
    template = 'Service {service} could not be found.'


class ServiceTooOld(base.Conflict):
    template = 'The {binary} on {host} is too old: version {version}, the oldest supported is {minimum}'


class ComputeNodeNotFound(base.NotFound):
    template = 'Compute node {node} could not be found.'


class CellMappingNotFound(base.NotFound):
    template = 'Cell {cell} has no mapping.'


class CellDown(base.Unavailable):
    """A cell's database cannot be reached; which cell is an operator's fact, so it stays out of the text."""

    template = 'A part of the deployment cannot be reached at this time.'


class CellHangs(CellDown):
    """As many calls as a cell may hold up wait for its database."""

    again = True


class AggregateNotFound(base.NotFound):
    template = 'Aggregate {aggregate} could not be found.'


class AggregateExists(base.Conflict):
    template = 'Aggregate {name} already exists.'


class AggregateHostExists(base.Conflict):
    template = 'Aggregate {aggregate} already has host {host}.'


class AggregateHostNotFound(base.NotFound):
    template = 'Aggregate {aggregate} has no host {host}.'
