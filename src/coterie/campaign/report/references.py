"""References of the parts that a recipe is made of, found in their docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from coterie import catalogue
from coterie.fields import part_name
from coterie.recipes import RECIPES, AnyRecipe

WORKS: dict[tuple[str, ...], tuple[str, str, str]] = {
    ("A2PO", "Wang et al. 2023"): (
        "X. Wang, Z. Tian, Z. Wan, Y. Wen, J. Wang, W. Zhang",
        "Order Matters: Agent-by-agent Policy Optimization", "ICLR 2023, arXiv:2302.06205"),
    ("HAPPO", "Kuba et al. 2022"): (
        "J. G. Kuba, R. Chen, M. Wen, Y. Wen, F. Sun, J. Wang, Y. Yang",
        "Trust Region Policy Optimisation in Multi-Agent Reinforcement Learning", "ICLR 2022, arXiv:2109.11251"),
    ("CoPPO", "Wu et al. 2021"): (
        "Z. Wu, C. Yu, D. Ye, J. Zhang, H. Piao, H. H. Zhuo",
        "Coordinated Proximal Policy Optimization", "NeurIPS 2021, arXiv:2111.04051"),
    ("MAPPO", "Yu et al. 2022", "2103.01955"): (
        "C. Yu, A. Velu, E. Vinitsky, J. Gao, Y. Wang, A. Bayen, Y. Wu",
        "The Surprising Effectiveness of PPO in Cooperative Multi-Agent Games",
        "NeurIPS 2022, Datasets and Benchmarks, arXiv:2103.01955"),
    ("IPPO", "de Witt et al. 2020"): (
        "C. Schroeder de Witt, T. Gupta, D. Makoviichuk, V. Makoviychuk, P. H. S. Torr, M. Sun, S. Whiteson",
        "Is Independent Learning All You Need in the StarCraft Multi-Agent Challenge?", "arXiv:2011.09533, 2020"),
    ("DPO", "Su and Lu 2024"): (
        "K. Su, Z. Lu", "A Fully Decentralized Surrogate for Multi-Agent Policy Optimization",
        "TMLR 2024, arXiv:2211.03032"),
    ("OptiMAPPO", "Zhao et al. 2024"): (
        "W. Zhao, Y. Zhao, Z. Li, J. Kannala, J. Pajarinen",
        "Optimistic Multi-Agent Policy Gradient", "ICML 2024, arXiv:2311.01953"),
    ("Matignon et al. 2007",): (
        "L. Matignon, G. J. Laurent, N. Le Fort-Piat",
        "Hysteretic Q-Learning: an Algorithm for Decentralized Reinforcement Learning in Cooperative Multi-Agent Teams",
        "IROS 2007"),
    ("Schulman et al. 2017",): (
        "J. Schulman, F. Wolski, P. Dhariwal, A. Radford, O. Klimov",
        "Proximal Policy Optimization Algorithms", "arXiv:1707.06347, 2017"),
    ("Schulman et al. 2016",): (
        "J. Schulman, P. Moritz, S. Levine, M. I. Jordan, P. Abbeel",
        "High-Dimensional Continuous Control Using Generalized Advantage Estimation", "ICLR 2016, arXiv:1506.02438"),
    ("EPyMARL",): (
        "G. Papoudakis, F. Christianos, L. Schäfer, S. V. Albrecht",
        "Benchmarking Multi-Agent Deep Reinforcement Learning Algorithms in Cooperative Tasks",
        "NeurIPS 2021, Datasets and Benchmarks, arXiv:2006.07869"),
    ("Mnih et al. 2016",): (
        "V. Mnih, A. P. Badia, M. Mirza, A. Graves, T. P. Lillicrap, T. Harley, D. Silver, K. Kavukcuoglu",
        "Asynchronous Methods for Deep Reinforcement Learning", "ICML 2016, arXiv:1602.01783"),
    ("Adam",): (
        "D. P. Kingma, J. Ba", "Adam: A Method for Stochastic Optimization", "ICLR 2015, arXiv:1412.6980"),
    ("Cho et al. 2014", "1406.1078"): (
        "K. Cho, B. van Merriënboer, C. Gulcehre, D. Bahdanau, F. Bougares, H. Schwenk, Y. Bengio",
        "Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation",
        "EMNLP 2014, arXiv:1406.1078"),
    ("Tan 1993",): (
        "M. Tan", "Multi-Agent Reinforcement Learning: Independent vs. Cooperative Agents", "ICML 1993"),
    ("Sunehag et al. 2018",): (
        "P. Sunehag, G. Lever, A. Gruslys, W. M. Czarnecki, V. Zambaldi, M. Jaderberg, M. Lanctot, N. Sonnerat, J. Z. "
        "Leibo, K. Tuyls, T. Graepel",
        "Value-Decomposition Networks for Cooperative Multi-Agent Learning", "AAMAS 2018, arXiv:1706.05296"),
    ("Rashid et al. 2018",): (
        "T. Rashid, M. Samvelyan, C. Schroeder de Witt, G. Farquhar, J. Foerster, S. Whiteson",
        "QMIX: Monotonic Value Function Factorisation for Deep Multi-Agent Reinforcement Learning",
        "ICML 2018, arXiv:1803.11485"),
    ("Rashid et al. 2020",): (
        "T. Rashid, G. Farquhar, B. Peng, S. Whiteson",
        "Weighted QMIX: Expanding Monotonic Value Function Factorisation", "NeurIPS 2020, arXiv:2006.10800"),
    ("Wang et al. 2021",): (
        "J. Wang, Z. Ren, T. Liu, Y. Yu, C. Zhang",
        "QPLEX: Duplex Dueling Multi-Agent Q-Learning", "ICLR 2021, arXiv:2008.01062"),
    ("Son et al. 2019",): (
        "K. Son, D. Kim, W. J. Kang, D. E. Hostallero, Y. Yi",
        "QTRAN: Learning to Factorize with Transformation for Cooperative Multi-Agent Reinforcement Learning",
        "ICML 2019, arXiv:1905.05408"),
    ("Omidshafiei et al. 2017",): (
        "S. Omidshafiei, J. Pazis, C. Amato, J. P. How, J. Vian",
        "Deep Decentralized Multi-task Multi-Agent Reinforcement Learning under Partial Observability",
        "ICML 2017, arXiv:1703.06182"),
    ("Lowe et al. 2017",): (
        "R. Lowe, Y. Wu, A. Tamar, J. Harb, P. Abbeel, I. Mordatch",
        "Multi-Agent Actor-Critic for Mixed Cooperative-Competitive Environments", "NeurIPS 2017, arXiv:1706.02275"),
    ("Zhong et al. 2024",): (
        "Y. Zhong, J. G. Kuba, X. Feng, S. Hu, J. Ji, Y. Yang",
        "Heterogeneous-Agent Reinforcement Learning", "JMLR 25, 2024, arXiv:2304.09870"),
    ("Mnih et al. 2015",): (
        "V. Mnih, K. Kavukcuoglu, D. Silver, A. A. Rusu, J. Veness and others",
        "Human-level Control through Deep Reinforcement Learning", "Nature 518, 2015"),
    ("Lillicrap et al. 2016",): (
        "T. P. Lillicrap, J. J. Hunt, A. Pritzel, N. Heess, T. Erez, Y. Tassa, D. Silver, D. Wierstra",
        "Continuous Control with Deep Reinforcement Learning", "ICLR 2016, arXiv:1509.02971"),
    ("Kapturowski et al. 2019",): (
        "S. Kapturowski, G. Ostrovski, J. Quan, R. Munos, W. Dabney",
        "Recurrent Experience Replay in Distributed Reinforcement Learning", "ICLR 2019"),
    ("Toledo et al. 2023",): (
        "E. Toledo, L. Midgley, D. Byrne, C. R. Tilbury, M. Macfarlane, C. Courtot, A. Laterre",
        "Flashbax: Streamlining Experience Replay Buffers for Reinforcement Learning with JAX", "software, 2023"),
    ("Palmer et al. 2018",): (
        "G. Palmer, K. Tuyls, D. Bloembergen, R. Savani",
        "Lenient Multi-Agent Deep Reinforcement Learning", "AAMAS 2018, arXiv:1707.04402"),
    ("Peng et al. 2021",): (
        "B. Peng, T. Rashid, C. Schroeder de Witt, P.-A. Kamienny, P. H. S. Torr, W. Böhmer, S. Whiteson",
        "FACMAC: Factored Multi-Agent Centralised Policy Gradients", "NeurIPS 2021, arXiv:2003.06709"),
    ("OMDPG", "2507.09989"): (
        "Authors of arXiv:2507.09989",
        "Improving Monotonic Optimization in Heterogeneous Multi-Agent Reinforcement Learning with Optimal Marginal "
        "Deterministic Policy Gradient", "arXiv:2507.09989, 2025"),
    ("Claus and Boutilier 1998",): (
        "C. Claus, C. Boutilier",
        "The Dynamics of Reinforcement Learning in Cooperative Multiagent Systems", "AAAI 1998"),
    ("Agarwal et al. 2019",): (
        "A. Agarwal, S. Kumar, K. Sycara",
        "Learning Transferable Cooperative Behavior in Multi-Agent Teams", "arXiv:1906.01202, 2019"),
    ("Agarwal et al. 2021",): (
        "R. Agarwal, M. Schwarzer, P. S. Castro, A. Courville, M. G. Bellemare",
        "Deep Reinforcement Learning at the Edge of the Statistical Precipice", "NeurIPS 2021, arXiv:2108.13264"),
    ("Student 1908",): ("Student", "The Probable Error of a Mean", "Biometrika 6(1), 1908"),
}  # fmt: skip
"""How docstrings name a work, and the work: authors, title, place."""
_OTHER = re.compile(r"\b[A-Z][\w-]+ (?:et al\.|and [A-Z]\w+) (?:1[89]|20)\d\d\b")
_USERS = re.compile(r"\((?:[A-Z][A-Z0-9]*PO(?:, )?)+\)")
_END = re.compile(r";|(?<!et al)\.(?:\s|$)")


def cited(words: str) -> list[str]:
    """The works that a docstring rests on: its first source if it names sources, else all works that it names.

    A work that is not in the list is given as the docstring gives it.
    """
    text = _USERS.sub("", words.partition("\n\nArgs:")[0])  # "(IPPO, MAPPO)" says who uses a part, not whence it is
    if "Source:" in text:  # what follows the first source are relatives of the equation
        text = _END.split(text.partition("Source:")[2])[0]
    found = [work for names, work in WORKS.items() if any(re.search(rf"\b{re.escape(n)}\b", text) for n in names)]
    known = {name for names in WORKS for name in names}
    return [". ".join(work) + "." for work in found] + [name for name in _OTHER.findall(text) if name not in known]


def statistics() -> list[str]:
    """What the intervals of the report rest on."""
    return cited("Agarwal et al. 2021, Student 1908")


def of_recipe(recipe: AnyRecipe) -> dict[str, list[str]]:
    """Works by the part that rests on them; the whole line-up comes first."""
    found: dict[str, list[str]] = {}
    if recipe.name in RECIPES:
        found[recipe.name] = cited(inspect.getdoc(RECIPES[recipe.name]) or "")
    for part in _parts(recipe):
        name = part_name(type(part))
        works = cited(inspect.getdoc(type(part)) or "") + (
            cited("Cho et al. 2014") if getattr(part, "memory", 0) else []
        )
        found[name] = list(dict.fromkeys([*found.get(name, ()), *works]))
    return {name: works for name, works in found.items() if works}


def _parts(owner: Any) -> Iterator[Any]:
    """All parts inside a part."""
    for field in dataclasses.fields(owner):
        if field.name in getattr(owner, "idle", ()):
            continue
        value = getattr(owner, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(item):
                yield item
                yield from _parts(item)


def of_game(name: str) -> list[str]:
    """Works that a game of the catalogue names."""
    games: Mapping[str, Any] = catalogue.games()
    return cited(inspect.getdoc(games[name]) or "") if name in games else []
