"""Images and their properties."""

from nova.errors import base


class ImageNotFound(base.NotFound):
    everywhere = True
    template = 'Image {image} could not be found.'


class ImageNotActive(base.Invalid):
    template = 'Image {image} is not active.'


class ImageForbidden(base.Forbidden):
    everywhere = True
    template = 'Not allowed to use image {image}.'


class ImageUnusable(base.Invalid):
    everywhere = True
    template = 'Image {image} is unacceptable: {reason}'


class ImagePropertyInvalid(base.Invalid):
    template = "Image property '{name}' has an invalid value: {reason}"


class ImageServiceFailed(base.Unavailable):
    template = 'The image service cannot be used at this time.'


class ImageServiceAway(ImageServiceFailed):
    """It does not answer now, or asks for patience."""

    again = True


class FlavorMemoryTooSmall(base.Invalid):
    everywhere = True
    template = "Flavor's memory is too small for requested image."


class FlavorDiskTooSmall(base.Invalid):
    everywhere = True
    template = ("Flavor's disk is too small for requested image. "
                'Flavor disk is {disk} bytes, image is {image} bytes.')
