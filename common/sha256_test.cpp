#include "common/sha256.hpp"
#include "tests/support/catch.hpp"

#include <string>

namespace {

std::string digest(std::string const& text, size_t step) {
    iso::Sha256 hash;
    for (size_t i = 0; i < text.size(); i += step)
        hash.update(text.data() + i, std::min(step, text.size() - i));
    char hex[2 * iso::Sha256::digest_size + 1];
    hash.finish_hex(hex);
    return hex;
}

} // namespace

TEST_CASE("SHA-256 gives the digests published in FIPS 180-4's examples") {
    CHECK(digest("", 1) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(digest("abc", 3) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56) ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(digest(std::string(1000000, 'a'), 4096) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 does not depend on how the message is cut") {
    std::string const text(300, 'x');
    for (size_t step : {1U, 7U, 63U, 64U, 65U, 299U})
        CHECK(digest(text, step) == digest(text, 300));
}
