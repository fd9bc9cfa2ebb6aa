"""The commands. Each is a frozen dataclass: its fields are the options, its docstring the help."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coterie.cli.campaign import Campaign
from coterie.cli.check import Check
from coterie.cli.exact import Exact
from coterie.cli.export import Export
from coterie.cli.parser import option, split
from coterie.cli.results import Query, Report, Search, Serve
from coterie.contracts import CoterieError


@dataclass(frozen=True)
class Train:
    """Train a team: curves, checkpoints, policies and a final evaluation in a run directory.

    change the recipe:   --recipe.gamma 0.99 --recipe.order random_sequence --recipe.surrogate.epsilon 0.1
                         --recipe.memory 64 (a GRU in the agents); coterie explain RECIPE names every field
    change the game:     --game.agents 5; coterie explain GAME describes it
    example:             coterie train a2po particle/spread --seeds 4 --steps 1_000_000 --out runs/spread
    """

    recipe: str = option("method, such as a2po")
    game: str = option("game, such as particle/spread")
    seeds: int = option("how many seeds, trained together", 1)
    first_seed: int = option("number of the first seed", 0)
    steps: int = option("environment steps of each seed", 1_000_000)
    out: str = option("run directory (default: runs/RECIPE-GAME)", "")
    resume: bool = option("go on with the run in that directory", False)
    points: int = option("log points and checkpoints at most", 50)
    evaluations: int = option("evaluations along the way", 10)
    episodes: int = option("episodes of an evaluation, each seed", 64)
    axis: Literal["map", "vmap"] = option("seeds one by one in the program, or batched", "map")
    devices: int = option("spread each seed's environments over this many devices", 1)
    log: str = option("also log to tensorboard or wandb (extra: logging)", "")
    json: bool = option("print one JSON object on stdout", False)
    overrides: tuple[tuple[str, str], ...] = ()

    def run(self) -> Any:
        """Train, showing progress, and report the final evaluation."""
        from coterie import catalogue
        from coterie.api import train
        from coterie.cli.screen import Bars, Live

        recipe = catalogue.recipe(self.recipe, split(self.overrides, "recipe"))
        out = self.out or f"runs/{self.recipe}-{self.game.replace('/', '-')}"
        with Bars() as bars:
            live = Live(f"{self.recipe} on {self.game}", bars)
            run = train(
                recipe, self.game, tuple(range(self.first_seed, self.first_seed + self.seeds)), self.steps, out,
                game_options=split(self.overrides, "game"), resume=self.resume, points=self.points,
                evaluations=self.evaluations, episodes=self.episodes, observer=live.update, axis=self.axis,
                devices=self.devices, backends=(self.log,) if self.log else (),
            )  # fmt: skip
        return finished(run.directory, self.json)


@dataclass(frozen=True)
class Resume:
    """Go on with a run that was stopped; it ends with the same bytes as one that never was."""

    directory: str = option("run directory")
    log: str = option("also log to tensorboard or wandb (extra: logging)", "")
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Train on, showing progress, and report the final evaluation."""
        from coterie.api import resume
        from coterie.cli.screen import Bars, Live

        with Bars() as bars:
            live = Live(self.directory, bars)
            run = resume(self.directory, live.update, backends=(self.log,) if self.log else ())
        return finished(run.directory, self.json)


def finished(directory: Path, as_json: bool) -> Any:
    """Draw the learning curve, and report a finished run's evaluation."""
    from coterie.campaign.pictures import curve
    from coterie.cli.screen import evaluation_table, say
    from coterie.training.files import read_json
    from coterie.training.record import EVALUATION

    evaluation = read_json(directory / EVALUATION)
    picture = curve(directory / "curve.png", {directory.name: directory})
    if not as_json:
        say(evaluation_table({name: evaluation[name] for name in ("greedy", "sampled")}, evaluation["episodes"]))
        say(f"run: {directory}   curve: {picture or 'none, no episode ended'}   replay: coterie watch {directory}")
    return {"run": str(directory), "curve": picture and str(picture), "evaluation": evaluation}


