#pragma once

#include "guest/kernel/types.hpp"

namespace iso::guest {

struct Node;

enum Protection : u8 { k_prot_read = 1, k_prot_write = 2, k_prot_exec = 4 };

/// A run of addresses of the program that are alike: anonymous memory, or a view of a file.
struct Vma {
    UserAddr start = 0;
    UserAddr end = 0;
    u8 protection = 0;
    bool shared = false;     // MAP_SHARED: fork does not make it copy-on-write
    bool read_only = false;  // a shared view of a file that is not open for writing
    bool stack = false;      // grows down
    bool zero_tail = false;  // beyond the file's bytes: zeros (a program's segment), else SIGBUS
    Node* file = nullptr;    // nullptr: anonymous
    bool paged = false;      // the file's pages lie here and there (ramfs.hpp)
    Gpa file_data = 0;       // where the file's page for `start` lies; paged: its place in the file
    u64 file_bytes = 0;      // how many bytes from `start` on the file has; paged: not said here
    UserAddr fault_next = 0; // where a sequential reader would fault next
    u32 window = 16;         // pages that such a fault brings in

    /// Shows `node` from `offset` on.
    void view(Node& node, u64 offset);

    // The tree that finds it (a treap) and the order of addresses.
    u32 priority = 0;
    Vma* left = nullptr;
    Vma* right = nullptr;
    Vma* previous = nullptr;
    Vma* next = nullptr;
};

/// The areas of one address space, ordered and without overlap. Owns none of them.
class VmaTree {
public:
    /// The area that contains `address`, or the next one above it, or nullptr.
    Vma* at_or_above(UserAddr address);
    /// The area that contains `address`, or nullptr.
    Vma* at(UserAddr address) {
        if (last_ != nullptr && address >= last_->start && address < last_->end) return last_;
        Vma* const area = at_or_above(address);
        if (area == nullptr || address < area->start) return nullptr;
        return last_ = area;
    }
    Vma* first() const { return first_; }
    Vma* last() const { return tail_; }
    u32 count() const { return count_; }

    void insert(Vma* area);
    /// insert() for an area behind all others that is fresh, its links empty. Quicker; for the few
    /// that a program starts with, since many in a row make a list of the tree.
    void append(Vma* area);
    void remove(Vma* area);

private:
    static Vma* merge(Vma* low, Vma* high);
    static void split(Vma* tree, UserAddr at, Vma*& low, Vma*& high);

    Vma* root_ = nullptr;
    Vma* first_ = nullptr;
    Vma* tail_ = nullptr;
    Vma* last_ = nullptr; // found most recently
    u32 count_ = 0;
    u32 random_ = 0x9e3779b9;
};

} // namespace iso::guest
