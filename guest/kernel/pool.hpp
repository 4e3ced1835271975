#pragma once

#include "guest/kernel/frame.hpp"
#include "guest/kernel/memory.hpp"

#include <new>

namespace iso::guest {

/// What there is to say about a pool, whatever its objects are: /proc/slabinfo.
struct PoolState {
    char const* name;
    u32 object_bytes;
    u32 in_use = 0;
    u32 frames = 0; // that it ever took
    PoolState* next = nullptr;

    inline static PoolState* first = nullptr; // of those that took a frame
};

/// Allocates objects of one type out of page frames, never gives frames back. Lazily carved: a
/// frame that was just taken is not walked.
template <typename T>
class Pool {
    static_assert(sizeof(T) <= k_page && sizeof(T) >= sizeof(void*));

public:
    explicit constexpr Pool(char const* name)
        : state_{.name = name, .object_bytes = sizeof(T)} {}

    /// A fresh object, or nullptr when there is no memory.
    T* make() {
        void* place = take_freed();
        if (place == nullptr) place = carve();
        if (place == nullptr) return nullptr;
        ++state_.in_use;
        return ::new (place) T{};
    }
    /// The same for a type whose fresh objects are all zeros: a new frame is that already.
    T* make_zeroed() {
        void* place = take_freed();
        if (place != nullptr)
            zero_small(place, sizeof(T));
        else
            place = carve();
        if (place != nullptr) ++state_.in_use;
        return static_cast<T*>(place);
    }

    void drop(T* object) {
        object->~T();
        --state_.in_use;
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
            if (state_.frames++ == 0) {
                state_.next = PoolState::first;
                PoolState::first = &state_;
            }
            carved_ = reinterpret_cast<u64>(linear(run.first));
            carved_end_ = carved_ + k_page;
        }
        auto* const place = reinterpret_cast<void*>(carved_);
        carved_ += sizeof(T);
        return place;
    }

    PoolState state_;
    Free* free_ = nullptr;
    u64 carved_ = 0;
    u64 carved_end_ = 0;
};

} // namespace iso::guest
