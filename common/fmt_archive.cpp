// The code of fmt 9, compiled once for everybody. Debian's package holds the headers and a shared
// library but no static archive, and isolab's programs are static (cmake/IsoOptions.cmake says
// why). Used from its headers alone instead, fmt would cost several seconds in every file that
// formats.
#include <fmt/format-inl.h>

#include <locale>

namespace fmt {
inline namespace v9 {
namespace detail {

// What format.h declares `extern template`, or leaves to one place, for the character type char.
template thousands_sep_result<char> thousands_sep_impl<char>(locale_ref);
template char decimal_point_impl<char>(locale_ref);
template void buffer<char>::append<char>(char const*, char const*);
template void vformat_to<char>(buffer<char>&, string_view, basic_format_args<buffer_context<char>>,
                               locale_ref);
template dragonbox::decimal_fp<float> dragonbox::to_decimal<float>(float) noexcept;
template dragonbox::decimal_fp<double> dragonbox::to_decimal<double>(double) noexcept;
template locale_ref::locale_ref(std::locale const&);
template std::locale locale_ref::get<std::locale>() const;

} // namespace detail
} // namespace v9
} // namespace fmt
