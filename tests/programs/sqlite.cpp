// The SQLite of the distribution, as a static program: opens the database of its first argument and
// runs the SQL of the second file, printing rows.
#include <sqlite3.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace {

int print_row(void*, int columns, char** values, char**) {
    for (int i = 0; i < columns; ++i)
        std::printf("%s%s", i != 0 ? "|" : "", values[i] != nullptr ? values[i] : "NULL");
    std::puts("");
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    std::stringstream sql;
    sql << std::ifstream(argv[2]).rdbuf();
    sqlite3* database = nullptr;
    char* message = nullptr;
    int result = sqlite3_open(argv[1], &database);
    if (result == SQLITE_OK)
        result = sqlite3_exec(database, sql.str().c_str(), print_row, nullptr, &message);
    if (result != SQLITE_OK)
        std::fprintf(stderr, "%s\n", message != nullptr ? message : sqlite3_errmsg(database));
    sqlite3_free(message);
    sqlite3_close(database);
    return result == SQLITE_OK ? 0 : 1;
}
