// The Lua of the distribution, as a static program: runs the script that it is given.
#include <cstdio>
#include <lua.hpp>
#include <memory>

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    std::unique_ptr<lua_State, void (*)(lua_State*)> const lua(luaL_newstate(), lua_close);
    luaL_openlibs(lua.get());
    if (luaL_dofile(lua.get(), argv[1]) == LUA_OK) return 0;
    std::fprintf(stderr, "%s\n", lua_tostring(lua.get(), -1));
    return 1;
}
