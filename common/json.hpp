#pragma once

// The one way to nlohmann-json. What its parser, its writer and its value consist of is compiled
// once, in common/json_archive.cpp: else every file that reads JSON would compile all of it again.
#include <nlohmann/json.hpp>

#define ISO_JSON_TEMPLATES(KEYWORD)                                                                \
    KEYWORD template class std::vector<nlohmann::json>;                                            \
    KEYWORD template class std::map<std::string, nlohmann::json, std::less<>>;                     \
    KEYWORD template class nlohmann::basic_json<>;                                                 \
    KEYWORD template class nlohmann::detail::json_sax_dom_parser<nlohmann::json>;                  \
    KEYWORD template class nlohmann::detail::serializer<nlohmann::json>;                           \
    ISO_JSON_READER(KEYWORD, char const*)                                                          \
    ISO_JSON_READER(KEYWORD, std::string::const_iterator)

#define ISO_JSON_READER(KEYWORD, Iterator)                                                         \
    KEYWORD template class nlohmann::detail::lexer<                                                \
        nlohmann::json, nlohmann::detail::iterator_input_adapter<Iterator>>;                       \
    KEYWORD template class nlohmann::detail::parser<                                               \
        nlohmann::json, nlohmann::detail::iterator_input_adapter<Iterator>>;

#ifndef ISO_JSON_ARCHIVE
ISO_JSON_TEMPLATES(extern)
#endif
