"""The five papers: a row for each of their tables, figures and theorems, and for what else they state as a result.

One file for each paper. Definitions claim nothing and have no row, unless they are a table. Sentences are ours.
"""

from coterie.campaign.collection import Collection
from coterie.campaign.collections.papers import a2po, dpo, lenient, omdpg, perla
from coterie.campaign.suite import shipped

collection = Collection(
    name="papers",
    about="What five papers on cooperative learning say, and where it stands: every suite of the house and the "
    "exact claims.",
    suites=tuple(name for name in shipped() if name != "demo"),
    items=(*lenient.ITEMS, *perla.ITEMS, *omdpg.ITEMS, *a2po.ITEMS, *dpo.ITEMS),
)
