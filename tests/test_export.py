"""Exported teams: the same policies in three formats, each agent by itself, and refused when they are not the same."""

import dataclasses
import json
import re
import shutil
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from jax import export as jax_export
from safetensors import safe_open

import coterie
from coterie.cli.export import Export
from coterie.cli.parser import read
from coterie.export import export
from coterie.export.agent import AgentPolicy
from coterie.export.formats import FORMATS
from coterie.export.forward import forward
from coterie.export.team import _names
from coterie.fields import encode
from coterie.nets.networks import Network
from coterie.policy.critic import SharedTrunk
from coterie.policy.learner import PolicyLearner
from coterie.training.engine import begin

SIZES = {"environments": 4, "rollout": 8, "minibatches": 1, "epochs": 1, "critic_epochs": 1}
NETS = {"actor": Network((8,)), "critic": Network((8,))}
RECIPES = coterie.recipes
KINDS = {
    "feed-forward": (dataclasses.replace(RECIPES.mappo(), **SIZES, **NETS), "particle/spread", {"length": 6}),
    "recurrent": (RECIPES.recurrent(dataclasses.replace(RECIPES.mappo(), **SIZES), 4), "probe/mixed", {}),
    "own parameters": (dataclasses.replace(RECIPES.happo(), **SIZES, **NETS), "probe/multi_discrete", {}),
    "continuous": (
        dataclasses.replace(RECIPES.ippo(), **SIZES, actor=Network((8,), 0, (6,), "relu", True), critic=SharedTrunk()),
        "probe/continuous", {"agents": 3},
    ),
}  # fmt: skip
ONNX = ("onnx", "jax2onnx", "onnxruntime")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "export.md"


def shaken(run):
    """The same run with parameters far from where they begin: biases count, and no choice is as good as another."""
    generator = np.random.default_rng(1)
    stir = lambda x: x + 0.4 * generator.standard_normal(x.shape).astype(np.float32)  # noqa: E731
    state = run.loops.learner
    state = state._replace(actor=jax.tree.map(stir, jax.device_get(state.actor)))
    return dataclasses.replace(run, loops=run.loops._replace(learner=state))


@pytest.fixture(scope="module")
def teams(tmp_path_factory):
    """A run of each kind, made when it is first asked for; the feed-forward one is trained, the others just begun."""
    made, place = {}, tmp_path_factory.mktemp("teams")

    def team(kind):
        if kind not in made:
            recipe, name, options = KINDS[kind]
            if kind == "feed-forward":
                run = coterie.train(recipe, name, seeds=2, steps=32, points=1, episodes=1, out=place / kind,
                                    game_options=options)  # fmt: skip
            else:
                game = coterie.make(name, **options)
                learner = PolicyLearner(recipe, game.spec).checked()
                said = {"recipe": encode(recipe), "game": {"name": name, "options": options}, "seeds": [0]}
                run = coterie.Run(place / kind, said, game, learner, begin(game, learner, (0,)))
            made[kind] = shaken(run)
        return made[kind]

    return team


@pytest.fixture(scope="module")
def exported(teams, tmp_path_factory):
    """What ``export`` returns for a kind in a format, made when it is first asked for."""
    made = {}

    def files(kind, form):
        if form == "onnx":
            for package in ONNX:
                pytest.importorskip(package)
        if (kind, form) not in made:
            made[kind, form] = export(teams(kind), form, tmp_path_factory.mktemp("export"))
        return made[kind, form]

    return files


def document(path):
    """What a file says of itself, as a stranger reads it."""
    if path.suffix == ".onnx":
        props = pytest.importorskip("onnx").load(path).metadata_props
        return json.loads({each.key: each.value for each in props}["coterie"])
    if path.suffix == ".stablehlo":
        return json.loads(path.with_suffix(".json").read_text())
    with safe_open(path, "np") as file:
        return json.loads(file.metadata()["coterie"].partition(" ")[2])["meta"]


