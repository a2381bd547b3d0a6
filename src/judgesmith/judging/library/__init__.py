"""Dialects that come with the package, by name; see `judgesmith recipes` for who uses which.

The prompts are in our own words, in the block structure of the judges that they are named after.
"""

from collections.abc import Mapping

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import criteria, helpfulness, judgelm, prometheus

LIBRARY: Mapping[str, Dialect] = {
    dialect.name: dialect
    for family in (judgelm, prometheus, criteria, helpfulness)
    for dialect in family.DIALECTS
}
