// Asks for more memory than the machine has, then touches more than it has.
#include "sys.hpp"

int main(int, char**) {
    constexpr u64 k_much = 1ul << 40;
    if (sys(__NR_mmap, 0, k_much, 3, 0x22, ~0ul) == -12) say("refused\n");
    say("touching\n");
    constexpr u64 k_piece = 1 << 20;
    for (;;) {
        long const piece = sys(__NR_mmap, 0, k_piece, 3, 0x22, ~0ul);
        if (piece < 0) return 1;
        for (u64 i = 0; i < k_piece; i += 4096)
            *reinterpret_cast<char volatile*>(static_cast<u64>(piece) + i) = 1;
    }
}
