// The page as a whole, read by a strict XML parser: well-formed, complete, and loading nothing.
#include "benchmarks/history/history_fixture.hpp"
#include "benchmarks/report/density_fixture.hpp"
#include "benchmarks/report/page.hpp"
#include "benchmarks/report/report_fixture.hpp"
#include "tests/support/catch.hpp"

#include <expat.h>
#include <map>
#include <set>

using namespace iso::bench::report;

namespace {

/// What a parser found in a page.
struct Found {
    std::string problem;
    std::multiset<std::string> ids;
    std::multiset<std::string> elements;
    std::vector<std::string> wanted; ///< ids that something refers to
    std::vector<std::string> loads;  ///< what a browser would fetch
    std::vector<int> headings;
    std::map<std::string, std::string> svg_labels; ///< id to the kind of element it is on
    std::string last_element;
};

void refer(Found& found, std::string const& ids) {
    std::size_t at = 0;
    while (at < ids.size()) {
        std::size_t const end = std::min(ids.find(' ', at), ids.size());
        if (end > at) found.wanted.push_back(ids.substr(at, end - at));
        at = end + 1;
    }
}

void XMLCALL on_element(void* data, XML_Char const* name, XML_Char const** attributes) {
    Found& found = *static_cast<Found*>(data);
    std::string const element = name;
    found.elements.insert(element);
    if (element.size() == 2 && element[0] == 'h' && element[1] >= '1' && element[1] <= '6')
        found.headings.push_back(element[1] - '0');
    bool labelled = false;
    for (; *attributes != nullptr; attributes += 2) {
        std::string const key = attributes[0];
        std::string const value = attributes[1];
        if (key == "id") {
            found.ids.insert(value);
            found.svg_labels[value] = element;
        }
        if (key == "aria-labelledby") {
            refer(found, value);
            labelled = true;
        }
        if (key == "href" && value.starts_with("#"))
            refer(found, value.substr(1));
        else if (key == "href" || key == "src" || key == "srcset" || key == "data" ||
                 key == "action" || key == "poster")
            found.loads.push_back(element + " " + key + "=" + value);
        if (key.starts_with("on")) found.loads.push_back(element + " runs " + key);
    }
    bool const decoration = element == "svg" && found.ids.empty();
    if (element == "svg" && !labelled && !decoration) found.problem = "a picture without a name";
}

Found parse(std::string const& text) {
    Found found;
    XML_Parser const parser = XML_ParserCreate("UTF-8");
    XML_SetUserData(parser, &found);
    XML_SetStartElementHandler(parser, on_element);
    if (XML_Parse(parser, text.data(), static_cast<int>(text.size()), 1) == XML_STATUS_ERROR)
        found.problem = std::string(XML_ErrorString(XML_GetErrorCode(parser))) + ", line " +
                        std::to_string(XML_GetCurrentLineNumber(parser));
    XML_ParserFree(parser);
    return found;
}

std::string page_of(std::size_t files, bool with_history = false) {
    std::vector<Input> inputs;
    for (std::size_t i = 0; i < files; ++i) {
        test::Fixture fixture;
        fixture.results.seed = i;
        test::add_density(fixture.results);
        inputs.push_back({"result-" + std::to_string(i) + ".json", fixture.results});
    }
    auto const references = References::built_in();
    REQUIRE(references);
    if (!with_history) return page(inputs, *references);
    OverTime const past =
        OverTime::of("<h>.db", iso::bench::history::test::Synthetic(40, 25, 0.1).history);
    return page(inputs, *references, &past);
}

std::size_t count(std::string const& text, std::string const& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

} // namespace

TEST_CASE("the page is well-formed, every id is there once, and every reference leads somewhere") {
    for (auto const& [files, with_history] :
         {std::pair{1U, false}, {3U, false}, {1U, true}, {3U, true}, {0U, true}}) {
        Found const found = parse(page_of(files, with_history));
        INFO(files << " files" << (with_history ? " and a history" : ""));
        CHECK(found.problem.empty());
        CHECK(found.elements.count("svg") > 5 * files + (with_history ? 2 : 0));
        for (std::string const& id : found.ids) {
            INFO(id);
            CHECK(found.ids.count(id) == 1);
        }
        for (std::string const& id : found.wanted) {
            INFO(id);
            CHECK(found.ids.count(id) == 1);
        }
    }
}

TEST_CASE("the page loads nothing and runs nothing") {
    std::string const text = page_of(2, true);
    Found const found = parse(text);
    CHECK(found.loads.empty());
    for (char const* const element : {"script", "link", "iframe", "object", "embed", "img", "image",
                                      "use", "audio", "video", "form", "base"}) {
        INFO(element);
        CHECK(found.elements.count(element) == 0);
    }
    for (char const* const words : {"://", "@import", "javascript:", "expression("}) {
        INFO(words);
        CHECK(count(text, words) == 0);
    }
    // The one reference of the style sheet is to the hatching, which is in the page.
    CHECK(count(text, "url(") == count(text, "url(#hatching)"));
}

TEST_CASE("the page can be read without seeing it and without a pointer") {
    std::string const text = page_of(1, true);
    Found const found = parse(text);
    CHECK(found.elements.count("h1") == 1);
    CHECK(found.elements.count("main") == 1);
    CHECK(text.find("class=\"skip\" href=\"#content\"") != std::string::npos);
    int last = 0;
    for (int const level : found.headings) { // none is left out on the way down
        CHECK(level <= last + 1);
        last = level;
    }
    // Each picture has a title and a description (aria-labelledby checked above), each its table.
    CHECK(found.elements.count("desc") + 1 == found.elements.count("svg")); // one is the hatching
    CHECK(found.elements.count("figure") <= found.elements.count("table"));
    CHECK(found.elements.count("caption") == found.elements.count("table"));
    // Whatever scrolls can be reached with the keyboard.
    CHECK(count(text, "class=\"scroll\"") == count(text, "tabindex=\"0\""));
}

TEST_CASE("what did not work is told, and has no number") {
    std::string const text = page_of(1);
    for (char const* const words :
         {"another checksum than native", "timed out after 30 s", "not built", "through emulation",
          "the machine is busy &amp; &lt;noisy&gt;", "native against itself"}) {
        INFO(words);
        CHECK(text.find(words) != std::string::npos);
    }
    CHECK(text.find("nan") == std::string::npos);
    CHECK(text.find(">inf") == std::string::npos);
    // The failed cell of vmm-mini: the word, and no bar.
    CHECK(text.find("hello in vmm-mini: ") != std::string::npos);
    CHECK(text.find("<title>hello in vmm-mini") == std::string::npos);
}
