"""The command that says whether an environment can be trained on, and what training would see of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coterie.cli.parser import option, split
from coterie.contracts import CoterieError

if TYPE_CHECKING:
    from coterie.bridges.examine import Findings
    from coterie.bridges.hosted import HostedGame


@dataclass(frozen=True)
class Check:
    """Check an environment of your own: what training would see of it, PettingZoo's tests, and random play.

    change it:  --game.NAME VALUE, an option of your function or one of ours: reward (individual, team, sum, mean),
                horizon, metrics, workers, limit (seconds of a step), restarts, bounds (false: allow observations out
                of their space)
    example:    coterie check my_module:make_env --game.reward team
    exit:       0 if everything passed, 1 if something did not
    """

    game: str = option("module:function that makes an environment, or a game that the host steps")
    steps: int = option("steps of random play", 500)
    seed: int = option("of the episodes", 0)
    json: bool = option("print one JSON object on stdout", False)
    overrides: tuple[tuple[str, str], ...] = ()

    def run(self) -> Any:
        """Examine it and print the tables."""
        from coterie import catalogue
        from coterie.bridges.examine import examine
        from coterie.bridges.hosted import HostedGame

        game = catalogue.make(self.game, **split(self.overrides, "game"))
        game = getattr(game, "host", lambda: game)()
        if not isinstance(game, HostedGame):
            raise CoterieError(
                f"{self.game} is a game of the house, which the tests check: give module:function of your own"
            )
        found = examine(game, self.steps, self.seed)
        facts = seen(game)
        if not self.json:
            show(game, facts, found)
        asked = {each.name: {"passed": each.passed, "said": each.said} for each in found.questions}
        passed = all(each.passed is not False for each in found.questions)
        return {"game": self.game, "passed": passed, "seen": facts, "random_play": found.figures, "questions": asked}


def seen(game: HostedGame) -> dict[str, Any]:
    """What a training run would see, as JSON data."""
    from coterie.cli.explain import action_words

    spec, layout = game.spec, game.seen
    state = "its own" if layout.own_state else "all observations one after another"
    return {
        "agents": {
            name: {"type": kind, "observation": size, "action": action_words(space)}
            for name, kind, size, space in zip(
                spec.agents, spec.types, spec.observation_sizes, spec.action_spaces, strict=True
            )
        },
        "padded_observation": spec.observation_size,
        "padded_action": list(spec.legal_shape),
        "state": f"{spec.state_size} numbers, {state}",
        "mask": f"in the {layout.mask}" if layout.mask else "none: every action is always legal",
        "horizon": f"{spec.horizon} steps" + ("" if layout.said else " (the environment does not say)"),
        "reward": {"individual": "each agent its own", "team": "the same for all", "sum": "the agents' sum",
                   "mean": "the agents' mean"}[game.hosting.reward],
    }  # fmt: skip


def show(game: HostedGame, facts: dict[str, Any], found: Findings) -> None:
    """Print the agents, what else is seen, random play and the questions."""
    from rich.text import Text

    from coterie.cli.screen import say, table

    rows = [[agent, each["type"], str(each["observation"]), each["action"]] for agent, each in facts["agents"].items()]
    say(table("what training sees", ["agent", "type", "observation", "action"], rows))
    shape = " x ".join(map(str, facts["padded_action"]))
    said = [
        ("padded to", f"{facts['padded_observation']} numbers and {shape} choices for each agent"
         if game.spec.action_kind != "continuous" else f"{facts['padded_observation']} numbers, {shape} to act with"),
        *((word, facts[word]) for word in ("state", "mask", "horizon", "reward")),
    ]  # fmt: skip
    figures = found.figures
    if figures:
        said += [
            ("rewards", f"{_range(figures['rewards'])} in {figures['steps']} steps of random play"),
            ("observations", _range(figures["observations"])),
            ("episodes", f"{figures['episodes']} ended ({figures['terminated']} terminated, {figures['truncated']} "
             f"truncated)" + (f", {_range(figures['lengths'])} steps" if figures["lengths"] else "")),
            ("absent agents", f"in {figures['steps_with_absent_agents']} steps"),
            ("speed", f"{figures['steps_per_second']:,.0f} steps/s in one process, all checks included"),
        ]  # fmt: skip
    for word, text in said:
        say(Text.assemble((f"{word}: ", "bold"), str(text)))
    marks = {True: "passed", False: "FAILED", None: "note"}
    say(table("questions", ["question", "answer", "what was found"],
              [[each.name, marks[each.passed], each.said] for each in found.questions]))  # fmt: skip


def _range(ends: Sequence[float]) -> str:
    low, high = ends
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
