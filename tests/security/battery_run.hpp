#pragma once

#include "common/fd.hpp"
#include "common/subprocess.hpp"
#include "common/temp_dir.hpp"
#include "tests/support/catch.hpp"

#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <linux/close_range.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/// The battery of `isolate audit`, run by itself in surroundings that a test makes.
namespace iso::test {

struct Answer {
    std::string state, by, detail;
};
using Answers = std::map<std::string, Answer>;

/// Its program, and a process of the host that it shall find.
class Battery {
public:
    Battery() {
        auto dir = TempDir::create("isolate-battery");
        REQUIRE(dir);
        dir_ = std::move(*dir);
        auto const written = run_and_capture(
            {ISO_BIN_DIR "/isolate", "audit", "--battery=" + path()}, 20'000'000'000);
        REQUIRE(written);
        REQUIRE(written->exit_status() == 0);
        auto file = Fd::open(path(), O_RDONLY);
        REQUIRE(file);
        program_ = std::move(*file);
    }
    Battery(Battery const&) = delete;
    Battery& operator=(Battery const&) = delete;
    ~Battery() {
        hold_.reset(); // by which it ends
        if (host_ > 0) ::waitpid(host_, nullptr, 0);
    }

    [[nodiscard]] std::string path() const { return dir_.path() + "/battery"; }

    /// Starts the process of the host; what it tells goes to each run from now on.
    void find_host() {
        Pipe in = *Pipe::create();
        Pipe out = *Pipe::create();
        host_ = ::fork();
        if (host_ == 0) {
            ::dup2(in.read.get(), 0);
            ::dup2(out.write.get(), 1);
            execute({"stay"});
        }
        REQUIRE(host_ > 0);
        out.write.reset();
        std::string line;
        for (char c = 0; ::read(out.read.get(), &c, 1) == 1 && c != '\n';)
            line += c;
        std::istringstream words(line);
        for (std::string word; words >> word;)
            facts_.push_back(word);
        REQUIRE(facts_.size() > 8);
        hold_ = std::move(in.write);
    }

    /// Runs it in a process of its own. `prepare` is called there first; it may go on in another
    /// process, whose answers these are. `more`: facts beside those of the host.
    [[nodiscard]] Answers run(std::function<void()> const& prepare,
                              std::vector<std::string> const& more = {}) const {
        Pipe out = *Pipe::create();
        pid_t const child = ::fork();
        if (child == 0) {
            ::dup2(out.write.get(), 1);
            ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); // whoever runs the test may leave some
            prepare();
            std::vector<std::string> words{"probe"};
            words.insert(words.end(), facts_.begin(), facts_.end());
            words.insert(words.end(), more.begin(), more.end());
            execute(words);
        }
        out.write.reset();
        auto const text = read_all(out.read.get());
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE(text);
        INFO("wait status " << status << "\n" << *text);
        REQUIRE(text->find("\nend\t") != std::string::npos);
        Answers answers;
        std::istringstream lines(*text);
        for (std::string line; std::getline(lines, line);) {
            std::istringstream fields(line);
            std::string id;
            Answer answer;
            std::getline(fields, id, '\t');
            std::getline(fields, answer.state, '\t');
            std::getline(fields, answer.by, '\t');
            std::getline(fields, answer.detail, '\t');
            if (id != "end") answers[id] = answer;
        }
        return answers;
    }

private:
    [[noreturn]] void execute(std::vector<std::string> words) const {
        std::vector<char*> argv{const_cast<char*>("battery")};
        for (std::string& word : words)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        char* const envp[] = {nullptr};
        ::syscall(SYS_execveat, program_.get(), "", argv.data(), envp, AT_EMPTY_PATH);
        ::_exit(98);
    }

    TempDir dir_;
    Fd program_;
    Fd hold_;
    pid_t host_ = -1;
    std::vector<std::string> facts_;
};

} // namespace iso::test
