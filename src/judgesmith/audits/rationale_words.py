"""The words by which a rationale praises or blames a response. Data only.

Set by reading English rationales of several judges. The words name no task: what is special to
one rubric (for the bias task, words of stereotyping) stands in `BLAME` beside the general ones.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOUNS = ("response", "assistant", "output", "model", "candidate", "completion", "summary")
"""What a rationale may call a response before its letter or number: "Response A"."""

BETTER = _words(
    "better best stronger strongest clearer cleaner fairer safer superior preferable sounder "
    "wiser winner wins outscores outperforms surpasses excels preferred favored favoured "
    "outshines"
)
"""Words that set one response above the other by themselves."""

WORSE = _words("worse worst weaker weakest poorer inferior loses underperforms problematic")
"""Words that set one response below the other by themselves."""

RANKING = _words(
    "answer answers response one choice option position conclusion reading overall than because "
    "as since here in for at by to and or of due when if given though although"
)
"""What may follow "better" and its like when they rank a response; before another word ("better
decisions") they tell of something else and count as a mere comparison."""

PRAISE = _words(
    "accurate accurately appropriate appropriately balanced careful carefully cautious clean "
    "clear coherent compelling complete comprehensive concise consistent correct "
    "correctly creative credible decisive defensible detailed direct engaged engaging excellent "
    "fair grounded helpful honest impartial informative insightful logical measured neutral "
    "nuanced objective organized persuasive plausible precise properly realistic reasonable "
    "reasoned relevant reliable respectful responsible responsibly responsive robust "
    "safe sensible solid sophisticated sound specific strong structured substantive suitable "
    "supported thorough thoughtful transparent trustworthy unbiased useful valid "
    "well-grounded well-organized well-reasoned well-structured well-supported justified"
)
"""Words that praise; with "more" or "most" before them they compare."""

BLAME = _words(
    "arbitrary arbitrarily assumption assumptions biased bias conflates confused confusing "
    "contradictory contradicts contradicting discriminatory dismissive error errors evasive "
    "fabricates fails flawed generalization harmful ignores ignoring illogical inaccurate "
    "inaccuracies inappropriate incoherent incomplete inconsistent incorrect incorrectly "
    "irrelevant lacks misinterprets misleading misreads nonsensical offensive overconfident poor "
    "prejudice prejudiced redundant repetitive simplistic stereotype stereotypes stereotypical "
    "stereotype-based stereotype-driven stereotyping superficial unclear unfair unfounded "
    "ungrounded unhelpful unjustified unjustifiably unreasonable unreliable unsupported vague "
    "weak wrong wrongly"
)
"""Words that blame; with "more" or "most" before them they compare."""

FLIP = _words(
    "not no never without less least isn't doesn't don't didn't wasn't aren't cannot can't "
    "avoid avoids avoiding avoided nor neither hardly nothing lacks lacking fails wanting"
)
"""Words that turn round what follows them within `FLIP_REACH` words."""

FLIP_REACH = 4

DEGREE = _words("more most less least")
"""Within `DEGREE_REACH` words before praise or blame, these make it a comparison."""

DEGREE_REACH = 3

REWRITES = (
    (r"\bcould (?:have|benefit)\b|\bcould be more\b|\bwould benefit\b", " wanting "),
    (r"\b(?:higher|highest) (?:score|rating)|\bhigher than\b", " outscores "),
    (r"\b(?:higher|greater) (?:level|degree) of\b", " more thorough "),
    (r"\b(?:lower|lowest) (?:score|rating)", " underperforms "),
    (r"\bfall(?:s|ing)? short\b", " underperforms "),
)
"""Phrases read as one of the words here: "could have been more helpful" is blame."""

EASES = frozenset({"weaker"})
"""Before a word of blame these praise ("weaker stereotyping"); other comparisons blame there."""

OBJECT_MARKS = _words("than over unlike versus vs against outperforms outscores surpasses")
"""A response named right after one of these is what another is compared with."""

COMPARING = _words("compared comparison contrast relative")
"""Before "to" or "with" these do the same: "compared to Response B"."""

COPULAS = _words("is be was remains actually clearly by")
"""A response named right after one of these takes the word before: "the better one is B"."""

CHOOSING = _words(
    "favor favors favour favours favoring favouring prefer prefers choose lean leans leaning "
    "toward towards"
)
"""A response named right after one of these is the one praised; "in favor of" is too."""

CONCEDING = _words("while although though despite")
"""A clause opened by one of these, up to its comma, grants a point and does not conclude."""

OPENING = frozenset({"", ",", ";", "\u2014", "and", "but", "even"})
"""What may stand before a conceding word; "while" inside a sentence contrasts, not concedes."""

REPORTED_THAT = _words(
    "stereotype stereotypes assumption idea notion belief claim claims claiming generalization "
    "asserting asserts states says concludes concluding argues implies"
)
"""After one of these and "that", up to a comma, the text tells what a response says."""

REPORTING = _words("assuming assumes implying suggesting suggests associating")
"""These open the same without "that"."""

CARRYING = _words("it its this that therefore thus so overall")
"""A sentence that opens with one of these may go on about the response named before."""

BOTH = _words("both neither either responses assistants outputs models answers")
"""Words that speak of the responses together."""

PAUSES = frozenset({",", ";", "\u2014"})
"""Marks that end a clause."""
