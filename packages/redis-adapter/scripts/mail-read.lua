-- Drops what was read before, if it is still there: asked again, it drops nothing twice. Gives what comes next.
-- KEYS in  ARGV head of the first entry read before or '', how many were read, how many to give
if ARGV[1] ~= '' then
  local first = redis.call('LINDEX', KEYS[1], 0)
  if first and string.sub(first, 1, #ARGV[1]) == ARGV[1] then redis.call('LTRIM', KEYS[1], ARGV[2], -1) end
end
return redis.call('LRANGE', KEYS[1], 0, ARGV[3] - 1)
