"""Queries in the manner of R2SM, written for pictures that have amodal annotations.

EntityRecord -> AnnotatedPicture -> Request -> Writer -> Reply -> parse -> clean -> QueryRecord

picture         a picture with its instances, numbered as a writer sees them
prompt          what a language model is told and asked
marks           the picture with the numbers drawn on it
writer          Request, Reply and the two protocols behind which writers stand
lexicon, phrases, grammar   the offline writer
looking         a writer behind any server of `askmask.llm`; anthropic_batches: half the price
journal         what was asked and answered, so that a killed run resumes
cost            estimate before, budget during
asking          one request after the other; batching: many at once
parse, clean    replies -> questions -> those that can be kept, and why the others cannot
statistics      R2SM's Table 1
author          all of it, from a source to a benchmark folder
"""