def player(path):
    """Inputs by name to outputs by name, with what a stranger would open the file with."""
    said = document(path)
    inputs, outputs = ([each["name"] for each in said[side]] for side in ("inputs", "outputs"))
    if path.suffix == ".onnx":
        session = pytest.importorskip("onnxruntime").InferenceSession(str(path))
        assert [each.name for each in session.get_inputs()] == inputs
        return lambda given: dict(zip(outputs, session.run(outputs, given), strict=True))
    if path.suffix == ".stablehlo":
        call = jax.jit(jax_export.deserialize(bytearray(path.read_bytes())).call)
        return lambda given: dict(zip(outputs, map(np.asarray, call(*(given[name] for name in inputs))), strict=True))
    with safe_open(path, "np") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return lambda given: forward(np, said, arrays, given)


def policies(result):
    return [path for path in result.files if path.suffix != ".json"]


def given(said, batch, generator):
    """Random inputs of the shapes and dtypes that a document names; of every mask some choice is legal."""
    made = {}
    for each in said["inputs"]:
        shape = (batch, *each["shape"][1:])
        made[each["name"]] = generator.standard_normal(shape).astype(np.float32)
        if each["dtype"] == "bool":
            made[each["name"]] = allowed(said, generator.random(shape) < 0.6)
    return made


def allowed(said, legal):
    """A mask without the padding of components with fewer choices, and with at least one choice."""
    legal = legal & (np.arange(legal.shape[-1]) < np.array(said["action_space"]["sizes"])[..., None])
    legal[..., 0] |= ~legal.any(axis=-1)
    return legal


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_the_policy(teams, exported, kind, form, record_property):
    """Compared with ``coterie.Policy``, one call at a time, for the length of an episode and more."""
    run, result = teams(kind), exported(kind, form)
    record_property("difference", result.difference)
    assert result.difference <= 1e-5 and result.observations == 1000
    assert len(policies(result)) == run.game.spec.n_agents
    generator = np.random.default_rng(3)
    for path in policies(result):
        said, step = document(path), player(path)
        policy = run.policies[said["index"]]
        assert path.stem == said["agent"] == run.game.spec.agents[said["index"]]
        memory = mine = np.asarray(policy.start()) if "memory" in [each["name"] for each in said["inputs"]] else None
        for _ in range(6):
            inputs = given(said, 1, generator)
            if memory is not None:
                inputs["memory"] = mine[None]
            found = step(inputs)
            legal = run.game.spec.legal[said["index"]].copy()
            if "legal" in inputs:
                legal[tuple(map(slice, inputs["legal"].shape[1:]))] = inputs["legal"][0]
            expected = policy(inputs["observation"][0], memory, legal=legal)
            if memory is not None:
                (expected, memory), mine = expected, np.asarray(found["next_memory"][0])
                np.testing.assert_allclose(mine, memory, atol=1e-5)
            np.testing.assert_allclose(found["action"][0], expected, atol=1e-5)
            assert found["action"].dtype == (np.int32 if "legal" in inputs else np.float32)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_its_rows(exported, kind, form):
    path = policies(exported(kind, form))[-1]
    said, step = document(path), player(path)
    inputs = given(said, 5, np.random.default_rng(4))
    whole = step(inputs)
    for row in range(5):
        alone = step({name: x[row : row + 1] for name, x in inputs.items()})
        for each in said["outputs"]:
            np.testing.assert_allclose(alone[each["name"]][0], whole[each["name"]][row], atol=1e-6)
            assert list(alone[each["name"]].shape) == [1, *each["shape"][1:]]
            assert alone[each["name"]].dtype == each["dtype"]


