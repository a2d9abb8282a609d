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

-- positions from and to: a page of an array's items
function reads.range(a)
  local list, bytes = {}, 0
  for i = tonumber(ARGV[a]), tonumber(ARGV[a + 1]) - 1 do
    local _, item = cell(string.format('%.0f', i))
    list[#list + 1] = item
    bytes = bytes + #item
    if #list >= tonumber(ARGV[2]) or bytes >= tonumber(ARGV[3]) then return list end
  end
  return list
end

function reads.length()
  return redis.call('LLEN', D)
end

-- position. Gives the item, or the length if there is none.
function reads.at(a)
  return redis.call('LINDEX', D, ARGV[a]) or redis.call('LLEN', D)
end

-- positions, as of a slice of an array in JavaScript; no end is ''. Gives a page, after where it begins and where the whole ends.
function reads.slice(a)
  local n = redis.call('LLEN', D)
  local function within(position)
    if position < 0 then position = position + n end
    return math.min(math.max(position, 0), n)
  end
  local from = within(tonumber(ARGV[a]))
  local to = ARGV[a + 1] == '' and n or within(tonumber(ARGV[a + 1]))
  local list, bytes, at = {from, to}, 0, from
  local last = math.min(to, from + tonumber(ARGV[2])) - 1
  while at <= last and bytes < tonumber(ARGV[3]) do
    for _, item in ipairs(redis.call('LRANGE', D, at, math.min(at + 15, last))) do
      list[#list + 1] = item
      bytes = bytes + #item
    end
    at = at + 16
  end
  return list
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
