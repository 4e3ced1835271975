// How a journal is read: what a torn end is, and which samples count.
#include "benchmarks/harness/journal.hpp"
#include "benchmarks/harness/json_fields.hpp"
#include "benchmarks/harness/run_plan.hpp"
#include "common/sha256.hpp"

#include <fmt/format.h>

#include <optional>

namespace iso::bench {

using nlohmann::json;

namespace {

constexpr std::string_view k_before_check = "{\"check\":\"";
constexpr std::string_view k_after_check = "\",";
constexpr std::size_t k_check_digits = 16;
constexpr std::size_t k_prefix = k_before_check.size() + k_check_digits + k_after_check.size();

std::string check_of(std::string_view rest) {
    Sha256 hash;
    hash.update(rest.data(), rest.size());
    char digest[2 * Sha256::digest_size + 1];
    hash.finish_hex(digest);
    return std::string(digest, k_check_digits);
}

/// A line without its newline; nothing when it is not as it was written.
std::optional<json> whole(std::string_view line) {
    if (line.size() <= k_prefix || !line.starts_with(k_before_check)) return {};
    std::string_view const check = line.substr(k_before_check.size(), k_check_digits);
    if (check != check_of(line.substr(k_prefix))) return {};
    json parsed = json::parse(line, nullptr, false);
    if (!parsed.is_object()) return {};
    return parsed;
}

Condemned condemned_of(json const& in) {
    Condemned condemned;
    in.at("workload").get_to(condemned.workload);
    in.at("engine").get_to(condemned.arm);
    in.at("reason").get_to(condemned.reason);
    auto const text = in.at("status").get<std::string>();
    for (Status const status : {Status::failed, Status::void_, Status::unavailable})
        if (to_string(status) == text) condemned.status = status;
    return condemned;
}

/// The lines one after the other.
class Reader {
public:
    explicit Reader(JournalText& text)
        : text_(text) {}

    void take(json const& line) {
        Recorded& recorded = text_.recorded;
        if (line.contains("plan")) {
            text_.plan = plan_from_json(line.at("plan"));
            text_.begun = true;
        }
        if (line.contains("part")) {
            drop_unfinished();
            recorded.parts.push_back(line.at("part").get<PartRecord>());
        }
        if (line.contains("sample")) {
            recorded.samples.push_back(line.at("sample").get<Sample>());
            if (recorded.samples.back().block != 0)
                unfinished_.push_back(recorded.samples.size() - 1);
        }
        if (line.contains("condemned"))
            recorded.condemned.push_back(condemned_of(line.at("condemned")));
        if (line.contains("operations")) line.at("operations").get_to(recorded.ops);
        if (line.contains("block")) finish_block(line.at("block"));
        if (line.contains("stopped")) {
            json const& stopped = line.at("stopped");
            recorded.stopped[stopped.at("workload").get<std::string>()] =
                stopped.at("reason").get<std::string>();
        }
    }

    void drop_unfinished() {
        for (std::size_t const at : unfinished_)
            text_.recorded.samples[at].unused = k_unfinished_block;
        unfinished_.clear();
    }

private:
    void finish_block(json const& block) {
        auto const workload = block.at("workload").get<std::string>();
        auto const number = block.at("number").get<std::uint64_t>();
        text_.recorded.blocks[workload] = number;
        block.at("elapsed_ns").get_to(text_.recorded.elapsed_ns);
        std::erase_if(unfinished_, [&](std::size_t at) {
            Sample const& sample = text_.recorded.samples[at];
            return sample.workload == workload && sample.block == number;
        });
    }

    JournalText& text_;
    std::vector<std::size_t> unfinished_;
};

tl::unexpected<Error> bad_line(std::size_t number, std::string const& cause) {
    return tl::unexpected<Error>(
        std::move(error("journal", fmt::format("line {}: {}", number, cause),
                        "the file as isobench left it; or begin again without it")
                      .value())
            .with_exit(exit_code::usage));
}

} // namespace

std::string journal_line(json const& line) {
    std::string const text = line.dump(-1, ' ', false, json::error_handler_t::replace);
    std::string const rest = text.substr(1); // without the brace
    return fmt::format("{}{}{}{}\n", k_before_check, check_of(rest), k_after_check, rest);
}

/// What a power cut tears is what was written since the last complete block: there a damaged line
/// ends the journal. Before that mark damage is damage.
Result<JournalText> read_journal(std::string const& text) {
    JournalText found;
    std::vector<json> lines;
    std::size_t torn_line = 0;
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        ++number;
        std::size_t const end = text.find('\n', at);
        auto line = end == std::string::npos ? std::nullopt
                                             : whole(std::string_view(text).substr(at, end - at));
        at = end == std::string::npos ? text.size() : end + 1;
        if (!line && torn_line == 0) torn_line = number;
        if (!line) continue;
        if (torn_line != 0 && line->contains("block"))
            return bad_line(torn_line, "damaged, and a complete block follows");
        if (torn_line != 0) continue;
        lines.push_back(std::move(*line));
        found.good_bytes = at;
    }
    Reader reader(found);
    try {
        for (number = 0; number < lines.size(); ++number) {
            json const& line = lines[number];
            if (number == 0 && line.value("journal", "") != Journal::schema)
                return bad_line(1, "it is no " + std::string(Journal::schema));
            reader.take(line);
        }
    } catch (json::exception const& problem) {
        return bad_line(number + 1, problem.what());
    }
    reader.drop_unfinished();
    return found;
}

} // namespace iso::bench