@pytest.mark.parametrize("kind", ["recurrent", "own parameters", "feed-forward"])
@pytest.mark.parametrize("form", FORMATS)
def test_masks_are_respected(exported, kind, form):
    generator = np.random.default_rng(5)
    for path in policies(exported(kind, form)):
        said, step = document(path), player(path)
        for legal in (generator.random, lambda shape: np.eye(shape[-1])[np.zeros(shape[:-1], int)]):
            inputs = given(said, 8, generator)
            mask = allowed(said, legal(inputs["legal"].shape) > 0.5)
            padded = np.arange(mask.shape[-1]) >= np.array(said["action_space"]["sizes"])[..., None]
            found = step({**inputs, "legal": mask | padded})
            assert np.take_along_axis(mask, found["action"][..., None], -1).all()
            np.testing.assert_array_equal(found["logits"] < -1e8, ~mask)
            np.testing.assert_allclose(np.exp(found["logits"]).sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_holds_one_slot_and_no_way_in_for_others(teams, exported, kind, form):
    run = teams(kind)
    params = run.learner.policy(run.state())
    value_heads = run.learner.actor.outputs - run.learner.family.size
    width = params["net"]["output"]["weight"].shape[1]
    one = sum(x[0].size for x in jax.tree.leaves(params)) - value_heads * (width + 1)
    for path in policies(exported(kind, form)):
        said = document(path)
        own = {"observation", "legal", "memory", "noise"}
        assert {each["name"] for each in said["inputs"]} <= own and said["inputs"][0]["name"] == "observation"
        assert said["inputs"][0]["shape"] == ["batch", run.game.spec.observation_sizes[said["index"]]]
        if form == "safetensors":
            with safe_open(path, "np") as file:
                assert sum(file.get_tensor(name).size for name in file.keys()) == one  # noqa: SIM118
        if form == "onnx":
            graph = pytest.importorskip("onnx").load(path).graph
            held = sum(np.prod(each.dims) for each in graph.initializer if each.data_type == 1)
            constants = len(graph.initializer) + run.game.spec.n_agents + run.game.spec.observation_size
            assert abs(held - one) <= constants + 3 * run.game.spec.components


@pytest.mark.parametrize("form", ["safetensors", "stablehlo"])
def test_the_parameters_of_others_do_not_matter(teams, exported, tmp_path, form):
    run = teams("own parameters")
    state = jax.device_get(run.loops.learner)
    other = jax.tree.map(lambda x: np.concatenate([x[:, :1], 7 - x[:, 1:]], axis=1), state.actor)
    changed = dataclasses.replace(run, loops=run.loops._replace(learner=state._replace(actor=other)))
    before, after = (policies(result) for result in (exported("own parameters", form), export(changed, form, tmp_path)))
    assert before[0].read_bytes() == after[0].read_bytes() and before[1].read_bytes() != after[1].read_bytes()


@pytest.mark.parametrize("kind", ["own parameters", "continuous", "recurrent"])
def test_sampled_actions_follow_the_distribution(teams, tmp_path, kind):
    result = export(teams(kind), "safetensors", tmp_path, sampled=True)
    assert result.difference <= 1e-5
    generator = np.random.default_rng(6)
    said, step = document(result.files[0]), player(result.files[0])
    inputs = {name: np.repeat(x, 20_000, axis=0) for name, x in given(said, 1, generator).items()}
    draw = generator.random if "legal" in inputs else generator.standard_normal
    inputs["noise"] = draw(inputs["noise"].shape).astype(np.float32)
    found = step(inputs)
    if "legal" in inputs:
        choices = found["logits"].shape[-1]
        share = (found["action"][..., None] == np.arange(choices)).mean(axis=0)
        np.testing.assert_allclose(share, np.exp(found["logits"][0]), atol=0.02)
    else:
        low, high = (np.array(said["action_space"][bound]) for bound in ("low", "high"))
        latent = np.arctanh((found["action"].astype(float) - (low + high) / 2) / (high - low) * 2)
        np.testing.assert_allclose(np.median(latent, axis=0), found["mean"][0], atol=0.05)


@pytest.mark.parametrize("form", FORMATS)
def test_what_a_file_says_of_itself(teams, exported, form):
    run = teams("continuous")
    for agent, path in enumerate(policies(exported("continuous", form))):
        said = document(path)
        assert (said["format"], said["agent"], said["observation_size"]) == (1, f"agent_{agent}", 1)
        assert said["game"] == {"name": "probe/continuous", "options": {"agents": 3}}
        assert said["recipe"] == run.document["recipe"] and said["recipe"]["name"] == "ippo"
        assert said["action_space"] == {"kind": "continuous", "sizes": [], "low": [-1.0] * (1 + agent % 2),
                                        "high": [1.0, 2.0][: 1 + agent % 2]}  # fmt: skip
        assert b".py" not in path.read_bytes()  # nor anything else of the place where it was made
        assert said["coterie"] == coterie.__version__ and said["seed"] == 0 and said["actions"] == "greedy"


def test_a_file_that_differs_is_refused_and_an_earlier_one_stays(teams, tmp_path, monkeypatch):
    run = teams("feed-forward")
    good = {path: path.read_bytes() for path in export(run, "safetensors", tmp_path).files}
    whole = FORMATS["safetensors"]

    def bent(path, policy):
        arrays = {name: x + np.float32(3e-4 * ("agent_1" in path.name)) for name, x in policy.arrays.items()}
        whole.write(path, policy._replace(arrays=arrays))

    monkeypatch.setitem(FORMATS, "safetensors", whole._replace(write=bent))
    for place in (tmp_path, tmp_path / "fresh"):
        with pytest.raises(coterie.CoterieError, match=r"^agent_1.safetensors differs from the policy of agent_1 by "):
            export(run, "safetensors", place, seed=1)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.*")} == good
    assert not list((tmp_path / "fresh").rglob("*"))


@dataclasses.dataclass(frozen=True)
class OnTheHost:
    """A game that looks at what it is told, which a traced program cannot."""

    inner: object
    spec = property(lambda self: self.inner.spec)

    def reset(self, key):
        return self.inner.reset(key)

    def step(self, key, state, action):
        return self.inner.step(key, state, np.asarray(action) + 0)


def test_bad_input(teams, tmp_path, monkeypatch):
    run = teams("feed-forward")

    def refused(*words, **changes):
        with pytest.raises(coterie.CoterieError) as caught:
            export(dataclasses.replace(run, **changes), *words)
        assert "\n" not in str(caught.value) and not list(tmp_path.rglob("*.*"))
        return str(caught.value)

    assert refused("onxx", tmp_path) == "there is no export format 'onxx': did you mean onnx?"
    assert refused("safetensors", tmp_path, 2) == "the run has seeds numbered 0 to 1, not 2"
    assert refused("safetensors", tmp_path, game=OnTheHost(run.game)).startswith(
        "the game particle/spread cannot be traced (The numpy.ndarray conversion method __array__() was called on "
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    wanted = "the package onnxruntime is not installed: pip install 'coterie[onnx]'"
    assert refused("onnx", tmp_path) == wanted
    (tmp_path / "file").write_text("mine")
    assert refused("safetensors", tmp_path / "file").startswith(f"cannot write {tmp_path}/file/")


def test_the_command(teams, tmp_path, capsys):
    directory = shutil.copytree(teams("feed-forward").directory, tmp_path / "run")
    found = read((Export,), ["export", str(directory), "--format", "safetensors", "--seed", "1"]).run()
    assert found["files"] == [f"{directory}/export/agent_{i}.safetensors" for i in range(3)]
    assert found["difference"] <= 1e-5 and found["observations"] == 1000
    said = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "agent_0.safetensors" in said and "checked on 1,000 observations of each agent, largest difference" in said
    assert document(directory / "export" / "agent_0.safetensors")["seed"] == 1
    with pytest.raises(coterie.CoterieError, match="^--format cannot be 'onxx': give onnx, safetensors or stablehlo"):
        read((Export,), ["export", str(directory), "--format", "onxx"])
    with pytest.raises(coterie.CoterieError, match=re.escape(f"{tmp_path} holds no run (it has no run.json)")):
        Export(str(tmp_path)).run()


def test_agents_of_one_name_get_files_of_their_own():
    names = [AgentPolicy({"agent": name}, {}) for name in ("scout", "red/1", "scout", "red_1")]
    assert _names(names) == ["0_scout", "1_red_1", "2_scout", "3_red_1"]


def test_python_of_the_page_runs(teams, tmp_path, monkeypatch):
    shutil.copytree(teams("feed-forward").directory, tmp_path / "runs" / "spread")
    monkeypatch.chdir(tmp_path)
    scope = {"__name__": "docs_export"}
    for code in re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        exec(compile(code, "docs/export.md", "exec"), scope)
    assert len(list((tmp_path / "runs" / "spread" / "export").iterdir())) == 9
