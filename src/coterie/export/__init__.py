"""Export: a trained team as one file for each agent, checked against the policy it came from."""

from __future__ import annotations

from coterie.export.team import Exported, export

__all__ = ["Exported", "export"]
