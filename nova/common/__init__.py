"""Pure helpers; the only package that Placement and the sandbox share with the rest."""
