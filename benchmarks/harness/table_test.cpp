#include "benchmarks/harness/results_fixture.hpp"
#include "benchmarks/harness/table.hpp"
#include "tests/support/catch.hpp"

using namespace iso::bench;

namespace {

TableStyle plain(std::size_t width) {
    TableStyle style;
    style.unicode = false;
    style.width = width;
    return style;
}

std::size_t widest_line(std::string const& text) {
    std::size_t widest = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t const end = std::min(text.find('\n', begin), text.size());
        widest = std::max(widest, display_width(std::string_view(text).substr(begin, end - begin)));
        begin = end + 1;
    }
    return widest;
}

} // namespace

TEST_CASE("the table, wide enough for intervals beside their values") {
    CHECK(
        render_table(iso::bench::test::some_results(), plain(140)) ==
        R"(                  native          native (A/A)               isolate           vmm-mini  paravirt-demo    n
                    host           noise floor                  root            kvm_pvm    unavailable
Computing: CPU time, ratio to native (1.00 is free); start-up is taken off
  cpu-int        5.21 ns  1.001 [0.998, 1.003]  0.999 [0.995, 1.004]    VOID                         -   20
Kernel services: time of one operation, ratio to native
  syscall-null    120 ns  1.004 [0.990, 1.012]  1.300 [1.284, 1.318]    ~600 [590, 612]              -   20
Start-up: milliseconds more than native
  start to exit   164 us   0.00  [0.00, +0.01]  +1.94 [+1.90, +1.98]  FAILED                         -   20
)");
}

TEST_CASE("the table fits 100 columns; then intervals are under their values") {
    std::string const text = render_table(iso::bench::test::some_results(), plain(100));
    CHECK(widest_line(text) <= 100);
    CHECK(text.find("[0.998, 1.003]") != std::string::npos);
}

TEST_CASE("the whole text: headline with counts, hatching explained, troubles loud") {
    std::string const text = render(iso::bench::test::some_results(), plain(100));
    CHECK(widest_line(text) <= 100);
    for (char const* const part :
         {"Test CPU, 2 CPUs, Linux 6.1", "KVM backend: kvm_pvm",
          "isolate (OS-level virtualization, root)",
          "syscall-null takes 72.0 us instead of 120 ns (600 x)", "74 emulated instructions",
          "~ More than 2 %", "VOID: cpu-int in vmm-mini: another checksum than native",
          "FAILED: hello in vmm-mini: timed out after 30 s",
          "paravirt-demo cannot run here: not built; try: ./isolab", "note: the machine is busy"}) {
        INFO(part << " in\n" << text);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(text.find('\x1b') == std::string::npos); // colour is for terminals
}

TEST_CASE("numbers keep the digits that mean something") {
    TableStyle const style = plain(100);
    CHECK(format_ns(5.214, style) == "5.21 ns");
    CHECK(format_ns(72100, style) == "72.1 us");
    CHECK(format_ns(1.94e6, style) == "1.94 ms");
    CHECK(format_ns(2.1e9, style) == "2.10 s");
    CHECK(format_ns(0.25, style) == "0.25 ns");
    CHECK(wrap("one two three", 7, 2) == "one two\n  three\n");
    CHECK(pad_left("µs", 4) == "  µs");
}
