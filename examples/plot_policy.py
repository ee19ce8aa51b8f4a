"""
A policy as a tree that a person can read
=========================================

Blackjack, as in example 5.1 of Sutton and Barto's book: cards from an endless deck, the
player sees the sum of his own cards and one card of the dealer, and takes another card
("hit") or stops ("stick"). Value iteration finds the best policy exactly. It is a table
of 280 states, which a tree of a few leaves shall say in words.

The action values are the teacher here. They tell more than the best action does: where
both actions are worth the same, it does not matter what the tree says, and where a
mistake is dear, the teacher is sure.
"""

# %%
# The game
# --------
#
# A card counts 1 to 10, and 10 comes four times as often. An ace counts 11 as long as
# the sum stays within 21: it is "usable". The dealer takes cards until he has 17.
import functools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.tree import export_text

from skdistill import DistilledClassifier
from skdistill.students import TreeStudentClassifier
from skdistill.teachers import FunctionTeacher

CARDS = {card: (4 if card == 10 else 1) / 13 for card in range(1, 11)}


def take(total, ace, card):
    """Return the sum, and whether it holds a usable ace, after one more card."""
    if card == 1 and total + 11 <= 21:
        return total + 11, True
    total += card
    if total > 21 and ace:
        return total - 10, False
    return total, ace


@functools.cache
def dealer_ends(total, ace):
    """Return the probabilities of what the dealer ends with, 22 being too much."""
    if total >= 17:
        return {min(total, 22): 1.0}
    ends = {}
    for card, chance in CARDS.items():
        for end, share in dealer_ends(*take(total, ace, card)).items():
            ends[end] = ends.get(end, 0.0) + chance * share
    return ends


def stick_value(total, dealer):
    """Return what sticking is worth: 1 for a game won, -1 for one lost."""
    ends = dealer_ends(*take(0, False, dealer))
    return sum(p * (1 if e == 22 else np.sign(total - e)) for e, p in ends.items())


STATES = pd.DataFrame(
    [
        (total, dealer, ace)
        for ace in (0, 1)
        for total in range(12 if ace else 4, 22)
        for dealer in range(1, 11)
    ],
    columns=["player_sum", "dealer_card", "usable_ace"],
)
KEYS = [tuple(state) for state in STATES.to_numpy().tolist()]
len(KEYS)

# %%
# Value iteration
# ---------------
#
# Sweeps over the table until nothing changes. The sum never falls without an ace being
# used up, so that it takes few.
stick = {(t, d, a): stick_value(t, d) for t, d, a in KEYS}


def hit_value(state, values):
    """Return what taking one more card is worth, if states are worth `values`."""
    total, dealer, ace = state
    worth = 0.0
    for card, chance in CARDS.items():
        new_total, new_ace = take(total, bool(ace), card)
        new = values[new_total, dealer, int(new_ace)] if new_total <= 21 else -1.0
        worth += chance * new
    return worth


values = dict.fromkeys(KEYS, 0.0)
change, sweeps = 1.0, 0
while change:
    sweeps += 1
    new = {s: max(stick[s], hit_value(s, values)) for s in KEYS}
    change = max(abs(new[s] - values[s]) for s in KEYS)
    values = new
hit = {state: hit_value(state, values) for state in KEYS}
advantage = np.array([hit[s] - stick[s] for s in KEYS])  # of hitting
print(
    f"{sweeps} sweeps; hitting is best in {(advantage > 0).sum()} of {len(KEYS)} states"
)

# %%
# What a policy wins on average is computed exactly as well, by the same recursion, from
# the first two cards on.


def value_of(hits):
    """Return the expected gain of a policy, given as the set of states that hit."""

    @functools.cache
    def worth(state):
        if state not in hits:
            return stick[state]
        total, dealer, ace = state
        gain = 0.0
        for card, chance in CARDS.items():
            new_total, new_ace = take(total, bool(ace), card)
            new = worth((new_total, dealer, int(new_ace))) if new_total <= 21 else -1
            gain += chance * new
        return gain

    gain = 0.0
    for first, p in CARDS.items():
        for second, q in CARDS.items():
            total, ace = take(*take(0, False, first), second)
            for dealer, r in CARDS.items():
                gain += p * q * r * worth((total, dealer, int(ace)))
    return gain


