#include "common/temp_dir.hpp"

#include <cstdlib>
#include <filesystem>

namespace iso {

Result<TempDir> TempDir::create(std::string const& prefix) {
    char const* base = std::getenv("TMPDIR");
    std::string path =
        std::string(base != nullptr && *base != '\0' ? base : "/tmp") + "/" + prefix + ".XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
        return sys_error("mkdtemp(" + path + ")", "set TMPDIR to a directory you may write to");
    TempDir dir;
    dir.path_ = std::move(path);
    return dir;
}

TempDir::~TempDir() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

} // namespace iso
