-- ARGV id, request id, request ids whose answers have arrived (spaces between), turn of the caller or 0, µs for which a turn lasts,
-- '1' keys have an order, operation, its own…
-- Gives {1, answer}, {0} it is another's turn, {-1} there is no such object. Asked again with the same request id, it says what it said.
if redis.call('HGET', S, 'id') ~= ARGV[1] then return {-1} end

local heard = {}
for rid in string.gmatch(ARGV[3], '%S+') do heard[#heard + 1] = rid end
if #heard > 0 then redis.call('HDEL', R, unpack(heard)) end

local had = redis.call('HGET', R, ARGV[2]) or redis.call('HGET', Q, ARGV[2])
if had then return {1, cmsgpack.unpack(had)[1]} end

local t = redis.call('TIME')
local all = redis.call('HGETALL', H)
for i = 1, #all, 2 do
  local turn = string.match(all[i + 1], '^%d+ (%d+)')
  if turn and turn ~= ARGV[4] and t[1] * 1000000 + t[2] - tonumber(turn) < tonumber(ARGV[5]) then return {0} end
end

-- Remembers what a write that has changed something gives, for a minute at least: no call is sent again after five seconds. Nearly all of
-- it goes with the caller's next write, which says that the answer has arrived.
local function done(answer)
  if tonumber(t[1]) - tonumber(redis.call('HGET', S, 'g') or '0') > 60 then
    redis.call('DEL', Q)
    if redis.call('EXISTS', R) == 1 then redis.call('RENAME', R, Q) end
    redis.call('HSET', S, 'g', t[1])
  end
  redis.call('HSET', R, ARGV[2], cmsgpack.pack({answer}))
  redis.call('PEXPIRE', R, 120000)
  return answer
end

local function put(key, item)
  local n = written()
  redis.call('HSET', D, key, n .. ' ' .. item)
  if ARGV[6] == '1' then redis.call('ZADD', K, 'NX', n, key) end
end

-- The texts of numbers that JSON has no word for.
local special = {
  ['{"$":"number","v":"NaN"}'] = 0 / 0,
  ['{"$":"number","v":"Infinity"}'] = math.huge,
  ['{"$":"number","v":"-Infinity"}'] = -math.huge,
  ['{"$":"number","v":"-0"}'] = -1 / math.huge,
}

local function number(item)
  if not item then return nil end
  return special[item] or (string.find(item, '^-?%d') and tonumber(item)) or nil
end

-- 17 digits name each double exactly.
local function text(x)
  if x ~= x then return '{"$":"number","v":"NaN"}' end
  if x == math.huge then return '{"$":"number","v":"Infinity"}' end
  if x == -math.huge then return '{"$":"number","v":"-Infinity"}' end
  if x == 0 and 1 / x < 0 then return '{"$":"number","v":"-0"}' end
  return string.format('%.17g', x)
end

local writes = {}

-- key, item
function writes.set(a)
  put(ARGV[a], ARGV[a + 1])
  return done(false)
end

-- key, number of the write that is expected, item. Gives nothing, or what is there instead.
function writes.replace(a)
  local n, item = cell(ARGV[a])
  if n ~= tonumber(ARGV[a + 1]) then return {n, item} end
  put(ARGV[a], ARGV[a + 2])
  return done(false)
end

-- key, number. Gives the sum, or nothing if there is no number.
function writes.add(a)
  local _, item = cell(ARGV[a])
  local x, y = number(item), number(ARGV[a + 1])
  if not x or not y then return false end
  local sum = text(x + y)
  put(ARGV[a], sum)
  return done(sum)
end

-- key, item. Gives what is there then.
function writes.settle(a)
  local n, item = cell(ARGV[a])
  if n > 0 then return item end
  put(ARGV[a], ARGV[a + 1])
  return done(ARGV[a + 1])
end

local function remove(key)
  redis.call('HDEL', D, key)
  redis.call('ZREM', K, key)
end

-- key
function writes.delete(a)
  if redis.call('HEXISTS', D, ARGV[a]) == 0 then return 0 end
  remove(ARGV[a])
  return done(1)
end

-- key. Gives what was there.
function writes.pop(a)
  local n, item = cell(ARGV[a])
  if n == 0 then return false end
  remove(ARGV[a])
  return done(item)
end

function writes.clear()
  redis.call('UNLINK', D, K)
  return done(false)
end

-- items… Gives the length then.
function writes.push(a)
  if a > #ARGV then return redis.call('LLEN', D) end
  for i = a, #ARGV, 1000 do redis.call('RPUSH', D, unpack(ARGV, i, math.min(i + 999, #ARGV))) end
  return done(redis.call('LLEN', D))
end

-- Gives the item.
function writes.last()
  local item = redis.call('RPOP', D)
  return item and done(item)
end

function writes.first()
  local item = redis.call('LPOP', D)
  return item and done(item)
end

-- From the front; nothing if it is not from 0 to `last`.
local function position(index, n, last)
  local at = tonumber(index)
  if at < 0 then at = at + n end
  if at >= 0 and at <= last then return at end
end

-- position, item. Gives the length if there is no such position.
function writes.put(a)
  local n = redis.call('LLEN', D)
  local at = position(ARGV[a], n, n - 1)
  if not at then return n end
  redis.call('LSET', D, at, ARGV[a + 1])
  return done(false)
end

-- As `put`. Redis inserts before an item, not at a position: so for a moment there is one that is like no other.
function writes.insert(a)
  local n = redis.call('LLEN', D)
  local at = position(ARGV[a], n, n)
  if not at then return n end
  if at == n then redis.call('RPUSH', D, ARGV[a + 1])
  else
    local item = redis.call('LINDEX', D, at)
    redis.call('LSET', D, at, '')
    redis.call('LINSERT', D, 'BEFORE', '', ARGV[a + 1])
    redis.call('LSET', D, at + 1, item)
  end
  return done(false)
end

-- item
function writes.remove(a)
  if redis.call('LREM', D, 1, ARGV[a]) == 0 then return 0 end
  return done(1)
end

return {1, writes[ARGV[7]](8)}
