"""What several papers share."""

from coterie.campaign.collection import Elsewhere, Untested

SETTINGS = Untested("A list of settings: it claims nothing.")


def battles(what: str) -> Elsewhere:
    """Figures on maps of SMAC."""
    return Elsewhere("StarCraft II", f"{what} on maps of SMAC; battles of other simulators do not speak for it.")
