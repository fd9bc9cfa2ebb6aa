"""One run of a campaign in a process of its own: train (or go on), evaluate, draw.

    python -m coterie.campaign.job DIRECTORY METHOD GAME CORES

An engine starts it and holds its standard input: when that closes, the engine is gone and the process ends at once. The
run's checkpoint is kept, and the next engine goes on from it.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from coterie import cores

REPLAY_EPISODES = 2


def main(words: list[str]) -> int:
    """Run one job; the exit status is 0 if it is done, 3 if it failed and ``failure.json`` says why."""
    directory, method, game, count = Path(words[0]), words[1], words[2], int(words[3])
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    cores.pin(count)
    os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(count))
    from coterie.contracts import CoterieError
    from coterie.training.session import Interrupted

    try:
        work(directory, method, game)
    except Interrupted:
        return 130
    except CoterieError as error:
        record_failure(directory, method, game, str(error))
        return 3
    except Exception as error:
        record_failure(directory, method, game, f"{type(error).__name__}: {error}".splitlines()[0])
        raise
    return 0


def _end_with_the_engine() -> None:
    while os.read(0, 4096):  # not sys.stdin: a thread that waits there makes Python abort when the run ends
        pass
    os._exit(143)


def record_failure(directory: Path, method: str, game: str, error: str) -> None:
    """Leave the reason where the report finds it."""
    from coterie.campaign import plan
    from coterie.training.files import write_json

    write_json(plan.read(directory).entry(method, game).directory / plan.FAILURE, {"error": error})


def work(directory: Path, method: str, game: str) -> None:
    """Train to the end, note what a random team earns on the game, and draw a replay."""
    from coterie.api import train
    from coterie.campaign import plan
    from coterie.campaign.pictures import replay
    from coterie.campaign.yardsticks import random_row
    from coterie.compiled import cache
    from coterie.contracts import Drawable
    from coterie.games.matrix import MatrixGame
    from coterie.training import checkpoint
    from coterie.training.files import write_json
    from coterie.training.record import CHECKPOINTS

    cache()
    known = plan.read(directory)
    entry = known.entry(method, game)
    (entry.directory / plan.FAILURE).unlink(missing_ok=True)
    run = train(
        plan.recipe(entry), entry.game_name, entry.seeds, entry.steps, entry.directory, game_options=entry.options,
        resume=True, points=known.document["points"], episodes=known.document["episodes"],
        axis=known.document.get("axis", "map"),
    )  # fmt: skip
    note = plan.game_file(directory, game)
    if not note.exists():
        random = random_row(run.game, entry.seeds, known.document["episodes"])
        table = run.game.table() if isinstance(run.game, MatrixGame) and run.game.spec.n_agents == 2 else None
        write_json(note, {"random": random, "optimum": run.game.spec.optimum, "horizon": run.game.spec.horizon,
                          "payoff": table})  # fmt: skip
    if isinstance(run.game, Drawable):
        replay(run, [entry.directory / plan.REPLAY], REPLAY_EPISODES, 0, beside_random=True)
    write_json(entry.directory / plan.FINISHED, {"seeds": entry.seeds, "steps": entry.steps})
    checkpoint.prune(entry.directory / CHECKPOINTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
