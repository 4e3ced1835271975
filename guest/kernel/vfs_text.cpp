// Memory for names and the targets of links.
#include "guest/kernel/vfs_text.hpp"

#include "guest/kernel/memory.hpp"
#include "guest/kernel/pool.hpp"

namespace iso::guest::vfs {

namespace {

template <u64 Bytes>
struct Room {
    char text[Bytes];
};
// Most names are short; the longest have 255 characters.
constinit Pool<Room<16>> short_ones("text-16");
constinit Pool<Room<64>> medium_ones("text-64");
constinit Pool<Room<256>> long_ones("text-256");

char* room_for(u64 bytes) {
    if (bytes <= 16) return reinterpret_cast<char*>(short_ones.make());
    if (bytes <= 64) return reinterpret_cast<char*>(medium_ones.make());
    if (bytes <= 256) return reinterpret_cast<char*>(long_ones.make());
    FrameRun const run = frames.take(1); // the target of a link
    return run.count != 0 ? linear<char>(run.first) : nullptr;
}

} // namespace

Text keep_text(Text text) {
    char* const room = room_for(text.size);
    if (room == nullptr) return {};
    copy_small(room, text.data, text.size);
    return {room, text.size};
}

void drop_text(Text text) {
    auto* const room = const_cast<char*>(text.data);
    if (text.size <= 16)
        short_ones.drop(reinterpret_cast<Room<16>*>(room));
    else if (text.size <= 64)
        medium_ones.drop(reinterpret_cast<Room<64>*>(room));
    else if (text.size <= 256)
        long_ones.drop(reinterpret_cast<Room<256>*>(room));
    else
        frames.release(gpa_of(room), 1);
}

} // namespace iso::guest::vfs
