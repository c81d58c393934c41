"""Weighers: which of the hosts that passed is best? One file a weigher.

A weigher says how much of something each host has; that is stretched over 0 to 1 among the hosts, times
the weigher's multiplier, and summed over all weighers. One's own derives from `BaseHostWeigher`; its import
path stands in ``[filter_scheduler] weight_classes``.
"""

import abc
import dataclasses
from collections.abc import Sequence

from oslo_config import cfg

from nova.common import folder
from nova.scheduler.filters import named
from nova.scheduler.host_state import HostState, Wanted


class BaseHostWeigher(abc.ABC):
    """A weigher.

    Attributes:
        option: ``[filter_scheduler] <option>_weight_multiplier`` holds its multiplier; aggregates may set the
            same key. None: the multiplier is 1.
        spread: stretch the amounts over 0 to 1; without it they count as they are.
    """

    option: str | None = None
    spread = True

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self.conf = conf
        self._default = 1.0 if self.option is None else float(
            getattr(conf.filter_scheduler, f'{self.option}_weight_multiplier'))

    def weight_multiplier(self, host_state: HostState) -> float:
        """How much this weigher counts for a host."""
        if self.option is None or not host_state.aggregates:
            return self._default
        return host_state.multiplier(self.option, self._default)

    @abc.abstractmethod
    def _weigh_object(self, host_state: HostState, weight_properties: Wanted) -> float:
        """How much the host has; more is better."""

    def applies(self, wanted: Wanted) -> bool:
        """Whether it has anything to say about this request."""
        return True

    def measure(self, hosts: Sequence[HostState], wanted: Wanted) -> 'Scale | None':
        """How it weighs these hosts; None where it has nothing to say of any."""
        if not self.applies(wanted):
            return None
        multipliers = [self.weight_multiplier(host) for host in hosts]
        if not any(multipliers):
            return None
        amounts = [self._weigh_object(host, wanted) for host in hosts]
        low, width = (min(amounts), max(amounts) - min(amounts)) if self.spread else (0.0, 1.0)
        weights = [(amount - low) / width * factor for amount, factor in zip(amounts, multipliers, strict=True)
                   ] if width else []
        return Scale(self, low, width, weights)

    def again(self, host: HostState, wanted: Wanted, scale: 'Scale') -> float | None:
        """What it adds to the weight of a host that has changed, on the scale of before.

        Returns None where that scale cannot tell: all hosts had the same amount then, and this one has not.
        """
        amount = self._weigh_object(host, wanted)
        if scale.width:
            return (amount - scale.low) / scale.width * self.weight_multiplier(host)
        return 0.0 if amount == scale.low else None


@dataclasses.dataclass(slots=True)
class Scale:
    """How a weigher stretched the amounts of some hosts.

    Attributes:
        low, width: what becomes 0, and how much more becomes 1; without width all have the same.
        weights: what it adds to the weight of each; empty for nothing.
    """

    weigher: BaseHostWeigher
    low: float
    width: float
    weights: list[float]


def all_weighers() -> list[type[BaseHostWeigher]]:
    """Every weigher of this folder."""
    return folder.declared(folder.modules(__name__), BaseHostWeigher)  # type: ignore[type-abstract]


def enabled(conf: cfg.ConfigOpts) -> list[BaseHostWeigher]:
    """The weighers that the configuration names.

    Raises:
        ValueError: a path that names no weigher.
    """
    classes: dict[type[BaseHostWeigher], None] = {}
    for path in conf.filter_scheduler.weight_classes:
        item = named(path)
        if isinstance(item, type) and issubclass(item, BaseHostWeigher):
            classes[item] = None
        elif callable(item):
            classes.update(dict.fromkeys(item()))
        else:
            raise ValueError(f'{path!r} is no weigher')
    return [one(conf) for one in classes]
