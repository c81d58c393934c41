"""Servers of like images together."""

from nova.scheduler.host_state import HostState, Wanted
from nova.scheduler.weights import BaseHostWeigher

_KEY = 'image_properties'


class ImagePropertiesWeigher(BaseHostWeigher):
    """Prefers hosts whose servers' images have the same properties as this one's.

    Hosts count them in their ``stats`` under ``image_properties``: how many servers, by ``name=value``. With
    ``[filter_scheduler] image_props_weight_setting`` only the properties named there count, each with its
    weight.
    """

    option = 'image_props'

    def applies(self, wanted: Wanted) -> bool:
        return bool(wanted.image)

    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        counts = host_state.stats.get(_KEY) or {}
        settings = self.conf.filter_scheduler.image_props_weight_setting
        ratios = dict(word.partition('=')[::2] for word in settings)
        return sum(counts.get(f'{name}={value}', 0) * float(ratios.get(name, 1.0) or 1.0)
                   for name, value in weight_properties.image.items() if not ratios or name in ratios)
