"""What this cloud, an availability zone, a flavor or a property of images can do: from what hosts report, not
from what runs on them. Other clouds do not have these routes."""

import dataclasses
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from nova import errors, objects
from nova.api.request import Request
from nova.api.resources import flavors
from nova.domain import (
    capabilities,
    flavor_specs,
    image_traits,
    numa,
    numa_providers,
    placement_request,
    spec_catalog,
)
from nova.domain.capabilities import Host, Verdict
from nova.objects import aggregate
from nova.objects.image_values import VALUES
from nova.policies import capabilities as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Body, Many, One, Resource, get, post

_HYPERVISOR = {'hw_architecture': 0, 'img_hv_type': 1, 'hw_vm_mode': 2}
"""Image property to the place in what a node says of the guests that it runs."""
_KINDS = {'number': 'integer', 'truth': 'boolean', 'json': 'object'}


@dataclasses.dataclass(frozen=True, slots=True)
class Trait:
    name: str
    hosts: int
    everywhere: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """Some hosts, and what they can do together."""

    hosts: Sequence[Host]

    def traits(self) -> list[Trait]:
        names = sorted({name for host in self.hosts for name in host.traits})
        counts = {name: sum(name in host.traits for host in self.hosts) for name in names}
        return [Trait(name, count, count == len(self.hosts)) for name, count in counts.items()]

    def most(self) -> dict[str, int]:
        names = {name for host in self.hosts for offer in host.offers for name in offer.most}
        return {name: max(host.most(name) for host in self.hosts) for name in sorted(names)}

    def supported(self, name: str) -> list[str] | None:
        """Values of an image property that a host can have; None where only the host itself can tell."""
        if name in _HYPERVISOR:
            return sorted({each[_HYPERVISOR[name]] for host in self.hosts for each in host.supported})
        if name not in image_traits.BY_PROPERTY:
            return None
        traits = {trait for host in self.hosts for trait in host.traits}
        return sorted(value for value in VALUES[name] if image_traits.of_property(name, value) in traits)


class TraitView(Document):
    name = Field(types.TEXT, show='2.1')
    everywhere = Field(types.BOOLEAN, 'Whether each of the hosts has it.', show='2.1')
    hosts = Field(types.INTEGER, 'How many have it.', rule=rules.HOSTS, show='2.1')


class CapabilitiesView(Document):
    availability_zones = Field(types.array(types.TEXT), 'Where the hosts are.',
                               get=lambda seen, look: sorted({host.zone for host in seen.hosts}), show='2.1')
    hosts = Field(types.INTEGER, 'How many there are.', rule=rules.HOSTS,
                  get=lambda seen, look: len(seen.hosts), show='2.1')
    traits = Field(types.array(TraitView), 'What any of them can do.', get=lambda seen, look: seen.traits(),
                   show='2.1')
    resources = Field(types.mapping(types.INTEGER), 'The most that one server can have, by resource class.',
                      get=lambda seen, look: seen.most(), show='2.1')


@dataclasses.dataclass(frozen=True, slots=True)
class Property:
    name: str
    type: str
    values: list[str] | None
    supported: list[str] | None


class PropertyView(Document):
    name = Field(types.TEXT, show='2.1')
    type = Field(types.enum('text', 'integer', 'boolean', 'object', 'list'), show='2.1')
    values = Field(types.nullable(types.array(types.TEXT)), 'What it may say; null is anything of its type.',
                   show='2.1')
    supported = Field(types.nullable(types.array(types.TEXT)),
                      'What a host of this cloud can do of that; null where only the host itself can tell.',
                      show='2.1')


class SpecView(Document):
    name = Field(types.TEXT, 'What is in braces stands for any word.', show='2.1')
    type = Field(types.enum('text', 'integer', 'boolean', 'choice'), show='2.1',
                 get=lambda spec, look: type(spec.kind).__name__.lower().replace('truth', 'boolean'))
    values = Field(types.nullable(types.array(types.TEXT)), 'Of a choice: what it may say.', show='2.1',
                   get=lambda spec, look: list(spec.kind.words) if isinstance(spec.kind, spec_catalog.Choice)
                   else None)
    description = Field(types.TEXT, attribute='help', show='2.1')


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    name: str
    value: str | None
    reason: str


