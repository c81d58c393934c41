"""The Placement service: what there is, what is taken, and where something would still fit."""
