"""Image, flavor and certificates."""


from nova.common.jsonutil import JsonObject
from nova.objects.instance import Instance
from nova.rest import types
from nova.rest.field import Document, Field, Span
from nova.schema.server import faces
from nova.schema.server.look import Look


def _image(server: Instance, look: Look) -> JsonObject | str:
    """Empty text for a server that boots from a volume."""
    if not server.image_ref:
        return ''
    return {'id': server.image_ref, 'links': [
        {'rel': 'bookmark', 'href': look.links.bookmark('images', server.image_ref)}]}


def _image_with_properties(server: Instance, look: Look) -> object:
    image, meta = _image(server, look), server.image_meta
    if isinstance(image, str):
        return image
    return {**image, 'properties': meta.properties.to_image() if meta else {}}


def _flavor_link(server: Instance, look: Look) -> JsonObject:
    flavorid = server.flavorid or ''
    return {'id': flavorid, 'links': [{'rel': 'bookmark', 'href': look.links.bookmark('flavors', flavorid)}]}


def _flavor_inline(server: Instance, look: Look) -> JsonObject:
    flavor = server.flavor
    shown = {'vcpus': flavor.vcpus, 'ram': flavor.memory_mb, 'disk': flavor.root_gb,
             'ephemeral': flavor.ephemeral_gb, 'swap': flavor.swap, 'original_name': flavor.name}
    if look.shows_extra_specs:
        shown['extra_specs'] = flavor.extra_specs or {}
    return shown


def _certificates(server: Instance, look: Look) -> list[str] | None:
    return server.trusted_certs or None


FLAVOR_LINK = {'type': 'object', 'properties': {'id': types.TEXT, 'links': types.LINKS},
               'required': ['id', 'links'], 'additionalProperties': False}
FLAVOR_INLINE = {'type': 'object', 'properties': {
    'vcpus': types.INTEGER, 'ram': types.INTEGER, 'disk': types.INTEGER, 'ephemeral': types.INTEGER,
    'swap': types.INTEGER, 'original_name': types.TEXT,
    'extra_specs': {'type': 'object', 'additionalProperties': types.TEXT}},
    'required': ['vcpus', 'ram', 'disk', 'ephemeral', 'swap', 'original_name'], 'additionalProperties': False}
IMAGE = types.either(types.enum(''), {
    'type': 'object', 'properties': {'id': types.UUID, 'links': types.LINKS}, 'additionalProperties': False})
IMAGE_WITH_PROPERTIES = types.either(types.enum(''), {
    'type': 'object', 'additionalProperties': False,
    'properties': {'id': types.UUID, 'links': types.LINKS, 'properties': types.OBJECT}})
CERTIFICATES = types.nullable(types.array(types.text(1), 1, 50, unique=True))


class ImageFlavor(Document):
    image = Field(IMAGE, 'The image it was made from.', get=_image,
                  **faces.each(lambda face: (
                      Span('2.1', '2.97'),
                      Span('2.98', type=IMAGE_WITH_PROPERTIES, get=_image_with_properties,
                           needs=('image_meta',)))))
    flavor = Field(FLAVOR_LINK, 'Its size.', get=_flavor_link,
                   **faces.each(lambda face: (
                       Span('2.1', '2.46'),
                       Span('2.47', type=FLAVOR_INLINE, get=_flavor_inline, needs=('flavor',)))))
    imageRef = Field(types.text(format='uuid-or-link'),
                     'UUID of the image, or a link to it; empty with a boot volume.',
                     create='2.1', rebuild=Span(type=types.UUID), required=('rebuild',))
    flavorRef = Field(types.FLAVOR_REF, 'Id of the flavor, or a link to it.', create='2.1', required=True)
    trusted_image_certificates = Field(
        CERTIFICATES, 'Certificates that may have signed the image.', attribute='trusted_certs',
        get=_certificates, needs=('trusted_certs',), create='2.63', rebuild='2.63', **faces.since('2.63'))
    preserve_ephemeral = Field(types.BOOLISH, 'Keep the ephemeral disks.', rebuild='2.1')
    diskConfig = Field(types.DISK_CONFIG, 'Whether the guest disk is partitioned automatically.',
                       key='OS-DCF:diskConfig', attribute='auto_disk_config', keep=lambda word: word == 'AUTO',
                       create='2.1', update='2.1', rebuild='2.1',
                       get=lambda s, look: 'AUTO' if s.auto_disk_config else 'MANUAL', **faces.ALWAYS)
