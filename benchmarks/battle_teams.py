"""Battles of teams that have not learnt: yardsticks on every map, and the behaviours that maps were made for.

    python benchmarks/battle_teams.py --episodes 500
    python benchmarks/battle_teams.py --maps MMM   # these again; the others stay in the file
    python benchmarks/battle_teams.py --table      # the tables of docs/battle.md, from the file

Win rates with Wilson's 95 % intervals, means of returns and lengths with t-intervals; differences of win rates with
Newcombe's interval, of mean returns with Welch's. All teams meet the same starts and dice as long as they act alike.
Writes ``benchmarks/results/battle_teams.json``.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import jax
import numpy as np
from scipy.stats import binomtest, t

from coterie.contracts import Game, Team
from coterie.games.battle import GAMES
from coterie.games.battle.maps import MAPS
from coterie.games.battle.scripted import battle_team
from coterie.games.scripted import random_team
from coterie.training.evaluate import play
from coterie.training.files import read_json, write_json

FILE = Path(__file__).parent / "results" / "battle_teams.json"
TEAMS = ("random", "nearest", "weakest", "stop")
PAIRS = (
    ("3s_vs_3z", "kiting", "nearest"), ("3s_vs_4z", "kiting", "nearest"), ("3s_vs_5z", "kiting", "nearest"),
    ("5m_vs_6m", "focus", "nearest"), ("corridor", "choke", "open"), ("so_many_baneling", "spread", "bunched"),
    ("MMM", "healing", "unhealed"),
)  # fmt: skip
"""Map, the behaviour, and what it is compared with."""
SWITCHED = {
    "ladder": ({"balance": "ladder"}, {
        "2c_vs_64zg": ("random", "nearest"), "1c3s5z": ("random", "nearest"),
        "3s_vs_5z": ("random", "nearest", "kiting"),
    }),
    "chase": ({"chase": "nearest"}, {
        "5m_vs_6m": ("nearest", "focus"), "2s3z": ("nearest", "weakest"), "3s5z": ("nearest", "weakest"),
        "MMM": ("nearest", "healing", "unhealed"), "corridor": ("open", "choke"),
    }),
}  # fmt: skip
"""Maps that are played with other options, too, and by whom."""
REAL = {
    "3m": (16.5, 22.9), "8m": (16.9, 32.6), "5m_vs_6m": (18.2, 25.7), "2s3z": (20.0, 42.4), "3s_vs_5z": (21.2, 120),
    "6h_vs_8z": (19.0, 45.6), "2c_vs_64zg": (19.9, 59.2), "corridor": (19.9, 100), "3s5z_vs_3s6z": (16.6, 136),
}  # fmt: skip
"""Mean return and length of trained teams on the real SMAC: the best data set of each map on OG-MARL's cards."""
SMACLITE = {
    "2s3z": ((0.00, 3.9, 46), (1.00, 20.0, 54), (0.00, 10.1, 42)),
    "3s5z": ((0.00, 4.2, 51), (0.00, 9.2, 35), (0.00, 8.1, 37)),
    "3s5z_vs_3s6z": ((0.00, 3.6, 53), (0.00, 9.9, 37), (0.00, 6.8, 35)),
    "3s_vs_5z": ((0.00, 3.4, 46), (0.00, 4.9, 27), (0.00, 4.6, 26)),
    "2s_vs_1sc": ((0.00, 1.3, 66), (0.00, 10.0, 32), (0.00, 10.0, 32)),
    "10m_vs_11m": ((0.00, 2.0, 37), (0.00, 11.2, 22), (0.00, 10.4, 21)),
    "MMM": ((0.00, 2.3, 57), (0.49, 19.8, 80), (1.00, 24.6, 56)),
    "MMM2": ((0.00, 1.8, 46), (0.00, 8.5, 39), (0.00, 9.2, 45)),
    "corridor": ((0.00, 2.6, 31), (0.00, 13.7, 33), (0.00, 8.5, 36)),
    "bane_vs_bane": ((0.52, 14.4, 20), (0.49, 15.9, 13), (0.11, 4.4, 13)),
    "27m_vs_30m": ((0.00, 2.6, 51), (0.00, 11.9, 25), (0.00, 10.6, 26)),
    "2c_vs_64zg": ((1.00, 20.8, 62), (1.00, 20.3, 49), (1.00, 20.2, 51)),
}
"""Win rate, return and length of random, nearest and weakest in SMAClite (measured apart, 12 to 100 episodes)."""


def fought(game: Game, team: Team, seed: int, episodes: int) -> dict[str, Any]:
    """The figures of one team on one map, and what they are computed from under ``raw``."""
    played = jax.jit(lambda key: play(game, team, key, episodes))(jax.random.key(seed))
    won = np.asarray(played.info["won"]) > 0
    raw = {"won": won, "return": np.asarray(played.returns, float), "length": np.asarray(played.lengths, float)}
    ends = binomtest(int(won.sum()), episodes).proportion_ci(method="wilson")
    found: dict[str, Any] = {"won": {"share": won.mean(), "low": ends.low, "high": ends.high}, "raw": raw}
    for name in ("return", "length"):
        mean, error = raw[name].mean(), raw[name].std(ddof=1) / math.sqrt(episodes)
        reach = t.ppf(0.975, episodes - 1) * error
        found[name] = {"mean": mean, "low": mean - reach, "high": mean + reach}
    for side in ("allies", "enemies"):
        found[f"dead_{side}"] = np.asarray(played.info[f"dead_{side}"], float).mean()
    return found