@dataclass(frozen=True)
class Evaluate:
    """Play a trained team and report its mean return with a 95 % interval."""

    directory: str = option("run directory")
    episodes: int = option("episodes for each seed", 100)
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Evaluate greedily, by sampling, and a random team beside them."""
        from coterie.api import load
        from coterie.campaign.yardsticks import random_row
        from coterie.cli.screen import evaluation_table, say

        if self.episodes < 1:
            raise CoterieError(f"--episodes is {self.episodes}: give at least 1")
        run = load(self.directory)
        found = run.assess(self.episodes)
        rows = {name: found[name] for name in ("greedy", "sampled")}
        rows["random team"] = random_row(run.game, run.seeds, self.episodes)
        if not self.json:
            say(evaluation_table(rows, self.episodes))
        return {"run": self.directory, "episodes": self.episodes, "optimum": run.game.spec.optimum, **rows}


@dataclass(frozen=True)
class Watch:
    """Draw a replay of a trained team beside a random one: an animated GIF, or an HTML page that needs no network."""

    directory: str = option("run directory")
    format: Literal["gif", "html"] = option("gif or html", "gif")
    out: str = option("file (default: replay.gif or replay.html in the run directory)", "")
    episodes: int = option("episodes, one after another", 3)
    seed: int = option("which of the run's seeds, from 0", 0)
    alone: bool = option("leave the random team out", False)
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Draw and say where."""
        from coterie.api import load
        from coterie.campaign.pictures import replay
        from coterie.cli.screen import say

        if self.episodes < 1:
            raise CoterieError(f"--episodes is {self.episodes}: give at least 1")
        path = Path(self.out or Path(self.directory) / f"replay.{self.format}")
        if path.suffix != f".{self.format}":
            raise CoterieError(f"--out {path} does not end in .{self.format}: rename it, or choose the other --format")
        returns = replay(load(self.directory), [path], self.episodes, self.seed, not self.alone)
        if not self.json:
            say(f"replay: {path}")
        return {"replay": str(path), "returns": returns}


@dataclass(frozen=True)
class List:
    """List games and recipes, or those whose names contain a word."""

    word: str = option("such as smax", "", positional=True)
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Print every name with its first line of documentation."""
        from coterie.catalogue import RECIPES, games
        from coterie.cli.screen import say, table

        found = {"recipes": RECIPES, "games": games()}
        lines = {
            kind: {
                name: (item.__doc__ or "").strip().splitlines()[0].replace("``", "")
                for name, item in items.items()
                if self.word in name
            }
            for kind, items in found.items()
        }
        if not any(lines.values()):
            raise CoterieError(f"no name contains {self.word!r}: coterie list shows them all")
        if not self.json:
            for kind, items in filter(lambda each: each[1], lines.items()):
                say(table(kind, ["name", "what it is"], [[name, line] for name, line in items.items()]))
        return lines


@dataclass(frozen=True)
class Explain:
    """Explain a recipe (its parts, equations and references) or a game."""

    name: str = option("a recipe or game")
    json: bool = option("print one JSON object on stdout", False)
    overrides: tuple[tuple[str, str], ...] = ()

    def run(self) -> Any:
        """Print the line-up."""
        from rich.text import Text

        from coterie.catalogue import RECIPES, games
        from coterie.cli.explain import explain_game, explain_recipe
        from coterie.cli.screen import say
        from coterie.fields import nearest

        known = {*RECIPES, *games()}
        if self.name not in known:
            raise CoterieError(f"there is no recipe or game {self.name!r}: {nearest(self.name, known)}")
        room, explain = ("recipe", explain_recipe) if self.name in RECIPES else ("game", explain_game)
        stray = [name for name, _ in self.overrides if not name.startswith(f"{room}.")]
        if stray:
            raise CoterieError(f"{self.name} is a {room}, so --{stray[0]} says nothing: use --{room}.NAME")
        found = explain(self.name, split(self.overrides, room))
        if not self.json:
            say(found["text"])
        return {**found, "text": Text.from_markup(found["text"]).plain}


@dataclass(frozen=True)
class Bench:
    """Measure speed: steps per second, environment, acting and update apart, the share of the machine's peak."""

    what: str = option("a benchmark or a group of them; list names them all", "quick", positional=True)
    repeats: int = option("repetitions; medians are printed", 7)
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """Measure and print medians."""
        from coterie.cli.bench import bench

        return bench(self.what, self.repeats, quiet=self.json)


@dataclass(frozen=True)
class Demo:
    """Train two teams in two minutes, compare them with a random one, draw curves and a replay."""

    out: str = option("directory for runs and pictures", "runs/demo")
    steps: int = option("environment steps of each seed", 500_000)
    seeds: int = option("seeds of each method", 4)
    game: str = option("game", "particle/spread")
    json: bool = option("print one JSON object on stdout", False)

    def run(self) -> Any:
        """The main job, end to end."""
        from coterie.cli.demo import demo

        return demo(Path(self.out), self.game, self.steps, self.seeds, self.json)


COMMANDS = (
    Train, Resume, Evaluate, Watch, Export, Check, List, Explain, Exact, Campaign, Search, Report, Serve, Query, Bench,
    Demo,
)  # fmt: skip
