-- ARGV id, items and bytes of a page, operation, its own…  Gives {1, answer}, {-1} there is no such object.
if redis.call('HGET', S, 'id') ~= ARGV[1] then return {-1} end
local reads = {}

function reads.look()
  return 1
end

-- key
function reads.get(a)
  local n, item = cell(ARGV[a])
  return {n, item}
end

-- key
function reads.has(a)
  return redis.call('HEXISTS', D, ARGV[a])
end

function reads.size()
  return redis.call('HLEN', D)
end

-- Gives the number of a write to go on after, or 0 at the end, and what `of` adds of each key that was made after that write.
local function page(after, of)
  local list, bytes = {0}, 0
  local keys = redis.call('ZRANGEBYSCORE', K, '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
  for i = 1, #keys, 2 do
    bytes = bytes + of(list, keys[i])
    list[1] = tonumber(keys[i + 1])
    if bytes >= tonumber(ARGV[3]) then return list end
  end
  if #keys < 2 * tonumber(ARGV[2]) then list[1] = 0 end
  return list
end

-- number of a write
function reads.keys(a)
  return page(ARGV[a], function(list, key)
    list[#list + 1] = key
    return #key
  end)
end

-- number of a write
function reads.entries(a)
  return page(ARGV[a], function(list, key)
    local _, item = cell(key)
    list[#list + 1] = key
    list[#list + 1] = item
    return #key + #item
  end)
end

return {1, reads[ARGV[4]](5)}