def difference(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """How much better ``a`` is than ``b``: win rates (Newcombe's interval) and returns (Welch's)."""
    p, q = a["won"], b["won"]
    gap = p["share"] - q["share"]
    low = gap - math.hypot(p["share"] - p["low"], q["high"] - q["share"])
    high = gap + math.hypot(p["high"] - p["share"], q["share"] - q["low"])
    x, y = a["raw"]["return"], b["raw"]["return"]
    parts = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    total = sum(parts)
    freedom = total**2 / (parts[0] ** 2 / (len(x) - 1) + parts[1] ** 2 / (len(y) - 1)) if total else 1.0
    reach = t.ppf(0.975, freedom) * math.sqrt(total)
    mean = x.mean() - y.mean()
    return {"won": {"difference": gap, "low": low, "high": high},
            "return": {"difference": mean, "low": mean - reach, "high": mean + reach}}  # fmt: skip


def rounded(value: Any) -> Any:
    """Without what is only computed with, and numbers to four digits."""
    if isinstance(value, dict):
        return {name: rounded(item) for name, item in value.items() if name != "raw"}
    return round(float(value), 4)


def tables(document: dict[str, Any]) -> str:
    """The tables of docs/battle.md."""
    lines = ["| map | random | nearest | weakest | real SMAC, trained | SMAClite: random, nearest, weakest |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name in sorted(document["maps"], key=list(MAPS).index):
        teams = document["maps"][name]
        cells = [_cell(teams[team]) for team in TEAMS[:3]]
        real = "/ {:.1f} / {:g}".format(*REAL[name]) if name in REAL else ""
        other = ", ".join("{:.2f} / {:.1f} / {:g}".format(*cell) for cell in SMACLITE.get(name, ()))
        lines.append(f"| `{name}` | {' | '.join([*cells, real, other])} |")
    lines += ["", "| map | behaviour | it | without | more wins | more return |", "|---|---|---|---|---|---|"]
    for name, it, without in PAIRS:
        pair = document["pairs"][name]
        gaps = (f"{gap['difference']:+.2f} [{gap['low']:+.2f}, {gap['high']:+.2f}]"
                for gap in (pair["difference"]["won"], pair["difference"]["return"]))  # fmt: skip
        lines.append(f"| `{name}` | {it}, not {without} | {_cell(pair[it])} | {_cell(pair[without])} | "
                     f"{' | '.join(gaps)} |")  # fmt: skip
    for title, (options, _) in SWITCHED.items():
        said = ", ".join(f"{key}={value}" for key, value in options.items())
        lines += ["", f"| map, `{said}` | team | |", "|---|---|---|"]
        for name, teams in document.get(title, {}).items():
            lines += [f"| `{name}` | {team} | {_cell(found)} |" for team, found in teams.items()]
    return "\n".join(lines)


def _cell(found: dict[str, Any]) -> str:
    won = found["won"]
    return (f"{won['share']:.2f} [{won['low']:.2f}, {won['high']:.2f}] / {found['return']['mean']:.1f} / "
            f"{found['length']['mean']:.0f}")  # fmt: skip


def main() -> None:
    """Fight, write, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--maps", nargs="*", default=list(MAPS), choices=list(MAPS))
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--table", action="store_true", help="print the tables of the file that is there")
    given = parser.parse_args()
    if given.table:
        print(tables(read_json(given.file)))
        return
    document: dict[str, Any] = {"episodes": given.episodes, "seed": given.seed, "maps": {}, "pairs": {},
                                **{title: {} for title in SWITCHED}}  # fmt: skip
    if given.file.exists() and len(given.maps) < len(MAPS):
        before = read_json(given.file)
        document |= before if all(before[name] == document[name] for name in ("episodes", "seed")) else {}
    for name in given.maps:
        pair = next((pair[1:] for pair in PAIRS if pair[0] == name), ())
        found = {title: fight(name, title, given) for title in dict.fromkeys((*TEAMS, *pair))}
        document["maps"][name] = rounded({title: found[title] for title in TEAMS})
        if pair:
            gap = difference(*(found[title] for title in pair))
            document["pairs"][name] = rounded({**{title: found[title] for title in pair}, "difference": gap})
        for title, (options, maps) in SWITCHED.items():
            if name in maps:
                document[title][name] = rounded({team: fight(name, team, given, **options) for team in maps[name]})
        write_json(given.file, document)


def fight(name: str, title: str, given: argparse.Namespace, **options: Any) -> dict[str, Any]:
    """The figures of a team by name, printed as they come."""
    game = GAMES[f"battle/{name}"](**options)
    team = random_team(game.spec) if title == "random" else battle_team(game, title)
    found = fought(game, team, given.seed, given.episodes)
    print(f"{name:18}{title:10}{_cell(found)}", *options.values(), flush=True)
    return found


if __name__ == "__main__":
    main()
