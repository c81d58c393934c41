"""The metadata service: what guests ask about themselves at 169.254.169.254.

`who` finds out which server asks, `servers` reads it, `vendordata` adds what the operator has to say; what is
said is `nova.domain.instance_metadata`'s. `app` puts them together.
"""
