"""The catalogue: which products there are, in what, with which pictogram and colours."""

from __future__ import annotations

from dataclasses import dataclass

from askmask.pantry.render.labels import LAYOUTS, Label
from askmask.pantry.render.pen import Colour

__all__ = ["PRODUCTS", "Product"]

_ACCENTS = {
    "red": ("white", "yellow"),
    "orange": ("white", "blue"),
    "yellow": ("white", "red"),
    "green": ("white", "yellow"),
    "blue": ("white", "yellow"),
    "purple": ("white", "yellow"),
    "pink": ("white", "purple"),
    "brown": ("white", "orange"),
    "black": ("white", "yellow"),
    "white": ("blue", "red"),
    "grey": ("white", "black"),
}
"""Ribbon inks that go with a ground."""


@dataclass(frozen=True)
class Product:
    """A packaged product with three label designs.

    Attributes:
        noun: noun of the noun bank, e.g. "jar of honey".
        name: what the label says.
        container: kind of package, one word.
        body: name in `packages.BODIES`.
        picture: pictogram name.
        content: sRGB of what shows through the walls of a jar or bottle.
        inks: ground colour of each design, all different.
    """

    noun: str
    name: str
    container: str
    body: str
    picture: str
    content: Colour
    inks: tuple[str, ...]

    def label(self, design: int) -> Label:
        """Label of design 0, 1 or 2; layouts and ribbons differ as well as colours."""
        main = self.inks[design]
        turn = sum(map(ord, self.noun))
        return Label(
            name=self.name,
            picture=self.picture,
            main=main,
            accent=_ACCENTS[main][(turn + design) % 2],
            layout=LAYOUTS[(turn + 2 * design) % len(LAYOUTS)],
        )


def _product(
    noun: str,
    body: str,
    picture: str,
    inks: str,
    content: Colour = (200, 202, 206),
    name: str = "",
) -> Product:
    container, _, contained = noun.partition(" of ")
    if not contained:
        container = noun.split()[-1]
    return Product(noun, name or contained, container, body, picture, content, tuple(inks.split()))


_GLASS_GREEN, _GLASS_BROWN = (38, 72, 34), (84, 44, 16)

PRODUCTS: tuple[Product, ...] = (
    _product("can of tomato soup", "can", "tomato", "red green blue"),
    _product("can of beans", "can", "beans", "blue orange purple"),
    _product("can of corn", "can", "corn", "green yellow red"),
    _product("can of pineapple", "can", "pineapple", "yellow green purple"),
    _product("can of peaches", "can", "peach", "orange blue pink"),
    _product("can of mushrooms", "short can", "mushroom", "white green brown"),
    _product("can of cat food", "short can", "cat", "purple blue pink"),
    _product("can of dog food", "wide can", "bone", "red blue green"),
    _product("can of coffee", "wide can", "coffee", "brown red black"),
    _product("can of soda", "drink can", "soda", "orange green pink"),
    _product("can of energy drink", "slim can", "lightning", "black blue green"),
    _product("tin of tuna", "tin", "fish", "blue red green"),
    _product("tin of sardines", "tin", "sardines", "yellow red black"),
    _product("jar of honey", "squat jar", "honey", "yellow red blue", (214, 134, 12)),
    _product("jar of olives", "tall jar", "olives", "green white purple", (96, 112, 30)),
    _product("jar of cherry jam", "squat jar", "cherries", "red white blue", (96, 6, 22)),
    _product("jar of strawberry jam", "squat jar", "strawberry", "pink green white", (178, 14, 28)),
    _product("jar of peanut butter", "jar", "peanut", "brown red green", (196, 134, 66)),
    _product("jar of pickles", "tall jar", "pickle", "green yellow blue", (122, 142, 44)),
    _product("jar of mayonnaise", "jar", "fried_egg", "blue yellow white", (246, 236, 200)),
    _product("jar of chocolate spread", "jar", "bread", "brown orange white", (60, 30, 16)),
    _product("carton of apple juice", "carton", "apple", "green yellow red"),
    _product("carton of coconut water", "carton", "coconut", "brown blue white"),
    _product("carton of milk", "carton", "cow", "blue white green"),
    _product("carton of oat drink", "carton", "grain", "brown white purple"),
    _product("carton of orange juice", "carton", "orange", "orange green blue"),
    _product("carton of grape juice", "carton", "grapes", "purple pink green"),
    _product("box of cereal", "tall box", "cereal", "yellow blue green"),
    _product("box of cookies", "tall box", "cookie", "blue red purple"),
    _product("box of crackers", "tall box", "cracker", "red green orange"),
    _product("box of pasta", "slim box", "pasta", "blue green red"),
    _product("box of rice", "slim box", "rice", "orange green black"),
    _product("box of cake mix", "slim box", "cake", "pink purple yellow"),
    _product("box of waffles", "slim box", "waffle", "yellow blue brown"),
    _product("box of tea", "small box", "tea", "green black red"),
    _product("box of soap", "small box", "soap", "pink blue white"),
    _product("box of plasters", "small box", "plaster", "white red green"),
    _product("box of pizza", "pizza box", "pizza", "red white green"),
    _product("box of matches", "matchbox", "match", "red black yellow"),
    _product("box of crayons", "matchbox", "crayons", "yellow green orange"),
    _product("pack of butter", "brick", "butter", "yellow blue green"),
    _product("pack of chocolate", "bar", "chocolate", "purple red brown"),
    _product("pack of eggs", "flat box", "eggs", "grey yellow pink"),
    _product("pack of fish fingers", "flat box", "fish_fingers", "blue orange green"),
    _product("bottle of cola", "bottle", "cola", "red black blue", (44, 20, 12)),
    _product("bottle of lemonade", "bottle", "lemon", "yellow green pink", (240, 232, 150)),
    _product("bottle of water", "bottle", "drop", "blue green white", (176, 214, 240)),
    _product(
        "bottle of detergent", "large squeeze bottle", "shirt", "blue pink green", (240, 240, 244)
    ),
    _product("bottle of shampoo", "squeeze bottle", "hair", "purple pink green", (240, 225, 236)),
    _product("bottle of ketchup", "squeeze bottle", "tomato", "red white green", (196, 16, 18)),
    _product("bottle of mustard", "squeeze bottle", "hot_dog", "yellow brown blue", (236, 180, 16)),
    _product("bottle of olive oil", "slim bottle", "olives", "green yellow black", (132, 134, 22)),
    _product("bottle of vinegar", "slim bottle", "grapes", "purple white red", (74, 28, 20)),
    _product("bottle of soy sauce", "small bottle", "sushi", "red green white", (34, 16, 10)),
    _product("bottle of hot sauce", "small bottle", "chilli", "red yellow black", (206, 50, 10)),
    _product("bottle of maple syrup", "small bottle", "maple", "red white orange", (116, 50, 8)),
    _product(
        "beer bottle", "short slim bottle", "beer", "green yellow white", _GLASS_BROWN, "beer"
    ),
    _product("wine bottle", "slim bottle", "wine", "white red black", _GLASS_GREEN, "wine"),
    _product("cup of yogurt", "cup", "berries", "white pink blue"),
    _product("cup of custard", "cup", "pudding", "yellow brown orange"),
    _product("tub of ice cream", "tub", "ice_cream", "pink brown blue"),
    _product("tub of popcorn", "bucket", "popcorn", "red blue yellow"),
    _product("tube of potato chips", "tube", "chips", "red green purple"),
    _product("tube of salt", "short tube", "salt", "blue red white"),
)
