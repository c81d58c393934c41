"""The server document: every field of 2.1 to the newest, in a module by theme."""

from nova.rest.field import Field
from nova.schema.server.block import Block
from nova.schema.server.core import Core
from nova.schema.server.extended import Extended
from nova.schema.server.image_flavor import ImageFlavor
from nova.schema.server.network import Network
from nova.schema.server.placement import CreateRequest, Placement


class Server(Extended, Placement, Block, Network, ImageFlavor, Core):
    """Faces: ``create``, ``update``, ``rebuild`` (bodies); ``list``, ``detail``, ``show``, ``updated``,
    ``rebuilt`` (views of an `Instance`)."""


class ServerCreate(CreateRequest):
    """The whole body of POST /servers."""

    server = Field(Server, required=True, create='2.1')