class ProblemView(Document):
    name = Field(types.TEXT, 'The extra spec or image property.', show='2.1')
    value = Field(types.nullable(types.TEXT), show='2.1')
    reason = Field(types.TEXT, show='2.1')


@dataclasses.dataclass(frozen=True, slots=True)
class Validation:
    problems: list[Problem]
    verdict: Verdict | None


class ValidationView(Document):
    valid = Field(types.BOOLEAN, 'Whether what the flavor and the image say makes sense.',
                  get=lambda found, look: not found.problems, show='2.1')
    problems = Field(types.array(ProblemView), 'What does not.', show='2.1')
    possible = Field(types.nullable(types.BOOLEAN), 'Whether a host could run such a server if it were empty; '
                     'null where it makes no sense.', show='2.1',
                     get=lambda found, look: bool(found.verdict.able) if found.verdict else None)
    availability_zones = Field(types.array(types.TEXT), 'Where such hosts are.', show='2.1',
                               get=lambda found, look: sorted(found.verdict.zones) if found.verdict else [])
    lacking = Field(types.array(types.TEXT), 'What no host has.', show='2.1',
                    get=lambda found, look: found.verdict.lacking if found.verdict else [])
    hosts = Field(types.nullable(types.INTEGER), 'How many could.', rule=rules.HOSTS, show='2.1',
                  get=lambda found, look: found.verdict.able if found.verdict else None)


class ZoneQuery(Document):
    availability_zone = Field(types.single(types.TEXT), 'Only hosts of this one.', query='2.1')


class ValidateBody(Document):
    flavorRef = Field(types.FLAVOR_REF, 'The flavor.', required=True, body='2.1')
    extra_specs = Field(types.mapping(types.text(high=255), r'^.{1,255}$'),
                        'What its extra specs would say besides.', body='2.1')
    imageRef = Field(types.text(format='uuid'), 'The image; none is one that says nothing.', body='2.1')
    image_properties = Field(types.mapping(types.text(high=255), r'^.{1,255}$'),
                             'What its properties would say besides.', body='2.1')
    availability_zone = Field(types.AZ_NAME, 'Only hosts of this one.', body='2.1')


class Capabilities(Resource):

    @get('/os-capabilities', rule=rules.LIST, rules=(rules.HOSTS,), query=ZoneQuery,
         returns=One('capabilities', CapabilitiesView))
    def index(self, req: Request) -> Seen:
        """Show what the hosts of the cloud, or of an availability zone, can do."""
        return Seen(_hosts(req, req.query.get('availability_zone')))

    @get('/os-capabilities/flavors/{flavor_id}', rule=rules.VALIDATE, rules=(rules.HOSTS,), query=ZoneQuery,
         returns=One('validation', ValidationView))
    def flavor(self, req: Request, flavor_id: str) -> Validation:
        """Show whether hosts can run servers of a flavor, and where."""
        return _validate(req, flavors.find(req, flavor_id), {}, None, req.query.get('availability_zone'))

    @get('/os-capabilities/image-properties', rule=rules.LIST, query=ZoneQuery,
         returns=Many('image_properties', PropertyView, 'show'))
    def properties(self, req: Request) -> list[Property]:
        """List the image properties that mean something, and what hosts can do of that."""
        seen = Seen(_hosts(req, req.query.get('availability_zone')))
        return [_property(seen, name) for name in _NAMES]

    @get('/os-capabilities/image-properties/{name}', rule=rules.LIST, query=ZoneQuery,
         returns=One('image_property', PropertyView))
    def property(self, req: Request, name: str) -> Property:
        """Show an image property."""
        if name not in _NAMES:
            raise errors.NotFound(f'No image property is called {name!r}.')
        return _property(Seen(_hosts(req, req.query.get('availability_zone'))), name)

    @get('/os-capabilities/extra-specs', rule=rules.LIST, returns=Many('extra_specs', SpecView, 'show'))
    def specs(self, req: Request) -> list[spec_catalog.Spec]:
        """List the extra specs of flavors that mean something."""
        return spec_catalog.catalog()

    @post('/os-capabilities/validate', rule=rules.VALIDATE, rules=(rules.HOSTS,), ok=200,
          body=Body(ValidateBody, under='validate'), returns=One('validation', ValidationView))
    def validate(self, req: Request) -> Validation:
        """Show whether a flavor and an image make sense, and whether a host could run such servers."""
        asked = req.body['validate']
        with req.dbs.api.read() as conn:
            flavor = objects.Flavor.get_for(conn, types.last_part(str(asked['flavorRef'])), req.context)
        flavor.extra_specs = {**flavor.extra_specs, **asked.get('extra_specs', {})}
        image = _image(req, asked.get('imageRef'))
        return _validate(req, flavor, asked.get('image_properties', {}), image, asked.get('availability_zone'))