def hits_of(labels):
    return {state for state, label in zip(KEYS, labels, strict=True) if label == "hit"}


best = np.where(advantage > 0, "hit", "stick")
print(f"expected gain of the best policy: {value_of(hits_of(best)):.4f}")

# %%
# Distil it
# ---------
#
# The teacher is a function, which gives the advantage of hitting as a log-odd, in units
# of a twentieth of a game: a softer policy than the best one, and sure of itself only
# where it matters. With ``alpha=1`` nothing but the teacher counts. A state weighs as
# much as the best policy is in it, since a mistake in a state that nobody sees is none.
UNIT = 0.05
log_odds_of = dict(zip(KEYS, advantage / UNIT, strict=True))


def policy(states):
    """Return the log-odds of hitting."""
    return np.array([log_odds_of[tuple(s)] for s in states.to_numpy().tolist()])


def visits_of(hits):
    """Return how often a policy meets each state in a game."""
    visits = dict.fromkeys(KEYS, 0.0)

    def walk(state, chance):
        visits[state] += chance
        if state in hits:
            total, dealer, ace = state
            for card, share in CARDS.items():
                new_total, new_ace = take(total, bool(ace), card)
                if new_total <= 21:
                    walk((new_total, dealer, int(new_ace)), chance * share)

    for first, p in CARDS.items():
        for second, q in CARDS.items():
            total, ace = take(*take(0, False, first), second)
            for dealer, r in CARDS.items():
                walk((total, dealer, int(ace)), p * q * r)
    return np.array([visits[state] for state in KEYS])


weights = visits_of(hits_of(best))
weights /= weights.mean()
teacher = FunctionTeacher(policy, classes=["stick", "hit"], output="log_odds")


def student(leaves):
    return TreeStudentClassifier(
        max_leaf_nodes=leaves, min_samples_leaf=1e-6, smoothing=0, random_state=0
    )


def distil(leaves):
    model = DistilledClassifier(
        teacher,
        student(leaves),
        alpha=1.0,
        calibrate=False,  # the advantages are right, whatever labels say
        augmenter=None,  # there are no other states
        random_state=0,
    )
    return model.fit(STATES, best, sample_weight=weights)


def fit_to_labels(leaves):
    return student(leaves).fit(STATES, best, sample_weight=weights)


# %%
# The baseline is the same tree, with the same weights, on the best actions as plain
# labels. "Lost" is how much less a tree wins than the best policy, in thousandths of a
# game. The teacher's word is worth something while the tree is too small for the whole
# policy and has to choose its mistakes; a tree that can hold all of it needs labels
# only.
sizes = [3, 4, 5, 6, 8, 10, 12, 16]
optimum = value_of(hits_of(best))
lost = pd.DataFrame(index=pd.Index(sizes, name="leaves"))
for name, fit in {"action values": distil, "best actions": fit_to_labels}.items():
    lost[name] = [
        1000 * (optimum - value_of(hits_of(fit(n).predict(STATES)))) for n in sizes
    ]
lost.round(2)

# %%
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
lost.plot(ax=ax, marker="o")
ax.set(ylabel="lost, thousandths of a game", yscale="symlog")
ax.legend(title="tree fitted to")
ax.grid(alpha=0.3)

# %%
# Read it
# -------
#
# The tree of six leaves; the value of a leaf is the probability of hitting.
tree = distil(6).student_
print(export_text(tree.tree_, feature_names=list(STATES.columns), decimals=2))

# %%
# Where it differs from the best policy, what that costs in each such state, in games,
# and how many of a thousand games get there:
differs = tree.predict(STATES) != best
visits = 1000 * visits_of(hits_of(best))
mistakes = STATES.assign(best=best, cost=np.abs(advantage), visits=visits)[differs]
mistakes.sort_values("cost", ascending=False).head(10).round({"cost": 3, "visits": 1})
