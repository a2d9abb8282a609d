-- Drops what was read before, if it is still there: asked again, it drops nothing twice. Gives what comes next.
-- KEYS in  ARGV how the first and the last entry read before begin, how many were read, how many to give
local function begins(at, head)
  local entry = redis.call('LINDEX', KEYS[1], at)
  return entry and string.sub(entry, 1, #head) == head
end
-- Somebody else's: nobody could ever write here.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'list' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
local count = tonumber(ARGV[3])
if count > 0 and begins(0, ARGV[1]) and begins(count - 1, ARGV[2]) then redis.call('LTRIM', KEYS[1], count, -1) end
return redis.call('LRANGE', KEYS[1], 0, ARGV[4] - 1)
