"""An OpenStack compute control plane: Compute API v2.1 and Placement."""