_NAMES = [name for name in objects.ImageProperties.fields if name not in ('rest', 'traits_required')]


def _property(seen: Seen, name: str) -> Property:
    kind = objects.ImageProperties.fields[name].kind
    values = VALUES.get(name)
    return Property(name, _KINDS.get(kind, 'text'), sorted(values) if values else None, seen.supported(name))


def _hosts(req: Request, zone: str | None) -> list[Host]:
    """The nodes whose hosts may be given servers, in the zone."""
    with req.dbs.api.read() as conn:
        zones = aggregate.zones(conn)

    def ask(conn: sa.Connection) -> list[objects.ComputeNode]:
        shut = {one.host for one in objects.Service.all(conn, binary='nova-compute', disabled=True)}
        return [node for node in objects.ComputeNode.all(conn) if node.host not in shut]
    found = []
    for _, nodes in req.cells.ask(ask):
        for node in nodes or ():
            here = zones.get(node.host, req.conf.default_availability_zone)
            if zone in (None, here):
                found.append(capabilities.host(here, node.stats or {}, node.supported_instances or (),
                                               node.hypervisor_version))
    return found


def _image(req: Request, ref: str | None) -> objects.ImageMeta | None:
    """
    Raises:
        Invalid: there is no such image.
    """
    try:
        return req.clients.image.show(ref, req.context) if ref else None
    except errors.image.ImageNotFound as error:
        raise errors.Invalid(error.message) from error


def _validate(req: Request, flavor: objects.Flavor, properties: Mapping[str, str],
              image: objects.ImageMeta | None, zone: str | None) -> Validation:
    known = image.properties.to_image() if image is not None else {}
    problems = _wrong_specs(flavor.extra_specs) + _wrong_properties(properties)
    if problems:
        return Validation(problems, None)
    said = objects.ImageProperties.from_image({**known, **properties}).to_image()
    try:
        request = placement_request.build(placement_request.flavor_amounts(
            flavor.vcpus, flavor.memory_mb, flavor.root_gb, flavor.ephemeral_gb, flavor.swap),
            flavor.extra_specs, properties=said)
        cells = numa.wanted(flavor.vcpus, flavor.memory_mb, flavor.extra_specs, said)
    except (placement_request.BadSpec, errors.Invalid) as error:
        return Validation([Problem('', None, str(error))], None)
    return Validation([], capabilities.judge(_hosts(req, zone), numa_providers.questions(request, cells), said,
                                             image.disk_format if image is not None else None))


def _wrong_specs(specs: Mapping[str, str]) -> list[Problem]:
    found = []
    for name, value in sorted(specs.items()):
        try:
            flavor_specs.check(name, value)
        except errors.Invalid as error:
            found.append(Problem(name, value, error.message))
    return found


def _wrong_properties(properties: Mapping[str, str]) -> list[Problem]:
    found = []
    for name, value in sorted(properties.items()):
        try:
            objects.ImageProperties.from_image({name: value})
        except errors.image.ImagePropertyInvalid as error:
            found.append(Problem(name, value, error.message))
    return found
