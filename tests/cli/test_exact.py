"""``coterie exact``: the table, its JSON, and bad input."""

import json

FEW = ("--games", 27, "--climb", 2)


def test_table_and_json(call):
    shown = call("exact", *FEW)
    assert shown.status == 0 and shown.err == ""
    assert "advantage_decomposition" in shown.out and "holds, but vacuous" in shown.out
    assert "perla_theorem_5 as printed: counterexample with 2 states, 2 x 2 actions" in shown.out
    assert "perla_theorem_4 holds with C = sup |Q|: worst 0." in shown.out
    answer = call("exact", *FEW, "--only", "perla_theorem_5", "--json")
    assert answer.status == 0 and answer.out.count("\n") == 1
    row = json.loads(answer.out)["claims"]["perla_theorem_5"]
    assert row["verdict"] == "fails: counterexample" and row["counterexample"]["ratio"] > 1.2
    assert row["games"] == 27 and row["counterexample"]["game"]["actions"] == [2, 2]


def test_bad_input(refused):
    assert refused("exact", "--only", "dpo_lemma") == "there is no claim 'dpo_lemma': did you mean dpo_lemma_3_1?"
    assert refused("exact", "--games", 0).startswith("0 games from seed 0, 100 steps of climbing: give at least 1 game")
