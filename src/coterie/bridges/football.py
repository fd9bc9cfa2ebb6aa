"""Google Research Football (Kurach et al. 2020): its scenarios as games that the host steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from coterie.bridges.deferred import Deferred
from coterie.bridges.hosted import HostedGame, Hosting, hosted
from coterie.contracts import CoterieError
from coterie.extras import require
from coterie.fields import nearest
from coterie.games.options import number_within, one_of, variant, whole_at_least

METRICS = ("won", "scored", "score_difference")
"""Reported at the end of an episode: whether more goals were scored than conceded, own goals, and the difference."""


class Scenario(NamedTuple):
    """gfootball's name, how many players are controlled by default, how many there are to control, and what it is."""

    level: str
    agents: int
    most: int
    about: str


SCENARIOS = {
    "empty_goal_close": Scenario("academy_empty_goal_close", 1, 2, "one player with the ball before an empty goal"),
    "empty_goal": Scenario("academy_empty_goal", 1, 2, "one player runs from the middle to an empty goal"),
    "run_to_score": Scenario("academy_run_to_score", 1, 2, "one player, five defenders behind, an empty goal"),
    "run_to_score_with_keeper": Scenario("academy_run_to_score_with_keeper", 1, 2, "the same, with a keeper"),
    "pass_and_shoot_with_keeper": Scenario(
        "academy_pass_and_shoot_with_keeper", 2, 3, "two against a keeper and a defender, the ball unmarked"
    ),
    "run_pass_and_shoot_with_keeper": Scenario(
        "academy_run_pass_and_shoot_with_keeper", 2, 3, "two against a keeper and a defender close to the ball"
    ),
    "3_vs_1_with_keeper": Scenario(
        "academy_3_vs_1_with_keeper", 3, 4, "three from the edge of the box against a keeper and a defender"
    ),
    "corner": Scenario("academy_corner", 10, 11, "a corner kick, eleven against eleven"),
    "counterattack_easy": Scenario("academy_counterattack_easy", 4, 11, "a counterattack of four against two"),
    "counterattack_hard": Scenario("academy_counterattack_hard", 4, 11, "a counterattack of four against three"),
    "single_goal_versus_lazy": Scenario(
        "academy_single_goal_versus_lazy", 10, 11, "eleven against eleven that do not move off the ball"
    ),
    "1_vs_1_easy": Scenario("1_vs_1_easy", 1, 1, "one against one"),
    "5_vs_5": Scenario("5_vs_5", 4, 4, "a match of five against five; the keeper keeps to himself"),
    "11_vs_11_easy_stochastic": Scenario("11_vs_11_easy_stochastic", 10, 11, "a match against the easy built-in team"),
    "11_vs_11_stochastic": Scenario("11_vs_11_stochastic", 10, 11, "a match against the built-in team"),
    "11_vs_11_hard_stochastic": Scenario("11_vs_11_hard_stochastic", 10, 11, "a match against the hard built-in team"),
}
"""Scenarios by the name that they have here: gfootball's without ``academy_``."""


@dataclass(frozen=True)
class Football(Deferred):
    """Players of one team in Google Research Football against its built-in players (Kurach et al. 2020).

    It needs an installation of gfootball in a Python of its own (the page on football says how).

    Args:
        scenario: Who stands where, and when an episode ends.
        agents: How many players of the left team are controlled; 0 for what is usual in the scenario. Controlled are
            the same players all the time only if all that the scenario lets one control are.
        reward: ``mean``, ``sum``: all receive the mean or the sum of the agents' rewards; ``individual``: each its own.
        checkpoints: Besides 1 for a goal and -1 for a conceded one, pay 0.1 for each of ten circles around the goal
            that an agent enters with the ball for the first time.
        python: Path of football's Python; empty for what the variable COTERIE_FOOTBALL_PYTHON says.
        patience: Seconds that a step may take before football counts as hung.
        workers: Processes; 0 for one on every core. The results do not depend on it.
    """

    scenario: str = "3_vs_1_with_keeper"
    agents: int = 0
    reward: Literal["mean", "sum", "individual"] = "mean"
    checkpoints: bool = True
    python: str = ""
    patience: float = 30.0
    workers: int = 0

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise CoterieError(f"football has no scenario {self.scenario!r}: {nearest(self.scenario, SCENARIOS)}")
        for name in ("agents", "workers"):
            whole_at_least(name, getattr(self, name), 0)
        number_within("patience", self.patience, 0.1, 3600.0)
        one_of("reward", self.reward, ("mean", "sum", "individual"))
        if self.agents > (most := SCENARIOS[self.scenario].most):
            raise CoterieError(f"agents is {self.agents}: {self.scenario} lets one control at most {most} players")

    def host(self) -> HostedGame:
        """The scenario; football is started to find out what it is."""
        require("pettingzoo", "games")
        found = SCENARIOS[self.scenario]
        options = {"scenario": found.level, "agents": self.agents or found.agents, "checkpoints": self.checkpoints,
                   "python": self.python, "patience": self.patience}  # fmt: skip
        how = Hosting(self.reward, metrics=METRICS, workers=self.workers, limit=2 * self.patience)
        return hosted("coterie.bridges.football_env:FootballEnv", options, how)


def _scenario(name: str) -> Callable[..., Football]:
    return variant(Football, f"Football: {SCENARIOS[name].about} ({SCENARIOS[name].level}).", scenario=name)


GAMES = {f"football/{name}": _scenario(name) for name in SCENARIOS}
"""The games of this file by name."""
