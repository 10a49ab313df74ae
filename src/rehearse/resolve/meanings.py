"""Everyday words and the words of a small vocabulary that come nearest to them in meaning.

A word of a prompt that a model was never taught is nearly always a thing, a motion, a colour or a place that
it knows by another name. The table is of plain English; a vocabulary takes from it what it has.
"""

from __future__ import annotations

from collections.abc import Collection

# Nearest first: what a model has of a row is offered for each word of the row's left side.
_MEANINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("dog puppy hound wolf fox", ("cat", "bird", "fish")),
    ("kitten kitty lion tiger leopard panther", ("cat", "bird", "fish")),
    ("animal pet creature horse pony cow sheep goat pig rabbit bunny mouse rat bear elephant monkey deer",
     ("cat", "bird", "fish", "butterfly")),
    ("toad lizard turtle", ("frog", "fish", "cat")),
    ("parrot eagle hawk owl duck goose swan chicken hen crow pigeon dove robin penguin gull seagull",
     ("bird", "butterfly", "cat")),
    ("shark whale dolphin goldfish salmon trout seal octopus", ("fish", "boat", "bird")),
    ("moth bee wasp insect bug beetle ladybird ladybug dragonfly", ("butterfly", "bird")),
    ("person man woman boy girl child kid baby human people figure actor dancer", ("hand", "cat", "bird")),
    ("arm fist finger fingers palm", ("hand",)),
    ("truck lorry bus van taxi cab jeep automobile vehicle motorbike motorcycle bicycle bike scooter tractor "
     "racecar", ("car", "train", "boat")),
    ("tram locomotive subway metro railway carriage wagon", ("train", "car")),
    ("ship sailboat yacht canoe kayak ferry raft vessel submarine", ("boat", "fish", "train")),
    ("plane airplane aeroplane aircraft jet helicopter spaceship spacecraft missile ufo drone shuttle "
     "satellite",
     ("rocket", "bird", "balloon")),
    ("kite blimp zeppelin airship bubble", ("balloon", "bird", "rocket")),
    ("sphere orb marble football basketball tennis globe circle round dot sun moon planet",
     ("ball", "star", "balloon")),
    ("asterisk sparkle comet meteor snowflake", ("star", "ball")),
    ("home hut cabin cottage castle building tower shed barn church palace", ("house", "tree")),
    ("bush plant flower rose pine oak palm leaf shrub grass", ("tree", "forest", "meadow")),
    ("parasol sunshade tent canopy", ("umbrella", "house")),
    ("crimson scarlet ruby maroon cherry", ("red", "pink", "orange")),
    ("amber tan peach copper brown bronze rust", ("orange", "red", "yellow")),
    ("gold golden lemon blonde beige cream", ("yellow", "orange", "white")),
    ("lime emerald olive teal turquoise mint", ("green", "blue")),
    ("navy azure cyan aqua indigo", ("blue", "purple", "green")),
    ("violet lilac lavender mauve plum", ("purple", "pink", "blue")),
    ("magenta fuchsia", ("pink", "purple", "red")),
    ("grey gray silver ivory black dark pale", ("white", "blue", "purple")),
    ("run walk go move travel drive ride sail swim slide glide drift roll cross march crawl race pass "
     "dash rush wander",
     ("moves right", "moves left", "bounces")),
    ("come arrive approach enter", ("moves left", "moves right")),
    ("fly soar float hover", ("arcs right", "moves up", "arcs left")),
    ("jump hop leap bounce skip dance", ("hops to", "bounces", "arcs right")),
    ("throw curve swing", ("arcs right", "arcs left")),
    ("rise climb ascend lift launch", ("moves up", "grows")),
    ("fall drop sink descend land dive", ("moves down", "shrinks")),
    ("expand enlarge inflate swell zoom", ("grows", "moves up")),
    ("deflate reduce contract vanish disappear fade", ("shrinks", "moves down")),
    ("spin rotate twist whirl twirl revolve", ("turns", "bounces")),
    ("sit stay wait rest stop sleep stand freeze pose lie hang remain", ("stands still",)),
    ("grab touch take reach catch hold pick", ("reaches for", "lowers to")),
    ("field grass grassland garden park lawn hill hills countryside farm", ("meadow", "forest", "desert")),
    ("town street road skyline downtown village urban", ("city", "night")),
    ("ocean water lake river beach waves pond sea", ("sea", "meadow")),
    ("sand dunes dune sahara", ("desert", "sea")),
    ("winter ice snowy arctic mountain mountains", ("snow", "night")),
    ("evening dark darkness midnight sky space dusk starry", ("night", "city")),
    ("woods jungle wood woodland trees rainforest", ("forest", "meadow")),
    ("above across on upon beyond", ("over", "in", "at")),
    ("inside within under below through among", ("in", "over", "at")),
    ("near beside by next behind before", ("at", "over", "in")),
    ("with plus also then while", ("and",)),
    ("two three four several many both pair", ("a", "and")),
    ("one some this that my his her its", ("a", "the", "an")),
)  # fmt: skip

_BY_WORD: dict[str, tuple[str, ...]] = {}
for _words, _known in _MEANINGS:
    for _word in _words.split():
        _BY_WORD.setdefault(_word, _known)


_INFLECTIONS = (
    ("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"), ("ing", "s"),
    ("ed", "s"), ("'s", ""), ("y", ""),
)  # fmt: skip


def alike_in_meaning(word: str, vocabulary: Collection[str]) -> list[str]:
    """Words or two-word motions, all of whose words are in the vocabulary, that mean nearly the same; the
    nearest first, empty where the table has none. word: lower case, in any common inflection."""
    for form in _forms(word):
        if form in vocabulary and form != word:
            return [form]
        if form in _BY_WORD:
            known = [near for near in _BY_WORD[form] if all(part in vocabulary for part in near.split())]
            if known:
                return known
    return []


def _forms(word: str) -> list[str]:
    """The word, and what it may be an inflection of: plural, -ing, -ed, or the base of a known -s form."""
    found = [word, word + "s", word + "es"]
    for ending, put in _INFLECTIONS:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            stem = word[: len(word) - len(ending)]
            found.append(stem + put)
            if ending in ("ing", "ed") and len(stem) > 2 and stem[-1] == stem[-2]:
                found += [stem[:-1] + put, stem[:-1] + "s"]
    return list(dict.fromkeys(found))
