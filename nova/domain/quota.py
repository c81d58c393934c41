"""What servers count for against quotas, by what they are made of."""

from collections.abc import Mapping

from nova import objects
from nova.domain import placement_request
from nova.objects.demand import Demand


def demand(instance: objects.Instance, flavor: objects.Flavor | None = None) -> Demand:
    """What a server counts for, or would if it had another flavor."""
    made_of = flavor or instance.flavor
    image = instance.image_meta
    properties = image.properties.to_image() if image is not None else {}
    return Demand(made_of.vcpus, made_of.memory_mb,
                  resources(made_of, properties, volume_backed=instance.is_volume_backed))


def resources(flavor: objects.Flavor, properties: Mapping[str, object], *, volume_backed: bool = False
              ) -> dict[str, int]:
    """What a server of a flavor and an image asks of Placement, by resource class.

    Of a flavor whose extra specs no request can say only the amounts count: the scheduler refuses its servers.
    """
    amounts = placement_request.flavor_amounts(flavor.vcpus, flavor.memory_mb, flavor.root_gb,
                                               flavor.ephemeral_gb, flavor.swap, volume_backed=volume_backed)
    try:
        request = placement_request.build(amounts, flavor.extra_specs, properties=properties)
    except placement_request.BadSpec:
        return {name: amount for name, amount in sorted(amounts.items()) if amount}
    return dict(sorted(request.amounts().items()))
