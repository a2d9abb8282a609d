-- What is in each key, all at one moment. ARGV: for each key how: 'h' a hash, 'l' a list, 'z' a sorted set's members, 'n' how many
local out = {}
for i, key in ipairs(KEYS) do
  local how = ARGV[i]
  if how == 'h' then out[i] = redis.call('HGETALL', key)
  elseif how == 'l' then out[i] = redis.call('LRANGE', key, 0, -1)
  elseif how == 'z' then out[i] = redis.call('ZRANGE', key, 0, -1)
  elseif redis.call('TYPE', key).ok == 'list' then out[i] = redis.call('LLEN', key)
  else out[i] = redis.call('ZCARD', key) end
end
return out
