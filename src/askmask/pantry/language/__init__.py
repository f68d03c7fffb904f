"""Sentences generated from a scene, each with its exact answer.

A *pattern* is a noun phrase with slots and a *meaning*, an expression over a closed set of
operations. A *phrase* is a pattern whose slots are filled. Evaluating a phrase on a scene gives the
objects it denotes; a *frame* around it chooses the mask type. The operations follow four-valued
logic: what is too close to call is UNCLEAR, and a sentence with an unclear object is not used.

    banks        the word lists that ship with the package, split into pools
    meaning      meaning text -> expression
    english      plurals, articles, capital letters
    vocabulary   names and classes with the nouns they cover
    truth        the four-valued logic
    facts        what is measured on a scene
    relations, comparisons, selectors, attributes   the operations
    phrases      filled patterns
    scene_truth  relations of a scene, computed once
    reading      phrase + scene -> truth, object by object
    evaluate     phrase + scene -> objects
    kinds        phrase + scene -> objects of the kind it names
    realise      phrase -> text
    repertoire   which patterns serve which purpose
    word_choice  words that are true of an object, or of none
    propose      patterns filled to fit a scene
    absent       ways to ask for what is not there
    frames       sentence frames and which of them fit
    tags         what a query tests
    queries      `build_queries`
    folder       queries for a whole benchmark folder
"""

from __future__ import annotations

from askmask.pantry.language.queries import GeneratedQuery, build_queries

__all__ = ["GeneratedQuery", "build_queries"]
