"""The command that exports a trained team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from coterie.cli.parser import option


@dataclass(frozen=True)
class Export:
    """Export a trained team: one file for each agent, checked against the policy that was trained.

    onnx          plays in any ONNX runtime, without JAX (extra: onnx)
    safetensors   arrays and a description of the layers, for a player of your own
    stablehlo     plays with jax.export, or whatever compiles StableHLO; a JSON file beside says what it is
    """

    directory: str = option("run directory")
    format: Literal["onnx", "safetensors", "stablehlo"] = option("what to write", "onnx")
    seed: int = option("which of the run's seeds, from 0", 0)
    out: str = option("directory of the files (default: export in the run directory)", "")
    sampled: bool = option("draw actions instead of greedy ones; the randomness is one more input", False)
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Write, check, and say where."""
        from coterie.api import load
        from coterie.cli.screen import say
        from coterie.export import export

        files, gap, observations = export(load(self.directory), self.format, self.out, self.seed, self.sampled)
        if not self.json:
            say(f"export: {files[0].parent}: {', '.join(path.name for path in files)}")
            say(f"checked on {observations:,} observations of each agent, largest difference {gap:.1e}")
        return {"files": [str(path) for path in files], "format": self.format, "difference": gap,
                "observations": observations}  # fmt: skip
