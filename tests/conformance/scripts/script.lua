-- Lua: its collector, strings, coroutines, files.
local t = {}
for i = 1, 20000 do t[i] = { i, tostring(i) } end
for round = 1, 3 do local junk = {} for i = 1, 10000 do junk[i] = ("x"):rep(i % 50) end end
collectgarbage()
local sum = 0
for _, pair in ipairs(t) do sum = sum + pair[1] + #pair[2] end
print("sum", sum)
local function generate(n) for i = 1, n do coroutine.yield(i * i) end end
local squares = {}
for v in coroutine.wrap(function() generate(10) end) do squares[#squares + 1] = v end
print(table.concat(squares, " "))
print(("the quick brown fox"):gsub("%w+", function(w) return w:sub(1, 1):upper() .. w:sub(2) end))
print(select(2, pcall(function() error({ code = 7 }) end)).code)
print(select(2, pcall(error, "told", 0)))
local path = os.getenv("D") .. "/lua.txt"
local file = assert(io.open(path, "w"))
for i = 1, 1000 do file:write(i, "\n") end
file:close()
local lines = 0
for line in io.lines(path) do lines = lines + tonumber(line) end
print("lines", lines, os.remove(path))
print(string.format("%.10g %5.2f %x %q", math.pi, math.exp(1), 255, "a\nb"))
print(os.date("!%Y-%m-%d %H:%M:%S", 86400 * 365), math.tointeger(2 ^ 53))
table.sort(t, function(a, b) return a[2] < b[2] end)
print(t[1][2], t[10000][2], t[20000][2])
