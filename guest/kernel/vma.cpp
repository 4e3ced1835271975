#include "guest/kernel/vma.hpp"

namespace iso::guest {

Vma* VmaTree::at_or_above(UserAddr address) {
    Vma* best = nullptr;
    for (Vma* area = root_; area != nullptr;) {
        if (address < area->end) {
            best = area;
            if (address >= area->start) break;
            area = area->left;
        } else {
            area = area->right;
        }
    }
    return best;
}

// Behind all others: below the last one in the tree, whose priority it therefore may not exceed.
void VmaTree::append(Vma* area) {
    Vma* const before = tail_;
    tail_ = area;
    ++count_;
    if (before == nullptr) {
        area->priority = ~0u;
        root_ = first_ = area;
        return;
    }
    area->priority = before->priority;
    area->previous = before;
    before->next = before->right = area;
}

void VmaTree::insert(Vma* area) {
    random_ = random_ * 1664525 + 1013904223;
    area->priority = random_;
    Vma* const above = at_or_above(area->start);
    area->next = above;
    area->previous = above != nullptr ? above->previous : tail_;
    (area->previous != nullptr ? area->previous->next : first_) = area;
    (above != nullptr ? above->previous : tail_) = area;

    Vma** place = &root_;
    while (*place != nullptr && (*place)->priority > area->priority)
        place = area->start < (*place)->start ? &(*place)->left : &(*place)->right;
    split(*place, area->start, area->left, area->right);
    *place = area;
    ++count_;
}

void VmaTree::remove(Vma* area) {
    (area->previous != nullptr ? area->previous->next : first_) = area->next;
    (area->next != nullptr ? area->next->previous : tail_) = area->previous;

    Vma** place = &root_;
    while (*place != area)
        place = area->start < (*place)->start ? &(*place)->left : &(*place)->right;
    *place = merge(area->left, area->right);
    if (last_ == area) last_ = nullptr;
    --count_;
}

// Two treaps, all of `low` below all of `high`. Depth is logarithmic with overwhelming probability.
Vma* VmaTree::merge(Vma* low, Vma* high) {
    if (low == nullptr) return high;
    if (high == nullptr) return low;
    if (low->priority > high->priority) {
        low->right = merge(low->right, high);
        return low;
    }
    high->left = merge(low, high->left);
    return high;
}

void VmaTree::split(Vma* tree, UserAddr at, Vma*& low, Vma*& high) {
    if (tree == nullptr) {
        low = high = nullptr;
    } else if (tree->start < at) {
        low = tree;
        split(tree->right, at, tree->right, high);
    } else {
        high = tree;
        split(tree->left, at, low, tree->left);
    }
}

} // namespace iso::guest
