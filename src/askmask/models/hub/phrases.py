"""What a sentence may be about, as short noun phrases for models that look for words.

No grammar, only closed classes of English words: what is left between them are runs such as "red
mug". It errs towards too many phrases. A phrase too many costs a candidate that the selector can
refuse; a phrase too few loses the object.
"""

from __future__ import annotations

import re

__all__ = ["noun_phrases"]

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")  # noqa: RUF001

_DETERMINERS_AND_PRONOUNS = """
a an the this that these those my your his her its our their it he she they them him we us i me you
one ones some any every each all both no none other another same such what which who whom whose
"""

_PREPOSITIONS_AND_CONJUNCTIONS = """
about above across after against along among around as at before behind below beneath beside besides
between beyond but by down during except for from if in inside into like near next of off on onto or
and nor out outside over past so than then though through to toward towards under underneath until
up upon via when where while why how with within without because
"""

_HELPING_WORDS = """
am is are was were be been being do does did have has had can could will would shall should may
might must not also only just even still too very please partly partially fully completely mostly
together there here using used use
"""

_REQUESTS = """
segment mask masks outline highlight find locate show give mark select pick cut extract draw trace
return get identify detect point tell want need let see seen look looks looking
"""

_MASK_TYPES_AND_REGIONS = """
visible hidden invisible occluded blocked covered obscured whole entire complete full shape extent
silhouette part parts portion portions region regions area picture image photo left right front back
top bottom side middle object objects thing things item items
"""

_BREAKS = frozenset(
    " ".join(
        (
            _DETERMINERS_AND_PRONOUNS,
            _PREPOSITIONS_AND_CONJUNCTIONS,
            _HELPING_WORDS,
            _REQUESTS,
            _MASK_TYPES_AND_REGIONS,
        )
    ).split()
)
"""Words that are in no phrase."""


def noun_phrases(text: str) -> tuple[str, ...]:
    """Find the phrases of a sentence that may name things in the picture.

    Args:
        text: an English sentence; references like [1] are passed over.

    Returns:
        Different phrases in lower case, in the order of the sentence; the whole sentence where no
        phrase is left.
    """
    plain = re.sub(r"\[\d+\]", ",", text.lower())
    runs: list[list[str]] = [[]]
    end = 0
    for word in _WORD.finditer(plain):
        if plain[end : word.start()].strip():  # punctuation ends a phrase
            runs.append([])
        end = word.end()
        if word[0] in _BREAKS:
            runs.append([])
        else:
            runs[-1].append(word[0])
    found = dict.fromkeys(" ".join(run) for run in runs if run)
    return tuple(found) or (" ".join(plain.split()),)
