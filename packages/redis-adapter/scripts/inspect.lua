-- What is in each key, all at one moment. ARGV: for each key how: 'h' a hash, 'l' a list, 'z' a sorted set's members, 'n' how many
local sizes = {list = 'LLEN', hash = 'HLEN'}
local out = {}
for i, key in ipairs(KEYS) do
  local how = ARGV[i]
  if how == 'h' then out[i] = redis.call('HGETALL', key)
  elseif how == 'l' then out[i] = redis.call('LRANGE', key, 0, -1)
  elseif how == 'z' then out[i] = redis.call('ZRANGE', key, 0, -1)
  else out[i] = redis.call(sizes[redis.call('TYPE', key).ok] or 'ZCARD', key) end
end
return out
