// All that is compiled of trees for an instruction set. No guard.

#include "tree_masks.hpp"
#include "tree_ranks.hpp"
