#pragma once

#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"

#include <new>

namespace iso::guest {

/// Allocates objects of one type out of page frames, never gives frames back. Lazily carved: a
/// frame that was just taken is not walked.
template <typename T>
class Pool {
    static_assert(sizeof(T) <= k_page && sizeof(T) >= sizeof(void*));

public:
    /// A fresh object, or nullptr when there is no memory.
    T* make() {
        void* place = take_freed();
        if (place == nullptr) place = carve();
        return place != nullptr ? ::new (place) T{} : nullptr;
    }
    /// The same for a type whose fresh objects are all zeros: a new frame is that already.
    T* make_zeroed() {
        void* place = take_freed();
        if (place != nullptr)
            zero_small(place, sizeof(T));
        else
            place = carve();
        return static_cast<T*>(place);
    }

    void drop(T* object) {
        object->~T();
        auto* entry = reinterpret_cast<Free*>(object);
        entry->next = free_;
        free_ = entry;
    }

private:
    struct Free {
        Free* next;
    };

    void* take_freed() {
        Free* const place = free_;
        if (place != nullptr) free_ = place->next;
        return place;
    }

    void* carve() {
        if (carved_ + sizeof(T) > carved_end_) {
            FrameRun const run = frames.take_zeroed(1);
            if (run.count == 0) return nullptr;
            carved_ = reinterpret_cast<u64>(linear(run.first));
            carved_end_ = carved_ + k_page;
        }
        auto* const place = reinterpret_cast<void*>(carved_);
        carved_ += sizeof(T);
        return place;
    }

    Free* free_ = nullptr;
    u64 carved_ = 0;
    u64 carved_end_ = 0;
};

} // namespace iso::guest
